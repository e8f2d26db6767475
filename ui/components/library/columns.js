/** The columns of the table: what they show, sort by and edit. */

const UNKNOWN = '–';

/**
 * @typedef {Object} Column
 * @property {string} name of the field of a track, and of its words
 * @property {string} width of its track in the grid
 * @property {?string} sort key to sort by
 * @property {?string} certainty field with the probability that the value is right
 * @property {?Edit} edit how it is edited
 * @property {function(Object): string} text what it shows
 *
 * @typedef {Object} Edit
 * @property {string} field of `PATCH /library/tracks/{id}`
 * @property {?string} mode of the keyboard on a phone
 * @property {function(string): *} read the field's value from a text: null brings back what was
 *   found, undefined is none
 */

const words = { read: (text) => text.trim() };
const orFound = (read) => (text) => (text.trim() === '' ? null : read(text.trim()));

/** @type {Column[]} */
export const COLUMNS = [
  { name: 'title', width: 'minmax(8rem, 3fr)', sort: 'title', edit: { field: 'title', read: orFound(String) } },
  { name: 'artist', width: 'minmax(6rem, 2fr)', sort: 'artist', edit: { field: 'artist', ...words } },
  {
    name: 'tempo_bpm',
    width: '4.8rem',
    sort: 'tempo',
    isNumber: true,
    certainty: 'tempo_confidence',
    edit: { field: 'tempo_bpm', read: orFound(number), mode: 'decimal' },
    text: (track) => fixed(track.tempo_bpm, 1),
  },
  { name: 'camelot', width: '4rem', sort: 'key', certainty: 'key_confidence', edit: { field: 'key', read: orFound(String) } },
  { name: 'energy', width: '4rem', sort: 'energy', isNumber: true, text: (track) => fixed(track.energy, 0) },
  { name: 'rating', width: '6.2rem', sort: 'rating' },
  { name: 'genre', width: 'minmax(5rem, 1.3fr)', sort: 'genre', edit: { field: 'genre', ...words } },
  { name: 'comment', width: 'minmax(5rem, 1.6fr)', sort: null, edit: { field: 'comment', ...words } },
  { name: 'integrated_loudness_lufs', width: '4.2rem', sort: 'loudness', isNumber: true, text: (track) => fixed(track.integrated_loudness_lufs, 1) },
  { name: 'duration_s', width: '4.2rem', sort: 'duration', isNumber: true, text: (track) => time(track.duration_s) },
  { name: 'added_at', width: '6rem', sort: 'added', isNumber: true, text: (track) => track.added_at.slice(0, 10) },
];

export function textOf(column, track) {
  return column.text ? column.text(track) : (track[column.name] ?? UNKNOWN) || UNKNOWN;
}

/** What the editor of a column starts with. */
export function draftOf(column, track) {
  const value = track[column.name];
  return value === null || value === undefined ? '' : String(value);
}

export function time(seconds) {
  if (seconds === null || seconds === undefined) return UNKNOWN;
  const whole = Math.round(seconds);
  const minutes = Math.floor(whole / 60);
  const rest = String(whole % 60).padStart(2, '0');
  return minutes < 60 ? `${minutes}:${rest}` : `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${rest}`;
}

function fixed(value, digits) {
  return value === null || value === undefined ? UNKNOWN : value.toFixed(digits);
}

function number(text) {
  const value = Number.parseFloat(text.replace(',', '.'));
  return Number.isFinite(value) ? value : undefined;
}
