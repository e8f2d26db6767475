/** What goes with the track of the active row: tracks that mix with it, and that sound like it. */

import { h } from '../elements.js';
import { trackPath } from '../api.js';

const N_SHOWN = 15;
const STILL_MS = 250;

export class Panel {
  /**
   * @param {Object} parts
   * @param {import('../api.js').Api} parts.api
   * @param {Object} parts.data words, colours
   * @param {function(Object)} parts.open called with a track whose page is wanted
   */
  constructor({ api, data, open }) {
    Object.assign(this, { api, data, open });
    this.words = data.words;
    this.track = null;
    this.kind = 'compatible';
    this.abort = new AbortController();
    this.heading = h('h2', {});
    this.tabs = ['compatible', 'similar'].map((kind) =>
      h('button', { type: 'button', class: 'action', onclick: () => this.turn(kind) }, this.words[kind]),
    );
    this.list = h('ol', { 'aria-live': 'polite' });
    this.root = h('aside', { class: 'panel', 'aria-label': this.words.panel, hidden: true }, this.heading, h('div', { class: 'actions' }, ...this.tabs), this.list);
  }

  unmount() {
    clearTimeout(this.waiting);
    this.abort.abort();
  }

  get isOpen() {
    return !this.root.hidden;
  }

  toggle(track) {
    this.root.hidden = this.isOpen;
    this.track = null;
    this.follow(track);
    if (this.isOpen) this.root.scrollIntoView({ block: 'nearest' });
  }

  turn(kind) {
    this.kind = kind;
    void this.read();
  }

  /** Show what goes with this track, once the rows stand still. */
  follow(track) {
    if (!this.isOpen || track === undefined || track?.id === this.track?.id) return;
    clearTimeout(this.waiting);
    this.track = track;
    this.waiting = setTimeout(() => void this.read(), STILL_MS);
  }

  async read() {
    const { track, kind, words } = this;
    if (track === null) return;
    this.abort.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    this.heading.textContent = track.title;
    this.tabs.forEach((tab, i) => tab.setAttribute('aria-pressed', String(['compatible', 'similar'][i] === kind)));
    this.list.setAttribute('aria-busy', 'true');
    let rows;
    try {
      const { tracks } = await this.api.ask('GET', `${trackPath(track.id, kind)}?limit=${N_SHOWN}`, { signal });
      rows = tracks.length ? tracks.map((found) => this.row(found)) : [h('li', {}, words.noneGo)];
    } catch (refusal) {
      if (signal.aborted) return;
      rows = [h('li', {}, refusal.words)];
    }
    this.list.setAttribute('aria-busy', 'false');
    this.list.replaceChildren(...rows);
  }

  row({ track, transition, similarity }) {
    const share = transition ? transition.score : Math.max(0, similarity);
    const why = transition ? transition.reasons.join(' · ') : '';
    return h(
      'li',
      {},
      h('button', { type: 'button', class: 'entry', onclick: () => this.open(track) }, h('span', { class: 'name' }, track.title), h('span', { class: 'number' }, `${Math.round(100 * share)} %`)),
      h('small', {}, [track.artist, track.tempo_bpm && `${track.tempo_bpm.toFixed(1)} BPM`, track.camelot].filter(Boolean).join(' · ')),
      why && h('small', { class: 'why' }, why),
    );
  }
}
