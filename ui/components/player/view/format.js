/** Times, levels and keys as people read them. */

import { t } from '../../language.js';

const MINUS = '\u2212';

/** `1:25.3`; without decimals `1:25`. */
export function clock(seconds, decimals = 0) {
  const factor = 10 ** decimals;
  const ticks = Math.floor(Math.max(seconds, 0) * factor + 1e-6);
  const minutes = Math.floor(ticks / factor / 60);
  const rest = ((ticks - minutes * 60 * factor) / factor).toFixed(decimals);
  const padded = rest.padStart(decimals ? 3 + decimals : 2, '0');
  if (minutes < 60) return `${minutes}:${padded}`;
  return `${Math.floor(minutes / 60)}:${String(minutes % 60).padStart(2, '0')}:${padded}`;
}

export function signed(value, decimals = 0) {
  const text = Math.abs(value).toFixed(decimals);
  if (Number(text) === 0) return text;
  return (value > 0 ? '+' : MINUS) + text;
}

export function decibels(db) {
  return db === null ? `${MINUS}∞ dB` : `${signed(db, 1)} dB`;
}

export function panText(place) {
  const percent = Math.round(Math.abs(place) * 100);
  if (percent === 0) return t('centre');
  return `${percent} % ${place < 0 ? t('left') : t('right')}`;
}

/** A Camelot code moved by whole semitones: a semitone up is seven hours on. */
export function shiftCamelot(code, semitones) {
  const hour = Number.parseInt(code, 10);
  if (Number.isNaN(hour)) return code;
  const moved = (((hour - 1 + 7 * semitones) % 12) + 12) % 12;
  return `${moved + 1}${code.at(-1)}`;
}
