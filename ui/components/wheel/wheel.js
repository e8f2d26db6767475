/**
 * The Camelot wheel with the path of a set. Codes 1 to 12 go round like a clock's hours; A (minor)
 * is the inner ring, B (major) the outer.
 */

import { s } from '../svg.js';

const RINGS = { A: [74, 116], B: [118, 164] };
const HALF_SECTOR = 14.6;
const NEAR_PX = 8;

/** A wheel by itself. Data: the parts of `drawWheel`. */
export default function mount({ data, parentElement }) {
  const wheel = drawWheel(data);
  for (const old of parentElement.querySelectorAll('.wheel')) old.remove();
  parentElement.append(wheel);
  return () => wheel.remove();
}

/**
 * Draw the wheel with tracks numbered in their order; unknown keys are left out.
 * @param {Object} parts
 * @param {Object<string, string>} parts.keys names of keys by Camelot code
 * @param {Object<string, string>} parts.colours by Camelot code
 * @param {Array<?string>} parts.path Camelot codes in playing order
 * @param {number[]} parts.scores of the transitions, 0 to 1
 * @param {number} parts.good score from which a transition is drawn as a smooth one
 * @param {Object} parts.words
 */
export function drawWheel({ keys, colours, path, scores, good, words }) {
  const used = new Set(path);
  const spots = placeAll(path, keys);
  const label = words.wheelLabel.replace('{order}', path.map((code) => code ?? words.unknown).join(', '));
  const nGood = scores.filter((score) => score >= good).length;
  return s(
    'svg',
    { class: 'wheel', viewBox: '-178 -178 356 356', role: 'img', 'aria-label': label },
    ...Object.keys(keys).map((code) => sector(code, keys[code], colours[code], used.has(code))),
    ...scores.map((score, i) => step(spots[i], spots[i + 1], score >= good)),
    ...spots.map((spot, i) => mark(i + 1, spot)),
    scores.length > 0 && s('text', { y: -2, class: 'big' }, `${nGood}/${scores.length}`),
    scores.length > 0 && s('text', { y: 18, class: 'small' }, words.smooth),
  );
}

function sector(code, name, colour, isUsed) {
  const hour = Number.parseInt(code, 10);
  const [inner, outer] = RINGS[code.at(-1)];
  const [start, end] = [hour * 30 - HALF_SECTOR, hour * 30 + HALF_SECTOR];
  const corners = [at(start, outer), at(end, outer), at(end, inner), at(start, inner)].map((p) => p.map((v) => v.toFixed(1)).join(' '));
  const [x, y] = at(hour * 30, (inner + outer) / 2);
  const outline = `M${corners[0]}A${outer} ${outer} 0 0 1 ${corners[1]}L${corners[2]}A${inner} ${inner} 0 0 0 ${corners[3]}Z`;
  return s(
    'g',
    { class: isUsed ? 'used' : null },
    s('path', { d: outline, fill: colour, 'fill-opacity': isUsed ? 1 : 0.22 }),
    s('text', { x, y: y - 1, class: 'code' }, code, s('tspan', { x, dy: 11, class: 'key-name' }, name)),
  );
}

/** Place each track on the edge of its sector; tracks of one key are side by side. */
function placeAll(path, keys) {
  const seen = new Map();
  return path.map((code) => {
    if (!(code in keys)) return null;
    const nBefore = seen.get(code) ?? 0;
    seen.set(code, nBefore + 1);
    const [inner, outer] = RINGS[code.at(-1)];
    const radius = code.endsWith('A') ? inner - 7 : outer + 4;
    const offset = Math.ceil(nBefore / 2) * (nBefore % 2 ? NEAR_PX : -NEAR_PX);
    return at(Number.parseInt(code, 10) * 30 + offset, radius);
  });
}

function step(start, end, isGood) {
  if (!start || !end) return null;
  return s('path', { d: `M${start.join(' ')}L${end.join(' ')}`, class: isGood ? 'good' : 'rough' });
}

function mark(place, spot) {
  if (spot === null) return null;
  const [x, y] = spot;
  return s('g', {}, s('circle', { cx: x, cy: y, r: 8, class: 'dot' }), s('text', { x, y: y + 3, class: 'place' }, String(place)));
}

/** A point on a circle; 0° is up, clockwise. */
function at(degrees, radius) {
  const angle = (degrees * Math.PI) / 180;
  return [radius * Math.sin(angle), -radius * Math.cos(angle)];
}
