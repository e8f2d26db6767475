/** Finds tracks of the library by a few words; what is done with one is up to its owner. */

import { h } from '../elements.js';

const WAIT_MS = 200;
const N_FOUND = 8;

export class Finder {
  /**
   * @param {Object} parts
   * @param {import('../api.js').Api} parts.api
   * @param {import('./facts.js').Facts} parts.facts
   * @param {Object} parts.words
   * @param {string} parts.label of the field
   * @param {function(Object): Node[]} parts.actions buttons for a track
   */
  constructor({ api, facts, words, label, actions }) {
    Object.assign(this, { api, facts, words, actions });
    this.abort = new AbortController();
    this.input = h('input', { type: 'search', 'aria-label': label, placeholder: label, autocomplete: 'off' });
    this.input.addEventListener('input', () => {
      clearTimeout(this.waiting);
      this.waiting = setTimeout(() => void this.find(), WAIT_MS);
    });
    this.input.addEventListener('keydown', (event) => {
      if (event.key === 'Enter') event.preventDefault(); // it must not send the form around it
    });
    this.list = h('ul', { class: 'found' });
    this.note = h('p', { class: 'note', role: 'status' });
    this.root = h('div', { class: 'finder' }, this.input, this.note, this.list);
  }

  async find() {
    const text = this.input.value.trim();
    if (text === '') {
      this.show([], '');
      return;
    }
    const query = new URLSearchParams({ text, limit: String(N_FOUND) });
    await this.load(`/library/tracks?${query}`, ({ tracks }) => tracks.map((track) => ({ track })));
  }

  /** Show what the API lists; `read` returns tracks, each with what is said of it. */
  async load(path, read) {
    this.abort.abort();
    this.abort = new AbortController();
    try {
      const found = read(await this.api.ask('GET', path, { signal: this.abort.signal }));
      this.show(found, found.length ? '' : this.words.nothing);
    } catch (refusal) {
      if (refusal.name !== 'AbortError') this.show([], refusal.words ?? String(refusal));
    }
  }

  show(found, note) {
    this.found = found;
    this.note.textContent = note;
    this.render();
  }

  /** Draw the list anew: what can be done with a track may have changed. */
  render() {
    this.list.replaceChildren(...(this.found ?? []).map(({ track, extra = null }) => this.row(track, extra)));
  }

  row(track, extra) {
    const { facts } = this;
    return h(
      'li',
      {},
      h('span', { class: 'names', title: facts.name(track) }, h('b', {}, track.title), h('span', {}, track.artist ?? '')),
      h('span', { class: 'chips' }, facts.tempo(track), facts.key(track), facts.energy(track), extra),
      h('span', { class: 'does' }, ...this.actions(track)),
    );
  }

  stop() {
    clearTimeout(this.waiting);
    this.abort.abort();
  }
}
