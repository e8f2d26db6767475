/**
 * The mix of one track: plain data, as it is stored in the browser and reported to the server.
 *
 *     { lanes: { vocals: { gain_db, pan, mute, solo }, … },
 *       loop: { start_s, end_s, is_on } | null,
 *       tempo, pitch_semitones, hears_original }
 *
 * `gain_db` is null for −∞, `pan` −1 (left) to 1 (right), `tempo` a factor, 1 the original.
 */

export const TEMPO = { least: 0.5, most: 1.5 };
export const PITCH = { least: -12, most: 12 };
export const MOST_DB = 20 * Math.log10(2);
const LEAST_DB = -60;
const KEPT = 200;
const PREFIX = 'stemcrate.mix.';

/** Fader positions run from 0 to 1; the gain is 2 · position², so 0 dB lies at 71 %. */
export function positionToDb(position) {
  const db = 20 * Math.log10(2 * position * position);
  return db < LEAST_DB ? null : db;
}

export function dbToPosition(db) {
  return db === null ? 0 : Math.sqrt(10 ** (db / 20) / 2);
}

export function dbToGain(db) {
  return db === null ? 0 : 10 ** (db / 20);
}

/** What a track sounds like untouched: its stems, else its first lane; all others wait, muted. */
export function defaultMix(lanes) {
  const hasStems = lanes.some((lane) => lane.role === 'stem');
  const isHeard = (lane) => (hasStems ? lane.role === 'stem' : lane === lanes[0]);
  return {
    lanes: Object.fromEntries(
      lanes.map((lane) => [lane.label, { gain_db: 0, pan: 0, mute: !isHeard(lane), solo: false }]),
    ),
    loop: null,
    tempo: 1,
    pitch_semitones: 0,
    hears_original: false,
  };
}

/** The stored mix of a track, as far as it still fits. */
export function readMix(key, track) {
  const mix = defaultMix(track.lanes);
  const stored = parse(localStorage.getItem(PREFIX + key));
  if (stored === null) return mix;
  for (const [label, lane] of Object.entries(mix.lanes)) {
    const old = stored.lanes?.[label] ?? {};
    if (old.gain_db === null || isWithin(old.gain_db, LEAST_DB, MOST_DB)) lane.gain_db = old.gain_db;
    if (isWithin(old.pan, -1, 1)) lane.pan = old.pan;
    if (typeof old.mute === 'boolean') lane.mute = old.mute;
    if (typeof old.solo === 'boolean') lane.solo = old.solo;
  }
  const { loop } = stored;
  if (loop && isWithin(loop.start_s, 0, loop.end_s) && isWithin(loop.end_s, 0, track.durationS)) {
    mix.loop = { start_s: loop.start_s, end_s: loop.end_s, is_on: loop.is_on === true };
  }
  if (isWithin(stored.tempo, TEMPO.least, TEMPO.most)) mix.tempo = stored.tempo;
  if (isWithin(stored.pitch_semitones, PITCH.least, PITCH.most)) {
    mix.pitch_semitones = stored.pitch_semitones;
  }
  return mix;
}

/** Store a track's mix; those of the tracks changed longest ago make room. */
export function storeMix(key, mix) {
  try {
    const place = PREFIX + key;
    const keys = Object.keys(localStorage).filter((name) => name.startsWith(PREFIX) && name !== place);
    const age = (name) => parse(localStorage.getItem(name))?.stored_at ?? 0;
    if (keys.length >= KEPT) {
      keys.sort((a, b) => age(a) - age(b));
      for (const name of keys.slice(0, keys.length - KEPT + 1)) localStorage.removeItem(name);
    }
    localStorage.setItem(place, JSON.stringify({ ...mix, stored_at: Date.now() }));
  } catch {
    // Without storage (private window, full disk), the mix lives as long as the page.
  }
}

/** The label of each lane with the linear gain at which it is heard. */
export function heardGains(mix) {
  const lanes = Object.entries(mix.lanes);
  const hasSolo = lanes.some(([, lane]) => lane.solo);
  return Object.fromEntries(
    lanes.map(([label, lane]) => [
      label,
      lane.mute || (hasSolo && !lane.solo) ? 0 : dbToGain(lane.gain_db),
    ]),
  );
}

function parse(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function isWithin(value, least, most) {
  return typeof value === 'number' && value >= least && value <= most;
}
