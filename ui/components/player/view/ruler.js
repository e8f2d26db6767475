/** The rows above the lanes: sections, bars with numbers, chords, sung passages, cues and loops. */

import { titleOf } from '../model/track.js';
import { barStep } from './grid.js';
import { clock } from './format.js';
import { blend, withAlpha } from './theme.js';
import { prepare } from './wave.js';

const LEAST_LABEL_PX = 46;
const PADDING_PX = 5;
const LEAST_BLOCK_PX = 2;
const LEAST_CHORD_PX = 16;
/** A hue for each kind of section; its name is always written on it too. */
const SECTION_HUES = {
  intro: '#64748b',
  body: '#3b82f6',
  verse: '#3b82f6',
  build: '#eab308',
  drop: '#db2777',
  chorus: '#db2777',
  break: '#10b981',
  bridge: '#8b5cf6',
  outro: '#64748b',
};

/** Draw the sections as labelled blocks. */
export function drawSections(canvas, track, viewport, theme) {
  const area = prepare(canvas);
  if (area === null) return;
  for (const section of track.facts.sections) {
    const hue = SECTION_HUES[section.label] ?? SECTION_HUES.intro;
    const fill = blend(theme.background, hue, theme.isDark ? 0.42 : 0.26);
    block(area, track, viewport, section, { fill, text: theme.text, font: theme.font, label: titleOf(section.label) });
  }
}

/** Draw chords as far as their names fit; silent stretches are left free. */
export function drawChords(canvas, track, viewport, theme) {
  const area = prepare(canvas);
  if (area === null) return;
  const look = { fill: withAlpha(theme.text, 0.07), text: theme.text, font: theme.font };
  const leastS = (LEAST_CHORD_PX * viewport.framesPerPx) / track.sampleRate;
  for (const chord of track.facts.chords) {
    if (chord.chord !== 'N' && chord.end_s - chord.start_s >= leastS) block(area, track, viewport, chord, { ...look, label: chord.chord });
  }
}

/** Draw bar numbers (times without a grid), cues, sung passages and stored loops. */
export function drawScale(canvas, track, viewport, theme, vocalColour) {
  const area = prepare(canvas);
  if (area === null) return;
  const { context, height } = area;
  context.font = `11px ${theme.font}`;
  context.textBaseline = 'middle';
  if (track.bars.length > 1) drawBars(area, track, viewport, theme);
  else drawTimes(area, track, viewport, theme);
  for (const [start, end] of track.facts.vocals_s ?? []) {
    span(area, track, viewport, start, end, height - 4, 4, vocalColour);
  }
  for (const loop of track.facts.loops) {
    span(area, track, viewport, loop.start_s, loop.end_s, 0, 3, loop.colour ?? theme.primary);
  }
  for (const cue of track.facts.cues) drawCue(area, track, viewport, theme, cue);
}

function drawBars({ context, width, height }, track, viewport, theme) {
  const lines = barStep(track, viewport);
  const numbers = barStep(track, viewport, LEAST_LABEL_PX);
  for (let i = 0; i < track.bars.length; i += lines) {
    const x = Math.round(viewport.xOf(track.bars[i] * track.sampleRate));
    if (x < -LEAST_LABEL_PX || x > width) continue;
    const isNumbered = i % numbers === 0;
    context.fillStyle = withAlpha(theme.text, isNumbered ? 0.55 : 0.22);
    context.fillRect(x, isNumbered ? 0 : height * 0.6, 1, height);
    context.fillStyle = withAlpha(theme.text, 0.85);
    if (isNumbered) context.fillText(String(i + 1), x + 4, height / 2 - 1);
  }
}

function drawTimes({ context, width, height }, track, viewport, theme) {
  const steps = [0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600];
  const perPx = viewport.framesPerPx / track.sampleRate;
  const step = steps.find((seconds) => seconds / perPx >= LEAST_LABEL_PX * 1.3) ?? 1800;
  const first = Math.floor(viewport.start / track.sampleRate / step);
  for (let i = first; ; i++) {
    const x = Math.round(viewport.xOf(i * step * track.sampleRate));
    if (x > width || i * step > track.durationS) return;
    context.fillStyle = withAlpha(theme.text, 0.45);
    context.fillRect(x, 0, 1, height);
    context.fillStyle = withAlpha(theme.text, 0.85);
    context.fillText(clock(i * step, step < 1 ? 1 : 0), x + 4, height / 2 - 1);
  }
}

function drawCue({ context, width, height }, track, viewport, theme, cue) {
  const x = viewport.xOf(cue.time_s * track.sampleRate);
  if (x < -10 || x > width + 10) return;
  context.fillStyle = cue.colour ?? theme.primary;
  context.beginPath();
  context.moveTo(x - 5, 0);
  context.lineTo(x + 5, 0);
  context.lineTo(x, 8);
  context.fill();
  context.fillRect(x - 0.5, 0, 1, height);
}

function span({ context, width }, track, viewport, start, end, top, thickness, colour) {
  const from = Math.max(viewport.xOf(start * track.sampleRate), 0);
  const to = Math.min(viewport.xOf(end * track.sampleRate), width);
  if (to <= from) return;
  context.fillStyle = colour;
  context.fillRect(from, top, Math.max(to - from, 1), thickness);
}

function block({ context, width, height }, track, viewport, part, { fill, text, font, label }) {
  const from = viewport.xOf(part.start_s * track.sampleRate);
  const to = viewport.xOf(part.end_s * track.sampleRate);
  if (to < 0 || from > width || to - from < LEAST_BLOCK_PX) return;
  context.fillStyle = fill;
  context.fillRect(from, 0, to - from - 1, height);
  const left = Math.max(from, 0) + PADDING_PX;
  const room = Math.min(to, width) - left - PADDING_PX;
  context.font = `11px ${font}`;
  context.textBaseline = 'middle';
  const shown = fit(context, label, room);
  context.fillStyle = text;
  if (shown) context.fillText(shown, left, height / 2 + 0.5);
}

/** A label as far as it fits: whole, cut to its first letters, or nothing. */
function fit(context, label, room) {
  if (room < 8) return '';
  if (context.measureText(label).width <= room) return label;
  for (let length = label.length - 1; length >= 1; length--) {
    const cut = `${label.slice(0, length)}…`;
    if (context.measureText(cut).width <= room) return length >= 2 ? cut : '';
  }
  return '';
}
