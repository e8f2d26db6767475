/** The tracks of a set in their order, with the transitions between them: by drag and by keyboard. */

import { h } from '../elements.js';
import { icon } from '../player/view/dom.js';
import { clock } from '../player/view/format.js';
import { tellBars, tellClash, tellPitch } from './step.js';

export class Order {
  /**
   * @param {Object} parts
   * @param {import('./model.js').SetModel} parts.model
   * @param {import('./facts.js').Facts} parts.facts
   * @param {import('./preview.js').Previews} parts.previews
   * @param {Object} parts.words
   * @param {function(string)} parts.announce for screen readers
   */
  constructor({ model, facts, previews, words, announce }) {
    Object.assign(this, { model, facts, previews, words, announce });
    this.rows = new Map();
    this.explained = new Set();
    this.root = h('ol', { class: 'order', 'aria-label': words.order, onkeydown: (event) => this.onKey(event) });
    this.root.addEventListener('pointerdown', (event) => this.onDown(event));
    this.root.addEventListener('pointermove', (event) => this.onMove(event));
    this.root.addEventListener('pointerup', () => this.onUp(true));
    this.root.addEventListener('pointercancel', () => this.onUp(false));
  }

  render() {
    const { model } = this;
    const focused = this.root.getRootNode().activeElement;
    const [key, part] = [focused?.closest?.('.entry')?.dataset.key, focused?.dataset?.act];
    const items = model.entries.map((entry, place) => this.item(entry, place));
    this.rows = new Map(items.map((item) => [item.dataset.key, item]));
    this.previews.keepPlaying(() => this.root.replaceChildren(...items));
    if (key !== undefined && part) this.rows.get(key)?.querySelector(`[data-act='${part}']`)?.focus();
  }

  item(entry, place) {
    const { model, words, facts } = this;
    const track = model.track(entry);
    const name = facts.name(track);
    const isMissing = track.is_missing && track.stems.length === 0;
    const starts = model.isRated ? model.view.starts_s[place] : undefined;
    const grip = h(
      'button',
      { type: 'button', class: 'grip', 'data-act': 'grip', 'aria-label': words.grip.replace('{title}', track.title).replace('{n}', place + 1), title: words.gripHelp },
      '⠿',
    );
    const song = h(
      'div',
      { class: 'song' },
      grip,
      h('span', { class: 'number' }, String(place + 1)),
      h('span', { class: 'starts' }, starts === undefined ? '' : clock(starts)),
      h('b', { class: 'title', title: name }, track.title),
      h('span', { class: 'artist' }, track.artist ?? ''),
      h('span', { class: 'chips' }, isMissing && h('span', { class: 'chip', title: words.missing }, '⚠', h('span', { class: 'unseen' }, words.missing)), facts.tempo(track), facts.key(track), facts.energy(track)),
      h(
        'button',
        { type: 'button', class: 'icon', 'data-act': 'remove', 'aria-label': words.removeTrack.replace('{title}', track.title), title: words.removeTrack.replace('{title}', track.title), onclick: () => this.remove(place) },
        icon('close'),
      ),
    );
    return h('li', { class: 'entry', 'data-key': String(entry.key) }, place > 0 && this.transition(place), song);
  }

  transition(place) {
    const { model, words, facts } = this;
    const step = model.stepInto(place);
    if (step === null) return h('div', { class: 'mix waiting' }, h('span', { class: 'score' }, '…'), words.rating);
    const [bars, clash] = [tellBars(step, words), tellClash(step, words)];
    const reasons = h('ul', { class: 'reasons' }, ...step.reasons.map((reason) => h('li', {}, reason)));
    return h(
      'div',
      { class: 'mix' },
      h(
        'div',
        { class: 'line' },
        facts.score(step.score),
        h('span', {}, tellPitch(step, words)),
        bars && h('span', {}, bars),
        clash && h('span', { class: 'clash' }, clash),
        h('span', { class: 'does' }, this.whyButton(step, reasons, place), this.previews.button(step, place)),
      ),
      reasons,
      this.previews.panel(step),
    );
  }

  /** A button that shows the reasons of a rating; they stay as they are when the list is drawn anew. */
  whyButton(step, reasons, place) {
    const name = `${step.from} ${step.to}`;
    const show = () => {
      reasons.hidden = !this.explained.has(name);
      made.setAttribute('aria-expanded', String(!reasons.hidden));
    };
    const made = h(
      'button',
      {
        type: 'button',
        class: 'action small',
        'data-act': 'why',
        'aria-label': this.words.whyOf.replace('{from}', place).replace('{to}', place + 1),
        onclick: () => {
          if (!this.explained.delete(name)) this.explained.add(name);
          show();
        },
      },
      this.words.why,
    );
    show();
    return made;
  }

  remove(place) {
    const { model, words } = this;
    const title = model.track(model.entries[place]).title;
    if (!model.remove(place)) {
      this.announce(words.lastTrack);
      return;
    }
    this.announce(words.removed.replace('{title}', title));
    const next = model.entries[Math.min(place, model.entries.length - 1)];
    this.grip(next.key)?.focus();
  }

  grip(key) {
    return this.rows.get(String(key))?.querySelector('.grip');
  }

  placeOf(element) {
    const key = element?.closest?.('.entry')?.dataset.key;
    return this.model.entries.findIndex((entry) => String(entry.key) === key);
  }

  onKey(event) {
    const place = this.placeOf(event.target);
    if (place < 0) return;
    const step = { ArrowUp: -1, ArrowDown: 1 }[event.key];
    if (event.altKey && step) {
      event.preventDefault();
      event.stopPropagation();
      this.moveBy(place, step);
    } else if (event.target.classList.contains('grip') && step) {
      event.preventDefault();
      const next = this.model.entries[place + step];
      if (next) this.grip(next.key).focus();
    } else if (event.target.classList.contains('grip') && event.key === 'Delete') {
      event.preventDefault();
      this.remove(place);
    }
  }

  moveBy(place, step) {
    const entry = this.model.entries[place];
    if (!this.model.move(place, place + step)) return;
    this.grip(entry.key)?.focus();
    this.tell(entry);
  }

  tell(entry) {
    const { model, words } = this;
    const place = model.entries.indexOf(entry) + 1;
    this.announce(words.moved.replace('{title}', model.track(entry).title).replace('{n}', place).replace('{all}', model.entries.length));
  }

  onDown(event) {
    const grip = event.target.closest?.('.grip');
    if (grip === null || event.button !== 0) return;
    event.preventDefault();
    grip.focus();
    // The list keeps the pointer: a row that is put elsewhere would lose it.
    this.root.setPointerCapture(event.pointerId);
    this.dragged = { item: grip.closest('.entry'), from: this.placeOf(grip), hasMoved: false };
  }

  onMove(event) {
    const { dragged } = this;
    if (!dragged) return;
    if (!dragged.hasMoved) {
      dragged.hasMoved = true;
      this.root.classList.add('dragging');
      dragged.item.classList.add('lifted');
    }
    const others = [...this.root.children].filter((item) => item !== dragged.item);
    const after = others.find((item) => {
      const box = item.querySelector('.song').getBoundingClientRect();
      return event.clientY < box.top + box.height / 2;
    });
    const next = dragged.item.nextElementSibling;
    if ((after ?? null) !== next) this.root.insertBefore(dragged.item, after ?? null);
  }

  onUp(isDone) {
    const { dragged } = this;
    if (!dragged) return;
    this.dragged = null;
    this.root.classList.remove('dragging');
    dragged.item.classList.remove('lifted');
    const to = [...this.root.children].indexOf(dragged.item);
    const entry = this.model.entries[dragged.from];
    if (!dragged.hasMoved) return;
    if (!isDone || !this.model.move(dragged.from, to)) this.render();
    else this.tell(entry);
    this.grip(entry.key)?.focus();
  }
}
