/** The list of collections, and what can be done with the one that is open. */

import { h } from '../elements.js';
import { ask } from '../dialog.js';
import { FILTERS } from './toolbar.js';

export const DUPLICATES = 'duplicates';
const PATH = '/library/collections';

export class Side {
  /**
   * @param {Object} parts
   * @param {import('../api.js').Api} parts.api
   * @param {import('../messages.js').Messages} parts.messages
   * @param {Object} parts.words
   * @param {function(?string)} parts.open called with the id of a collection, `DUPLICATES`, or null
   * @param {function()} parts.changed called when the collections are known
   */
  constructor({ api, messages, words, open, changed }) {
    Object.assign(this, { api, messages, words, open, changed });
    this.collections = [];
    this.current = null;
    this.list = h('ul', {});
    this.root = h('nav', { class: 'side', 'aria-label': words.collections }, this.list);
  }

  get collection() {
    return this.collections.find(({ id }) => id === this.current) ?? null;
  }

  /** Collections that take tracks. */
  get plain() {
    return this.collections.filter(({ query }) => query === null);
  }

  async read() {
    try {
      this.collections = (await this.api.ask('GET', PATH)).collections;
    } catch (refusal) {
      if (!refusal.isAway) this.messages.refuse(refusal);
      return;
    }
    if (this.current !== null && this.current !== DUPLICATES && this.collection === null) this.open(null);
    this.show();
    this.changed();
  }

  show() {
    const { words } = this;
    const entries = [
      this.entry(null, words.allTracks, ''),
      ...this.collections.map(({ id, name, query, n_tracks: n }) => this.entry(id, name, n.toLocaleString(), query !== null)),
      this.entry(DUPLICATES, words.duplicates, ''),
    ];
    const create = h('button', { type: 'button', class: 'entry plain', onclick: () => void this.create([]) }, words.newCollection);
    this.list.replaceChildren(...entries, h('li', {}, create));
  }

  entry(id, name, count, isSmart = false) {
    const { words } = this;
    const isCurrent = id === this.current;
    const opener = h(
      'button',
      { type: 'button', class: 'entry', 'aria-current': isCurrent ? 'page' : null, onclick: () => this.open(id), title: isSmart ? words.smart : name },
      h('span', { class: 'name' }, isSmart ? `${name} ✦` : name),
      h('span', { class: 'number' }, count),
    );
    const isOwn = isCurrent && id !== null && id !== DUPLICATES;
    const more = isOwn && h(
      'span',
      { class: 'more' },
      h('button', { type: 'button', class: 'plain', onclick: () => void this.rename() }, words.rename),
      h('button', { type: 'button', class: 'plain', onclick: () => void this.remove() }, words.deleteIt),
    );
    return h('li', {}, opener, more);
  }

  async create(tracks, query = undefined) {
    const { words } = this;
    const name = await this.askName(query ? words.newSmart : words.newCollection, '');
    if (!name) return;
    const body = query ? { name, query } : { name, tracks };
    await this.act(async () => {
      const made = await this.api.ask('POST', PATH, { body });
      this.messages.tell(this.told(made));
    });
  }

  told({ name, n_tracks: n }) {
    const { words } = this;
    const tracks = (n === 1 ? words.oneTrack : words.nTracks).replace('{n}', n.toLocaleString());
    return words.holds.replace('{name}', name).replace('{tracks}', tracks);
  }

  /** Keep the filters of a view as a smart collection. */
  async keep(view) {
    await this.create([], Object.fromEntries(FILTERS.filter((name) => view[name] !== undefined).map((name) => [name, view[name]])));
  }

  async add(id, tracks) {
    await this.act(async () => {
      const changed = await this.api.ask('PATCH', `${PATH}/${id}`, { body: { add: tracks } });
      this.messages.tell(this.told(changed));
    });
  }

  async takeOut(tracks) {
    await this.act(async () => {
      const changed = await this.api.ask('PATCH', `${PATH}/${this.current}`, { body: { remove: tracks } });
      this.messages.tell(this.told(changed));
    });
  }

  async rename() {
    const { collection, words } = this;
    const name = await this.askName(words.rename, collection.name);
    if (name) await this.act(() => this.api.ask('PATCH', `${PATH}/${collection.id}`, { body: { name } }));
  }

  async remove() {
    const { collection, words } = this;
    const isSure = await ask(this.root, {
      title: words.deleteCollection.replace('{name}', collection.name),
      content: [h('p', {}, words.deleteCollectionWhat)],
      yes: words.removeYes,
      no: words.cancel,
      isDanger: true,
      answer: () => true,
    });
    if (isSure) await this.act(() => this.api.ask('DELETE', `${PATH}/${collection.id}`));
  }

  askName(title, value) {
    const input = h('input', { required: true, maxlength: '500', value });
    return ask(this.root, {
      title,
      content: [h('label', {}, this.words.name, input)],
      yes: this.words.save,
      no: this.words.cancel,
      answer: () => input.value,
    });
  }

  async act(change) {
    try {
      await change();
    } catch (refusal) {
      this.messages.refuse(refusal);
    }
    await this.read();
  }
}
