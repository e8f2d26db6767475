/** Lines of bars and beats, as far apart as they can be told apart. */

import { lastBefore } from '../model/track.js';
import { withAlpha } from './theme.js';

const LEAST_BEAT_PX = 9;
const LEAST_BAR_PX = 10;

/** How many bars lie between two lines: 1, 2, 4, 8, … */
export function barStep(track, viewport, leastPx = LEAST_BAR_PX) {
  const { bars } = track;
  if (bars.length < 2) return 1;
  const perBar = ((bars.at(-1) - bars[0]) / (bars.length - 1)) * track.sampleRate;
  let step = 1;
  while ((step * perBar) / viewport.framesPerPx < leastPx) step *= 2;
  return step;
}

/** Draw bars, and beats between them where there is room. */
export function drawGrid({ context, width, height }, track, viewport, theme) {
  const step = barStep(track, viewport);
  if (step === 1) {
    const perBeat = ((track.beats.at(-1) - track.beats[0]) / (track.beats.length - 1)) * track.sampleRate;
    if (perBeat / viewport.framesPerPx >= LEAST_BEAT_PX) {
      context.fillStyle = withAlpha(theme.text, 0.1);
      for (const x of places(track.beats, track, viewport, width)) context.fillRect(x, 0, 1, height);
    }
  }
  context.fillStyle = withAlpha(theme.text, 0.22);
  const bars = track.bars.filter((_, i) => i % step === 0);
  for (const x of places(bars, track, viewport, width)) context.fillRect(x, 0, 1, height);
}

function* places(times, track, viewport, width) {
  const first = lastBefore(times, viewport.start / track.sampleRate);
  for (let i = Math.max(first, 0); i < times.length; i++) {
    const x = viewport.xOf(times[i] * track.sampleRate);
    if (x > width) return;
    if (x >= 0) yield Math.round(x);
  }
}
