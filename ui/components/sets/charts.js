/** Energy and tempo of a set over its time, as drawings. */

import { clock } from '../player/view/format.js';
import { pathOf, s } from '../svg.js';

const WIDTH = 400;
const HEIGHT = 150;
const LEFT = 34;
const RIGHT = 380;
const TOP = 10;
const BOTTOM = 124;
const ENERGY = [1, 10];
const MIN_TEMPO_SPAN = 8;
const TICKS_S = [5, 10, 30, 60, 300, 600, 900, 1800, 3600, 7200, 14400];
const MAX_TICKS = 6;

/**
 * @typedef {Object} Stretch a track in the set
 * @property {number} start seconds of the set
 * @property {number} end
 * @property {?number} value
 * @property {?number} wanted
 * @property {string} title
 */

/** Draw the energy of each track, and what the curve wants there. */
export function drawEnergy(stretches, words) {
  const y = scale(ENERGY[0], ENERGY[1], BOTTOM, TOP);
  const x = timeScale(stretches);
  const wanted = stretches.filter((one) => one.wanted !== null).map((one) => [x((one.start + one.end) / 2), y(one.wanted)]);
  return chart(words.energyLabel, [
    ...rulesOf([1, 4, 7, 10], y, String),
    ...timesOf(stretches, x),
    ...stretches.map((one) => bar(one, x, y)),
    wanted.length > 0 && s('path', { d: pathOf(wanted), class: 'wanted' }),
    ...wanted.map(([cx, cy]) => s('circle', { cx, cy, r: 2.5, class: 'wanted-dot' })),
  ]);
}

/** Fold tempi by whole octaves to that of the track before; half and double time mix. */
export function foldTempi(stretches) {
  let last = null;
  return stretches.map((one) => {
    if (one.value === null) return { ...one, drawn: null };
    const octaves = last === null ? 0 : Math.round(Math.log2(last / one.value));
    last = one.value * 2 ** octaves;
    return { ...one, drawn: last };
  });
}

/** Draw the tempo of each track; unknown tempi are gaps. */
export function drawTempo(given, words) {
  const stretches = foldTempi(given);
  const known = stretches.filter((one) => one.drawn !== null).map((one) => one.drawn);
  if (known.length === 0) return null;
  const middle = (Math.min(...known) + Math.max(...known)) / 2;
  const half = Math.max(Math.max(...known) - Math.min(...known), MIN_TEMPO_SPAN) * 0.6;
  const y = scale(middle - half, middle + half, BOTTOM, TOP);
  const x = timeScale(stretches);
  const points = stretches.flatMap((one) => (one.drawn === null ? [null] : [[x(one.start), y(one.drawn)], [x(one.end), y(one.drawn)]]));
  return chart(words.tempoLabel, [
    ...rulesOf([middle - half, middle, middle + half], y, (value) => value.toFixed(0)),
    ...timesOf(stretches, x),
    s('path', { d: pathOf(points), class: 'tempo' }),
    ...stretches.filter((one) => one.value !== null).map((one) =>
      s('rect', { x: x(one.start), y: TOP, width: Math.max(x(one.end) - x(one.start), 1), height: BOTTOM - TOP, class: 'hit' }, s('title', {}, `${one.title}: ${one.value.toFixed(1)} BPM`)),
    ),
  ]);
}

function chart(label, children) {
  return s('svg', { class: 'chart', viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': label }, ...children);
}

function bar(one, x, y) {
  if (one.value === null) return null;
  const left = x(one.start);
  return s(
    'rect',
    { x: left + 0.5, y: y(one.value), width: Math.max(x(one.end) - left - 1, 1), height: BOTTOM - y(one.value), class: 'energy-bar' },
    s('title', {}, `${one.title}: ${one.value}`),
  );
}

function rulesOf(values, y, write) {
  return values.flatMap((value) => [
    s('line', { x1: LEFT, x2: RIGHT, y1: y(value), y2: y(value), class: 'rule' }),
    s('text', { x: LEFT - 6, y: y(value) + 4, class: 'tick end' }, write(value)),
  ]);
}

function timesOf(stretches, x) {
  const last = stretches.at(-1)?.end ?? 0;
  const every = TICKS_S.find((step) => last / step <= MAX_TICKS) ?? TICKS_S.at(-1);
  const ticks = [];
  for (let time = 0; time <= last; time += every) ticks.push(s('text', { x: x(time), y: HEIGHT - 8, class: 'tick' }, clock(time)));
  return ticks;
}

function timeScale(stretches) {
  return scale(0, stretches.at(-1)?.end || 1, LEFT, RIGHT);
}

function scale(low, high, from, to) {
  return (value) => from + ((value - low) / (high - low)) * (to - from);
}
