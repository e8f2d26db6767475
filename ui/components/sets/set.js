/** A set: its order, what it sounds like, and what can be done with it. */

import { h } from '../elements.js';
import { Api, trackPath } from '../api.js';
import { ask } from '../dialog.js';
import { Messages } from '../messages.js';
import { clock } from '../player/view/format.js';
import { drawEnergy, drawTempo, foldTempi } from './charts.js';
import { ExportPanel } from './export.js';
import { Facts, percent } from './facts.js';
import { Finder } from './finder.js';
import { SetModel } from './model.js';
import { Order } from './order.js';
import { Previews } from './preview.js';
import { drawWheel } from '../wheel/wheel.js';

const N_FITTING = 6;
const mounted = new WeakMap();

/**
 * Data: `api` (the path below which it answers), `set` (as `GET /playlists/{id}` gives it), `words`,
 * `keys` (names by Camelot code), `colours` (by Camelot code), `minConfidence`, `good`, `fair`
 * (scores), `formats`, `systems` and `stemFormats` of exports.
 * Trigger: `go` with where to go, such as the list of sets.
 */
export default function mount(component) {
  const { parentElement } = component;
  let shown = mounted.get(parentElement);
  if (shown === undefined) {
    shown = new SetView(component);
    mounted.set(parentElement, shown);
  }
  return shown.unmount;
}

class SetView {
  constructor({ parentElement, data, setTriggerValue }) {
    this.parent = parentElement;
    this.data = data;
    this.go = (where) => setTriggerValue('go', where);
    this.unmount = this.unmount.bind(this);
    this.look = this.look.bind(this);
    const { words } = data;
    this.api = new Api(data.api, words.away);
    this.facts = new Facts(data);
    this.messages = new Messages(words);
    this.previews = new Previews(this.api, words);
    this.live = h('div', { class: 'unseen', role: 'status', 'aria-live': 'polite' });
    this.model = new SetModel(this.api, data.set, {
      changed: () => this.render(),
      saved: () => this.messages.hide(),
      refused: (refusal) => this.messages.refuse(refusal),
      conflict: (view, takeTheirs, saveMine) => this.onConflict(takeTheirs, saveMine),
    });
    this.order = new Order({
      model: this.model,
      facts: this.facts,
      previews: this.previews,
      words,
      announce: (text) => { this.live.textContent = text; },
    });
    this.build();
    this.render();
    window.addEventListener('focus', this.look);
  }

  unmount() {
    mounted.delete(this.parent);
    window.removeEventListener('focus', this.look);
    this.model.stop();
    this.previews.stop();
    this.finder.stop();
    this.root.remove();
  }

  build() {
    const { words } = this.data;
    const action = (text, act, kind = '') => h('button', { type: 'button', class: `action ${kind}`, onclick: act }, text);
    this.undo = action(words.undo, () => this.model.undo());
    this.summary = h('p', { class: 'summary' });
    this.relaxed = h('ul', { class: 'relaxed' });
    this.drawings = h('div', { class: 'drawings' });
    this.finder = new Finder({
      api: this.api,
      facts: this.facts,
      words,
      label: words.search,
      actions: (track) => [this.addButton(track)],
    });
    this.after = h('select', { 'aria-label': words.addAfter });
    this.root = h(
      'section',
      { class: 'sets set', 'aria-label': words.set },
      h('div', { class: 'bar' }, action(words.allSets, () => this.go({}), 'plain'), this.undo, action(words.planAgain, () => this.go({ new: this.model.view.id })), action(words.newSet, () => this.go({ new: '1' })), action(words.rename, () => void this.rename()), action(words.delete, () => void this.delete(), 'danger')),
      this.summary,
      this.messages.root,
      this.live,
      h(
        'div',
        { class: 'columns' },
        h('div', { class: 'main' }, this.relaxed, this.order.root, this.adding()),
        this.drawings,
      ),
    );
    this.exports = new ExportPanel({ api: this.api, view: () => this.model.view, data: this.data });
    this.root.append(this.exports.root);
    this.parent.append(this.root);
  }

  adding() {
    const { words } = this.data;
    const fitting = h('button', { type: 'button', class: 'action', onclick: () => void this.findFitting() }, words.fitting);
    return h(
      'section',
      { class: 'panel', 'aria-label': words.addTracks },
      h('h2', {}, words.addTracks),
      h('div', { class: 'fields' }, h('label', { class: 'labelled wide' }, h('span', {}, words.addAfter), this.after), fitting),
      this.finder.root,
    );
  }

  addButton(track) {
    const { words } = this.data;
    const isIn = this.model.has(track.id);
    return h(
      'button',
      { type: 'button', class: 'action small', disabled: isIn, 'aria-label': words.addTrack.replace('{title}', track.title), onclick: () => this.add(track) },
      isIn ? words.isIn : words.add,
    );
  }

  add(track) {
    const place = Number(this.after.value) + 1;
    this.model.add(track, place);
    this.after.value = String(place);
    this.live.textContent = this.data.words.added.replace('{title}', track.title).replace('{n}', place + 1);
  }

  /** List the tracks that mix well after the chosen one. */
  async findFitting() {
    const entry = this.model.entries[Number(this.after.value)];
    if (entry === undefined) return;
    await this.finder.load(`${trackPath(entry.id, 'compatible')}?limit=${N_FITTING + this.model.entries.length}`, ({ tracks }) =>
      tracks
        .filter(({ track }) => !this.model.has(track.id))
        .slice(0, N_FITTING)
        .map(({ track, transition }) => ({ track, extra: this.facts.score(transition.score) })),
    );
  }

  render() {
    const { model, data } = this;
    const { words } = data;
    this.undo.disabled = model.past.length === 0;
    this.order.render();
    this.showAfter();
    this.finder.render();
    if (!model.isRated) {
      this.root.classList.add('unrated');
      return;
    }
    this.root.classList.remove('unrated');
    const { view } = model;
    const n = model.entries.length;
    const parts = [
      (n === 1 ? words.oneTrack : words.nTracks).replace('{n}', n),
      view.duration_s === null ? null : clock(view.duration_s),
      view.score === null || n < 2 ? null : words.mixes.replace('{n}', percent(view.score)),
      view.curve_fit === null ? null : words.fit.replace('{n}', percent(view.curve_fit)),
    ];
    this.summary.textContent = parts.filter(Boolean).join(' · ');
    const gone = view.gone.length ? [(view.gone.length === 1 ? words.oneGone : words.nGone).replace('{n}', view.gone.length)] : [];
    this.relaxed.replaceChildren(...[...gone, ...view.relaxed.map((wish) => wish.words)].map((text) => h('li', {}, text)));
    this.draw();
  }

  showAfter() {
    const { model, data } = this;
    const before = this.after.value;
    const options = model.entries.map((entry, i) => h('option', { value: String(i) }, `${i + 1}. ${model.track(entry).title}`));
    this.after.replaceChildren(h('option', { value: '-1' }, data.words.atStart), ...options);
    const last = String(model.entries.length - 1);
    this.after.value = before !== '' && Number(before) < model.entries.length ? before : last;
  }

  draw() {
    const { model, data } = this;
    const { words } = data;
    const tracks = model.entries.map((entry) => model.track(entry));
    const { starts_s: starts, wanted_energy: wanted, duration_s: length } = model.view;
    const hasTimes = starts.length === tracks.length && length !== null;
    const stretch = (value) =>
      tracks.map((track, i) => ({ start: starts[i], end: starts[i + 1] ?? length, value: value(track), wanted: wanted[i] ?? null, title: track.title }));
    const figure = (title, drawing, note = null) => h('figure', {}, h('figcaption', {}, title), drawing, note && h('p', { class: 'note' }, note));
    const tempi = stretch((track) => track.tempo_bpm || null);
    const tempo = hasTimes ? drawTempo(tempi, words) : null;
    const isFolded = foldTempi(tempi).some((one) => one.drawn !== one.value);
    this.drawings.replaceChildren(
      figure(
        words.wheel,
        drawWheel({
          keys: data.keys,
          colours: data.colours,
          path: tracks.map((track) => track.camelot),
          scores: tracks.slice(1).map((_, i) => model.stepInto(i + 1)?.score ?? 0),
          good: data.good,
          words,
        }),
      ),
      ...(hasTimes ? [figure(words.energyCurve, drawEnergy(stretch((track) => track.energy), words), wanted.length ? words.wantedNote : null)] : []),
      ...(tempo ? [figure(words.tempoCurve, tempo, isFolded ? words.octaveNote : null)] : []),
    );
  }

  onConflict(takeTheirs, saveMine) {
    const { words } = this.data;
    this.messages.tell(words.conflict, { isTrouble: true, actions: [[words.showTheirs, takeTheirs], [words.keepMine, saveMine]] });
  }

  async look() {
    if (await this.model.look()) this.messages.tell(this.data.words.changedElsewhere);
  }

  async rename() {
    const { words } = this.data;
    const input = h('input', { required: true, maxlength: '500', value: this.model.view.name });
    const name = await ask(this.root, {
      title: words.rename,
      content: [h('label', { class: 'labelled' }, h('span', {}, words.nameLabel), input)],
      yes: words.save,
      no: words.cancel,
      answer: () => input.value,
    });
    // The page around shows the name: it reads the set again.
    if (name !== null && (await this.model.rename(name))) this.go({ set: this.model.view.id });
  }

  async delete() {
    const { words } = this.data;
    const isSure = await ask(this.root, {
      title: words.deleteSet.replace('{name}', this.model.view.name),
      content: [h('p', {}, words.deleteWhat)],
      yes: words.deleteYes,
      no: words.cancel,
      isDanger: true,
      answer: () => true,
    });
    if (!isSure) return;
    try {
      await this.api.ask('DELETE', this.model.path);
      this.go({});
    } catch (refusal) {
      this.messages.refuse(refusal);
    }
  }
}
