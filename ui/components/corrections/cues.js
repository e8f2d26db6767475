/** Cue points and loops: added at the playhead, moved, named, coloured, deleted. */

import { h } from '../elements.js';
import { t } from '../language.js';
import { button } from '../player/view/dom.js';
import { clock } from '../player/view/format.js';
import { entry, replaced, row } from './field.js';

const N_HOT_CUES = 8;
const DEFAULT_COLOUR = '#cc0000';

export class Cues {
  /** @param {Commands} commands of the player: its playhead and loop */
  constructor(overlay, commands) {
    this.overlay = overlay;
    this.commands = commands;
    this.list = h('ul', { class: 'cues' });
    this.addLoop = button({ text: t('Add the loop'), title: t('Store the player\'s loop'), onclick: () => this.#addLoop() });
    this.element = row(
      overlay,
      { label: t('Cues and loops'), names: ['cues'], found: (track) => countWords(replaced(track, 'cues') ?? []) },
      this.list,
      button({ text: t('Cue here'), title: t('Add a cue point at the playhead'), onclick: () => this.#add({ time_s: this.#here }) }),
      this.addLoop,
    );
  }

  get #cues() {
    return this.overlay.track.facts.cues ?? [];
  }

  get #here() {
    return toMicroseconds(this.commands.position);
  }

  #add(cue) {
    const used = this.#cues.map((other) => other.hot_cue);
    const free = Array.from({ length: N_HOT_CUES }, (_, i) => i + 1).find((number) => !used.includes(number));
    const n = this.#cues.length + 1;
    const name = cue.end_s === undefined ? t('Cue {n}', { n }) : t('Loop {n}', { n });
    this.#set([...this.#cues, { name, end_s: null, hot_cue: free ?? null, colour: null, ...cue }]);
  }

  #addLoop() {
    const { loop } = this.commands.session.mix;
    if (loop !== null) this.#add({ time_s: toMicroseconds(loop.start_s), end_s: toMicroseconds(loop.end_s) });
  }

  #change(index, changes) {
    this.#set(this.#cues.map((cue, i) => (i === index ? { ...cue, ...changes } : cue)));
  }

  #move(index) {
    const { time_s: from, end_s: end } = this.#cues[index];
    const to = this.#here;
    this.#change(index, { time_s: to, end_s: end === null ? null : toMicroseconds(end + to - from) });
  }

  #set(cues) {
    void this.overlay.correct({ cues });
  }

  refresh() {
    this.element.refresh();
    this.showLoop();
    const shown = JSON.stringify(this.#cues);
    if (shown === this.shown) return;
    this.shown = shown;
    const focused = this.list.getRootNode().activeElement?.getAttribute('aria-label');
    this.list.replaceChildren(...this.#cues.map((cue, i) => this.#item(cue, i)));
    if (focused) [...this.list.querySelectorAll('[aria-label]')].find((e) => e.getAttribute('aria-label') === focused)?.focus();
  }

  /** Show whether there is a loop to store. */
  showLoop() {
    this.addLoop.disabled = this.commands.session.mix.loop === null;
  }

  #item(cue, index) {
    const name = cue.name || t('Cue {n}', { n: index + 1 });
    const times = clock(cue.time_s, 2) + (cue.end_s === null ? '' : ` – ${clock(cue.end_s, 2)}`);
    const colour = entry('input', {
      type: 'color',
      label: t('Colour of {name}', { name }),
      read: () => (cue.colour ?? DEFAULT_COLOUR).toLowerCase(),
      write: (value) => this.#change(index, { colour: value }),
    });
    const title = entry('input', {
      type: 'text',
      label: t('Name of {name}', { name }),
      maxlength: 100,
      read: () => cue.name,
      write: (value) => this.#change(index, { name: value }),
    });
    for (const input of [colour, title]) input.refresh();
    return h('li', {},
      colour,
      button({ text: times, label: t('Go to {name}, {times}', { name, times }), class: 'time', onclick: () => this.commands.seek(cue.time_s) }),
      title,
      button({ text: t('Move here'), label: t('Move {name} to the playhead', { name }), onclick: () => this.#move(index) }),
      button({ name: 'close', label: t('Delete {name}', { name }), class: 'delete', onclick: () => this.#set(this.#cues.filter((_, i) => i !== index)) }),
    );
  }
}

function countWords(cues) {
  if (cues.length === 0) return t('none');
  return cues.map((cue) => `${cue.name || t('Cue')} ${clock(cue.time_s)}`).join(', ');
}

function toMicroseconds(seconds) {
  return Math.round(seconds * 1e6) / 1e6;
}
