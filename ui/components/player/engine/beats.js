/** Where clicks fall: on the beats of a piece, and before its start for a count-in. */

import { lastBefore } from '../model/track.js';

const SAME_S = 0.02;

/** The beats in a piece: times in frames of the audio clock. */
export function clicksOf(track, piece) {
  const { sampleRate, beats } = track;
  const found = [];
  let i = lastBefore(beats, (piece.frame - 1) / sampleRate) + 1;
  for (; i < beats.length; i++) {
    const frame = Math.round(beats[i] * sampleRate);
    if (frame >= piece.endFrame) break;
    if (frame < piece.frame) continue;
    found.push({ at: piece.at + (frame - piece.frame) / piece.rate, isBar: beginsBar(track, i) });
  }
  return found;
}

/**
 * A bar of clicks that leads into `frame`, in time with the beats that follow.
 *
 * @returns {{frames: number, clicks: {before: number, isBar: boolean}[]}} the length of the count-in
 *   and each click's distance to its end, in frames of the audio clock; empty without a grid
 */
export function countIn(track, frame, rate) {
  const { beats, beatsPerBar, sampleRate } = track;
  const start = frame / sampleRate;
  const next = lastBefore(beats, start - SAME_S) + 1;
  if (beats.length < 2 || next >= beats.length) return { frames: 0, clicks: [] };
  const beside = next + 1 < beats.length ? next + 1 : next - 1;
  const period = Math.abs(beats[beside] - beats[next]);
  const lead = Math.min(Math.max(beats[next] - start, 0), period);
  const clicks = [];
  for (let k = beatsPerBar; k >= 1; k--) {
    const before = ((k * period - lead) * sampleRate) / rate;
    if (before > 0) clicks.push({ before, isBar: isBarAgo(track, next, k) });
  }
  return { frames: clicks[0]?.before ?? 0, clicks };
}

function beginsBar(track, beat) {
  const bar = lastBefore(track.bars, track.beats[beat] + SAME_S);
  return bar >= 0 && track.beats[beat] - track.bars[bar] < SAME_S;
}

/** Whether the k-th beat before `beat` would begin a bar, counted in whole bars. */
function isBarAgo(track, beat, k) {
  let place = 0;
  while (place < track.beatsPerBar - 1 && beat - place > 0 && !beginsBar(track, beat - place)) place++;
  return (place - k) % track.beatsPerBar === 0;
}
