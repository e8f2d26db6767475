/** Tracks with a place in the set: first, last, certainly, never. */

import { h } from '../elements.js';
import { trackPath } from '../api.js';
import { Finder } from './finder.js';

const ALONE = ['start', 'end'];
const KINDS = [...ALONE, 'must_play', 'never'];

export class Pins {
  /**
   * @param {Object} parts
   * @param {import('../api.js').Api} parts.api
   * @param {import('./facts.js').Facts} parts.facts
   * @param {Object} parts.words
   */
  constructor({ api, facts, words }) {
    Object.assign(this, { api, words });
    this.pins = new Map();
    this.list = h('ul', { class: 'pinned' });
    this.finder = new Finder({ api, facts, words, label: words.searchPins, actions: (track) => this.choices(track) });
    this.root = h('fieldset', { class: 'pins' }, h('legend', {}, words.pins), this.list, this.finder.root);
  }

  choices(track) {
    return KINDS.map((kind) => {
      const isOn = this.pins.get(track.id)?.kind === kind;
      return h(
        'button',
        { type: 'button', class: 'action small', 'aria-pressed': String(isOn), 'aria-label': `${this.words.kinds[kind]}: ${track.title}`, onclick: () => this.pin(track, isOn ? null : kind) },
        this.words.kinds[kind],
      );
    });
  }

  /** Give a track a place; null takes it away. There is one first and one last track. */
  pin(track, kind) {
    if (ALONE.includes(kind)) {
      for (const [id, pin] of this.pins) if (pin.kind === kind) this.pins.delete(id);
    }
    if (kind === null) this.pins.delete(track.id);
    else this.pins.set(track.id, { track, kind });
    this.render();
  }

  render() {
    const inOrder = [...this.pins.values()].sort((a, b) => KINDS.indexOf(a.kind) - KINDS.indexOf(b.kind));
    this.list.replaceChildren(
      ...inOrder.map(({ track, kind }) =>
        h(
          'li',
          {},
          h('b', {}, this.words.kinds[kind]),
          h('span', {}, track.artist ? `${track.artist} – ${track.title}` : track.title),
          h('button', { type: 'button', class: 'plain', 'aria-label': this.words.unpin.replace('{title}', track.title), onclick: () => this.pin(track, null) }, '×'),
        ),
      ),
    );
    this.finder.render();
  }

  /** Pin what a request pins; tracks that are gone are left out. */
  async fill(wishes) {
    const pairs = KINDS.flatMap((kind) => [wishes[kind] ?? []].flat().map((id) => [id, kind]));
    for (const [id, kind] of pairs) {
      const track = await this.api.ask('GET', trackPath(id)).catch(() => null);
      if (track !== null) this.pin(track, kind);
    }
  }

  /** The pins as fields of a request. */
  wishes() {
    const of = (kind) => [...this.pins.values()].filter((pin) => pin.kind === kind).map(({ track }) => track.id);
    const wishes = {};
    for (const kind of ALONE) if (of(kind).length) [wishes[kind]] = of(kind);
    for (const kind of ['must_play', 'never']) if (of(kind).length) wishes[kind] = of(kind);
    return wishes;
  }
}
