/** Plans a new set: from which tracks, how long, with which energy, pins and limits. */

import { h } from '../elements.js';
import { Api } from '../api.js';
import { Messages } from '../messages.js';
import { CurveEditor } from './curve.js';
import { labelled } from './export.js';
import { Facts } from './facts.js';
import { Pins } from './pins.js';
import { number, Pool } from './pool.js';

const MINUTE_S = 60;
const UNITS = { minutes: { value: 60, max: 1440 }, tracks: { value: 15, max: 1000 }, all: { value: null, max: 0 } };
const FLAT = 'flat';
const NO_CURVE = '';
const OWN_CURVE = 'own';
const FIRST_OWN = [[0, 4], [0.35, 6], [0.7, 9], [1, 7]];
const mounted = new WeakMap();

/**
 * Data: `api`, `words`, `keys`, `colours`, `minConfidence`, `good`, `fair`, `curves` (each with `name`,
 * `label` and `points`), `tracks` (ids handed over, or null), `maxPitch` (default limit in percent),
 * `name` and `wishes` (as a set keeps them) of the set that is planned again, or null.
 * Trigger: `go` with the set that was made.
 */
export default function mount(component) {
  const { parentElement } = component;
  let shown = mounted.get(parentElement);
  if (shown === undefined) {
    shown = new Planner(component);
    mounted.set(parentElement, shown);
  }
  return shown.unmount;
}

class Planner {
  constructor({ parentElement, data, setTriggerValue }) {
    this.parent = parentElement;
    this.data = data;
    this.go = (where) => setTriggerValue('go', where);
    this.unmount = this.unmount.bind(this);
    this.api = new Api(data.api, data.words.away);
    this.messages = new Messages(data.words);
    this.pool = new Pool({ api: this.api, data });
    this.pins = new Pins({ api: this.api, facts: new Facts(data), words: data.words });
    this.build();
    if (data.wishes !== null) this.fill(data.name, data.wishes);
  }

  unmount() {
    mounted.delete(this.parent);
    this.pool.stop();
    this.pins.finder.stop();
    this.root.remove();
  }

  build() {
    const { words, maxPitch } = this.data;
    this.name = h('input', { required: true, maxlength: '500', value: words.newName });
    this.pitch = number(0.1, 99, { value: String(maxPitch), required: true });
    this.gap = number(0, 100, { value: '2', step: '1', required: true });
    this.start = h('button', { type: 'submit', class: 'action primary' }, words.plan);
    this.root = h(
      'form',
      { class: 'sets planner', 'aria-label': words.newSet },
      h('div', { class: 'bar' }, h('button', { type: 'button', class: 'action plain', onclick: () => this.go({}) }, words.allSets)),
      h(
        'div',
        { class: 'columns' },
        h('div', { class: 'main' }, labelled(words.name, this.name), this.pool.root, this.lengthFields(), this.pins.root),
        h(
          'div',
          { class: 'main' },
          this.energyFields(),
          h('fieldset', {}, h('legend', {}, words.limits), h('div', { class: 'fields' }, labelled(words.maxPitch, this.pitch), labelled(words.artistGap, this.gap))),
          this.messages.root,
          h('div', { class: 'actions' }, this.start),
        ),
      ),
    );
    this.root.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.plan();
    });
    this.parent.append(this.root);
  }

  lengthFields() {
    const { words } = this.data;
    this.unit = h('select', {}, ...Object.keys(UNITS).map((unit) => h('option', { value: unit }, words.units[unit])));
    this.amount = number(1, UNITS.minutes.max, { value: String(UNITS.minutes.value), required: true });
    this.unit.addEventListener('change', () => this.onUnit());
    return h('fieldset', {}, h('legend', {}, words.length), h('div', { class: 'fields' }, labelled(words.amount, this.amount), labelled(words.unit, this.unit)));
  }

  onUnit() {
    const { value, max } = UNITS[this.unit.value];
    this.amount.disabled = value === null;
    this.amount.value = value === null ? '' : String(value);
    this.amount.max = String(max);
    this.amount.step = this.unit.value === 'tracks' ? '1' : 'any';
  }

  energyFields() {
    const { words, curves } = this.data;
    this.curve = new CurveEditor({ words, changed: () => this.choose(OWN_CURVE) });
    const choices = [[NO_CURVE, words.noCurve], ...curves.map(({ name, label }) => [name, label]), [OWN_CURVE, words.ownCurve]];
    this.presets = new Map(
      choices.map(([name, text]) => [name, h('button', { type: 'button', class: 'action small', 'aria-pressed': 'false', onclick: () => this.preset(name) }, text)]),
    );
    const made = h('fieldset', { class: 'energy-fields' }, h('legend', {}, words.energyCurve), h('div', { class: 'choices' }, ...this.presets.values()), this.curve.root);
    this.preset(NO_CURVE);
    return made;
  }

  preset(name) {
    const known = this.data.curves.find((curve) => curve.name === name);
    if (name === OWN_CURVE && this.curve.points.length < 2) this.curve.set(FIRST_OWN);
    else if (name !== OWN_CURVE) this.curve.set(known?.points ?? []);
    this.choose(name);
  }

  choose(name) {
    this.chosen = name;
    this.curve.root.hidden = name === NO_CURVE || name === FLAT;
    for (const [other, button] of this.presets) button.setAttribute('aria-pressed', String(other === name));
  }

  /** Start from the wishes of another set. */
  fill(name, wishes) {
    this.name.value = name;
    this.pitch.value = String(wishes.max_pitch_percent);
    this.gap.value = String(wishes.artist_gap);
    const [unit, amount] = wishes.duration_s !== null ? ['minutes', wishes.duration_s / MINUTE_S] : wishes.n_tracks !== null ? ['tracks', wishes.n_tracks] : ['all', ''];
    this.unit.value = unit;
    this.onUnit();
    this.amount.value = String(amount);
    if (Array.isArray(wishes.curve)) {
      this.curve.set(wishes.curve);
      this.choose(OWN_CURVE);
    } else {
      this.preset(wishes.curve ?? NO_CURVE);
    }
    void this.pins.fill(wishes);
  }

  wishes() {
    const wishes = { name: this.name.value, max_pitch_percent: Number(this.pitch.value), artist_gap: Number(this.gap.value), ...this.pins.wishes() };
    if (this.unit.value === 'minutes') wishes.duration_s = Number(this.amount.value) * MINUTE_S;
    if (this.unit.value === 'tracks') wishes.n_tracks = Number(this.amount.value);
    if (this.chosen === OWN_CURVE) wishes.curve = this.curve.points;
    else if (this.chosen !== NO_CURVE) wishes.curve = this.chosen;
    return wishes;
  }

  async plan() {
    const { words } = this.data;
    this.start.disabled = true;
    this.messages.tell(words.planning, { isLasting: true });
    try {
      const among = await this.pool.among();
      const body = { ...this.wishes(), ...(among !== null && { among: withPinned(among, this.pins.wishes()) }) };
      const set = await this.api.ask('POST', '/playlists', { body });
      this.go({ set: set.id });
    } catch (refusal) {
      this.messages.refuse(refusal);
      this.start.disabled = false;
    }
  }
}

/** Pinned tracks are chosen from, whatever the filter finds. */
function withPinned(among, { start, end, must_play: must = [] }) {
  return [...new Set([...among, ...[start, end].filter(Boolean), ...must])];
}
