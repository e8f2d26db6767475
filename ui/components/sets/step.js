/** What a DJ does in a transition, in words. */

import { signed } from '../player/view/format.js';

const NO_CHANGE_PERCENT = 0.05;

/** What to do with the pitch fader of the incoming deck. */
export function tellPitch(step, words) {
  const change = step.pitch_change_percent;
  if (change === null) return words.pitchUnknown;
  if (Math.abs(change) < NO_CHANGE_PERCENT) return words.pitchSame;
  return words.pitch.replace('{n}', signed(change, 1));
}

/** Over how many bars both tracks play; null if that is unknown. */
export function tellBars(step, words) {
  const n = step.overlap_bars;
  return n === null ? null : (n === 1 ? words.oneBar : words.nBars).replace('{n}', n);
}

/** How long vocals clash, and what to mute; null if they do not. */
export function tellClash(step, words) {
  if (!step.vocal_clash_s) return null;
  const advice = step.drops.map((drop) => (drop.track_id === step.from ? words.dropOut : words.dropIn).replace('{stem}', drop.stem));
  return [words.clash.replace('{n}', step.vocal_clash_s.toFixed(1)), ...advice].join(' · ');
}
