/** The tracks that a set is chosen from: the whole library, those that a filter finds, or given ones. */

import { h } from '../elements.js';
import { labelled } from './export.js';

const WAIT_MS = 250;
const PAGE = 500;

export class Pool {
  /**
   * @param {Object} parts
   * @param {import('../api.js').Api} parts.api
   * @param {Object} parts.data words, keys (names by Camelot code), tracks (ids handed over, or
   *   null), wishes (of the set that is planned again, whose tracks are those, or null)
   */
  constructor({ api, data }) {
    Object.assign(this, { api, data });
    const { words, keys, tracks } = data;
    this.source = tracks === null || data.wishes !== null ? 'all' : 'given';
    this.count = h('p', { class: 'note', role: 'status' });
    this.fields = {
      text: h('input', { type: 'search' }),
      tempo_min_bpm: number(20, 400),
      tempo_max_bpm: number(20, 400),
      mixes_with: h('select', {}, h('option', { value: '' }, words.anyKey), ...Object.entries(keys).map(([code, name]) => h('option', { value: code }, `${code} · ${name}`))),
      energy_min: number(1, 10),
      energy_max: number(1, 10),
      collection: h('select', {}, h('option', { value: '' }, words.anyCollection)),
      vocals: h('select', {}, ...[['', words.anyVocals], ['with', words.sung], ['without', words.instrumental]].map(([value, text]) => h('option', { value }, text))),
    };
    for (const field of Object.values(this.fields)) field.addEventListener('input', () => this.onInput());
    this.filter = h('div', { class: 'fields' }, ...Object.entries(this.fields).map(([name, field]) => labelled(words.filters[name], field, name === 'text' ? 'wide' : '')));
    const choices = [['all', words.wholeLibrary], ['filter', words.someOfIt]];
    if (tracks !== null) choices.unshift(['given', (data.wishes !== null ? words.same : tracks.length === 1 ? words.oneGiven : words.nGiven).replace('{n}', tracks.length)]);
    this.root = h(
      'fieldset',
      { class: 'pool' },
      h('legend', {}, words.from),
      h('div', { class: 'choices' }, ...choices.map(([value, text]) => this.choice(value, text))),
      this.filter,
      this.count,
    );
    this.show();
    void this.listCollections();
  }

  async listCollections() {
    const { collections } = await this.api.ask('GET', '/library/collections').catch(() => ({ collections: [] }));
    this.fields.collection.append(...collections.map(({ id, name }) => h('option', { value: id }, name)));
  }

  choice(value, text) {
    const input = h('input', { type: 'radio', name: 'source', value, checked: value === this.source });
    input.addEventListener('change', () => {
      this.source = value;
      this.show();
    });
    return h('label', {}, input, text);
  }

  show() {
    this.filter.hidden = this.source !== 'filter';
    this.count.hidden = this.source === 'given';
    if (this.source !== 'given') void this.countThem();
  }

  onInput() {
    clearTimeout(this.waiting);
    this.waiting = setTimeout(() => void this.countThem(), WAIT_MS);
  }

  query() {
    const asked = this.source === 'filter' ? Object.entries(this.fields).map(([name, field]) => [name, field.value.trim()]) : [];
    return new URLSearchParams(asked.filter(([, value]) => value !== ''));
  }

  async countThem() {
    const { words } = this.data;
    const query = this.query();
    query.set('limit', '1');
    this.counting = query;
    try {
      const { total } = await this.api.ask('GET', `/library/tracks?${query}`);
      if (this.counting === query) this.count.textContent = (total === 1 ? words.oneFound : words.nFound).replace('{n}', total.toLocaleString());
    } catch (refusal) {
      if (this.counting === query) this.count.textContent = refusal.words ?? String(refusal);
    }
  }

  /** Ids to choose from; null for the whole library. */
  async among() {
    if (this.source === 'all') return null;
    if (this.source === 'given') return this.data.tracks;
    const query = this.query();
    query.set('limit', String(PAGE));
    const ids = [];
    while (true) {
      const page = await this.api.ask('GET', `/library/tracks?${query}`);
      ids.push(...page.tracks.map(({ id }) => id));
      if (page.next_cursor === null) return ids;
      query.set('cursor', page.next_cursor);
    }
  }

  stop() {
    clearTimeout(this.waiting);
  }
}

export function number(min, max, properties = {}) {
  return h('input', { type: 'number', min: String(min), max: String(max), step: 'any', inputmode: 'decimal', ...properties });
}
