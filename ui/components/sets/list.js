/** The sets that are kept in the library, newest first. */

import { h } from '../elements.js';
import { Api } from '../api.js';
import { Messages } from '../messages.js';

const mounted = new WeakMap();

/**
 * Data: `api`, `words`, `page` (as `GET /playlists` gives it).
 * Trigger: `go` with the set to open, or with the wish for a new one.
 */
export default function mount(component) {
  const { parentElement } = component;
  let shown = mounted.get(parentElement);
  if (shown === undefined) {
    shown = new SetList(component);
    mounted.set(parentElement, shown);
  }
  return shown.unmount;
}

class SetList {
  constructor({ parentElement, data, setTriggerValue }) {
    this.parent = parentElement;
    this.words = data.words;
    this.go = (where) => setTriggerValue('go', where);
    this.unmount = this.unmount.bind(this);
    this.api = new Api(data.api, this.words.away);
    this.messages = new Messages(this.words);
    this.list = h('ul', { class: 'list' });
    this.more = h('button', { type: 'button', class: 'action', onclick: () => void this.load() }, this.words.more);
    this.none = h('p', { class: 'note' }, this.words.noSets);
    this.root = h(
      'section',
      { class: 'sets', 'aria-label': this.words.sets },
      h('div', { class: 'bar' }, h('button', { type: 'button', class: 'action primary', onclick: () => this.go({ new: '1' }) }, this.words.newSet)),
      this.messages.root,
      this.none,
      this.list,
      this.more,
    );
    this.parent.append(this.root);
    this.take(data.page);
  }

  unmount() {
    mounted.delete(this.parent);
    this.root.remove();
  }

  take({ playlists, next_cursor: cursor }) {
    this.cursor = cursor;
    this.more.hidden = cursor === null;
    this.list.append(...playlists.map((set) => this.row(set)));
    this.none.hidden = this.list.childElementCount > 0;
  }

  row({ id, name, created_at: made, n_tracks: n }) {
    const count = (n === 1 ? this.words.oneTrack : this.words.nTracks).replace('{n}', n);
    const day = new Date(made).toLocaleDateString(undefined, { dateStyle: 'medium' });
    return h(
      'li',
      {},
      h('button', { type: 'button', class: 'open', onclick: () => this.go({ set: id }) }, h('b', {}, name), h('span', {}, `${count} · ${day}`)),
    );
  }

  async load() {
    this.more.disabled = true;
    try {
      this.take(await this.api.ask('GET', `/playlists?${new URLSearchParams({ cursor: this.cursor })}`));
    } catch (refusal) {
      this.messages.refuse(refusal);
    }
    this.more.disabled = false;
  }
}
