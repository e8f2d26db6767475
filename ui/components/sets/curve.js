/** The wanted energy over a set, drawn by handles: by pointer and by keyboard. */

import { h } from '../elements.js';
import { pathOf, s } from '../svg.js';

const WIDTH = 560;
const HEIGHT = 210;
const LEFT = 34;
const RIGHT = 548;
const TOP = 12;
const BOTTOM = 182;
const [LOW, HIGH] = [1, 10];
const ENERGY_STEP = 0.5;
const PLACE_STEP = 0.05;
const NEAREST = 0.02;
const MAX_HANDLES = 12;

export class CurveEditor {
  /**
   * @param {Object} parts
   * @param {Object} parts.words
   * @param {function()} parts.changed
   */
  constructor({ words, changed }) {
    this.words = words;
    this.changed = changed;
    this.points = [];
    this.svg = s('svg', { class: 'curve', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'group', 'aria-label': words.curveLabel });
    this.svg.addEventListener('pointerdown', (event) => this.onDown(event));
    this.svg.addEventListener('pointermove', (event) => this.onMove(event));
    this.svg.addEventListener('pointerup', () => { this.dragged = null; });
    this.svg.addEventListener('pointercancel', () => { this.dragged = null; });
    this.svg.addEventListener('dblclick', (event) => this.removeAt(event));
    this.svg.addEventListener('keydown', (event) => this.onKey(event));
    this.root = h('div', { class: 'curve-editor' }, this.svg, h('p', { class: 'note' }, words.curveHelp));
    this.render();
  }

  /** Show other points: pairs of progress (0 to 1) and energy (1 to 10). */
  set(points) {
    this.points = points.map((point) => [...point]);
    this.render();
  }

  render(focused = null) {
    const handles = this.points.map((point, i) => this.handle(point, i));
    this.svg.replaceChildren(
      ...[1, 4, 7, 10].flatMap((energy) => [
        s('line', { x1: LEFT, x2: RIGHT, y1: yOf(energy), y2: yOf(energy), class: 'rule' }),
        s('text', { x: LEFT - 8, y: yOf(energy) + 4, class: 'tick end' }, String(energy)),
      ]),
      s('text', { x: LEFT, y: HEIGHT - 8, class: 'tick' }, this.words.start),
      s('text', { x: RIGHT, y: HEIGHT - 8, class: 'tick end' }, this.words.end),
      this.points.length > 0 && s('path', { d: pathOf(this.line()), class: 'wanted' }),
      ...handles,
    );
    if (focused !== null) handles[focused]?.focus();
  }

  /** The curve is level before its first point and after its last. */
  line() {
    const [first, last] = [this.points[0], this.points.at(-1)];
    return [[0, first[1]], ...this.points, [1, last[1]]].map(([place, energy]) => [xOf(place), yOf(energy)]);
  }

  handle([place, energy], i) {
    const text = this.words.handle.replace('{n}', Math.round(100 * place)).replace('{energy}', energy.toFixed(1));
    return s(
      'g',
      { class: 'handle', tabindex: 0, role: 'slider', 'data-i': i, 'aria-label': this.words.handleLabel.replace('{n}', i + 1), 'aria-valuemin': LOW, 'aria-valuemax': HIGH, 'aria-valuenow': energy.toFixed(1), 'aria-valuetext': text },
      s('circle', { cx: xOf(place), cy: yOf(energy), r: 16, class: 'reach' }),
      s('circle', { cx: xOf(place), cy: yOf(energy), r: 7, class: 'knob' }),
      s('title', {}, text),
    );
  }

  pointAt(event) {
    const box = this.svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * WIDTH;
    const y = ((event.clientY - box.top) / box.height) * HEIGHT;
    return [clamp((x - LEFT) / (RIGHT - LEFT), 0, 1), clamp(HIGH - ((y - TOP) / (BOTTOM - TOP)) * (HIGH - LOW), LOW, HIGH)];
  }

  onDown(event) {
    if (event.button !== 0) return;
    event.preventDefault();
    const handle = event.target.closest('.handle');
    this.svg.setPointerCapture(event.pointerId); // handles are drawn anew while one is dragged
    if (handle !== null) {
      this.dragged = Number(handle.dataset.i);
      handle.focus();
    } else {
      this.dragged = this.insert(this.pointAt(event));
    }
  }

  insert([place, energy]) {
    if (this.points.length >= MAX_HANDLES) return null;
    const i = this.points.filter(([other]) => other < place).length;
    const isTooNear = [this.points[i - 1], this.points[i]].some((near) => near && Math.abs(near[0] - place) < NEAREST);
    if (isTooNear) return null;
    this.points.splice(i, 0, [place, energy]);
    this.tell(i);
    return i;
  }

  onMove(event) {
    if (this.dragged === null || this.dragged === undefined) return;
    const [place, energy] = this.pointAt(event);
    this.put(this.dragged, place, Math.round(energy / ENERGY_STEP) * ENERGY_STEP);
  }

  /** Put a handle somewhere, between its neighbours. */
  put(i, place, energy) {
    const low = i > 0 ? this.points[i - 1][0] + NEAREST : 0;
    const high = i < this.points.length - 1 ? this.points[i + 1][0] - NEAREST : 1;
    this.points[i] = [Number(clamp(place, low, high).toFixed(3)), clamp(energy, LOW, HIGH)];
    this.tell(i);
  }

  removeAt(event) {
    const handle = event.target.closest('.handle');
    if (handle !== null) this.remove(Number(handle.dataset.i));
  }

  remove(i) {
    if (this.points.length < 2) return;
    this.points.splice(i, 1);
    this.tell(Math.min(i, this.points.length - 1));
  }

  onKey(event) {
    const handle = event.target.closest('.handle');
    if (handle === null) return;
    const i = Number(handle.dataset.i);
    const [place, energy] = this.points[i];
    const target = {
      ArrowUp: () => this.put(i, place, energy + ENERGY_STEP),
      ArrowDown: () => this.put(i, place, energy - ENERGY_STEP),
      ArrowLeft: () => this.put(i, place - PLACE_STEP, energy),
      ArrowRight: () => this.put(i, place + PLACE_STEP, energy),
      Delete: () => this.remove(i),
      Insert: () => this.insert([clamp(place + 2 * PLACE_STEP, 0, 1), energy]),
    }[event.key];
    if (target === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    target();
  }

  tell(focused) {
    this.render(focused);
    this.changed();
  }
}

function xOf(place) {
  return LEFT + place * (RIGHT - LEFT);
}

function yOf(energy) {
  return BOTTOM - ((energy - LOW) / (HIGH - LOW)) * (BOTTOM - TOP);
}

function clamp(value, low, high) {
  return Math.max(low, Math.min(high, value));
}
