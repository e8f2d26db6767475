/**
 * What is heard now, moving: the spectrum of each lane from the audio graph, where the track is in
 * its sections and bars, and what comes next.
 *
 * It is drawn once a frame of the screen, while it is shown and something plays. Whoever asked for
 * reduced motion is not offered it.
 */

import { engine } from '../engine/engine.js';
import { lastBefore, titleOf } from '../model/track.js';
import { h } from '../../elements.js';
import { t } from '../../language.js';
import { setText } from './dom.js';
import { clock } from './format.js';
import { withAlpha } from './theme.js';
import { prepare } from './wave.js';

const LOWEST_HZ = 40;
const HIGHEST_HZ = 16000;
const N_BANDS = 60;
const TOP_DB = -20;
const BOTTOM_DB = -95;
const LEVEL_PX = 64;

export const wantsLessMotion = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

export class Visualiser {
  /** @param {(label: string) => string} colourOf the colour of a lane, `#rrggbb` */
  constructor(track, colourOf) {
    this.track = track;
    this.colourOf = colourOf;
    this.canvas = h('canvas', { 'aria-hidden': 'true' });
    this.beats = h('span', { class: 'beats', 'aria-hidden': 'true' });
    this.now = h('b', {});
    this.next = h('span', {});
    this.cue = h('span', {});
    this.element = h('section', { class: 'visualiser', 'aria-label': t('Visualiser') },
      this.canvas,
      h('p', { class: 'row' }, this.beats, this.now, this.next, h('span', { class: 'space' }), this.cue),
    );
    this.spectrum = null;
    this.drawn = 0;
  }

  get isShown() {
    return !this.element.hidden;
  }

  show(isShown) {
    this.element.hidden = !isShown;
  }

  /** Draw a moment: `lanes` are those that are heard. */
  tick(seconds, lanes, theme) {
    if (!this.isShown) return;
    this.#tell(seconds);
    const area = prepare(this.canvas);
    if (area === null) return;
    this.drawn += 1;
    const width = area.width - LEVEL_PX;
    lanes.forEach((lane, i) => {
      const { meter } = engine.graph.lanes.get(lane.label);
      const colour = this.colourOf(lane.label);
      this.#drawSpectrum(area, width, this.#bands(meter), colour);
      drawLevel(area, width + 8, i, lanes.length, meter, colour, theme);
    });
  }

  /** Leave nothing of a sound that has ended. */
  clear(seconds) {
    if (!this.isShown) return;
    this.#tell(seconds);
    prepare(this.canvas);
  }

  /** Say where the track is, and what comes next. */
  #tell(seconds) {
    const { sections, cues } = this.track.facts;
    const at = sections.findLastIndex((section) => section.start_s <= seconds + 1e-6);
    const following = sections[at + 1];
    setText(this.now, at < 0 ? '' : titleOf(sections[at].label));
    setText(this.next, following === undefined ? '' : t('{name} in {time}', {
      name: titleOf(following.label),
      time: clock(following.start_s - seconds),
    }));
    const cue = cues.find((one) => one.time_s > seconds);
    setText(this.cue, cue === undefined ? '' : t('{name} in {time}', {
      name: `Cue: ${cue.name}`,
      time: clock(cue.time_s - seconds),
    }));
    this.#showBeat(seconds);
  }

  #showBeat(seconds) {
    const { bars, beats, beatsPerBar } = this.track;
    const bar = lastBefore(bars, seconds + 1e-6);
    const inBar = bar < 0 ? -1 : lastBefore(beats, seconds + 1e-6) - lastBefore(beats, bars[bar] + 1e-3);
    const dots = bar < 0 ? '' : Array.from({ length: beatsPerBar }, (_, i) => (i === inBar ? '●' : '○')).join(' ');
    setText(this.beats, dots);
  }

  /** The level of each band, 0 to 1, of the louder channel. */
  #bands({ analysers }) {
    const [{ context, frequencyBinCount }] = analysers;
    if (this.spectrum?.length !== frequencyBinCount) this.spectrum = new Float32Array(frequencyBinCount);
    const perBin = context.sampleRate / 2 / frequencyBinCount;
    const levels = new Float32Array(N_BANDS);
    for (const analyser of analysers) {
      analyser.getFloatFrequencyData(this.spectrum);
      for (let band = 0; band < N_BANDS; band++) {
        const first = Math.round(borderHz(band) / perBin);
        const last = Math.max(first, Math.round(borderHz(band + 1) / perBin) - 1);
        for (let bin = first; bin <= Math.min(last, frequencyBinCount - 1); bin++) {
          const level = (this.spectrum[bin] - BOTTOM_DB) / (TOP_DB - BOTTOM_DB);
          if (level > levels[band]) levels[band] = Math.min(level, 1);
        }
      }
    }
    return levels;
  }

  #drawSpectrum({ context, height }, width, levels, colour) {
    context.beginPath();
    context.moveTo(0, height);
    levels.forEach((level, i) => context.lineTo((width * (i + 0.5)) / N_BANDS, height * (1 - level)));
    context.lineTo(width, height);
    context.closePath();
    context.fillStyle = withAlpha(colour, 0.28);
    context.fill();
    context.strokeStyle = colour;
    context.lineWidth = 1.5;
    context.stroke();
  }
}

function borderHz(band) {
  return LOWEST_HZ * (HIGHEST_HZ / LOWEST_HZ) ** (band / N_BANDS);
}

function drawLevel({ context, height }, left, index, count, meter, colour, theme) {
  const width = (LEVEL_PX - 8) / count;
  const level = Math.max(0, 1 + meter.shown / 60);
  context.fillStyle = withAlpha(theme.text, 0.1);
  context.fillRect(left + index * width, 0, width - 2, height);
  context.fillStyle = colour;
  context.fillRect(left + index * width, height * (1 - level), width - 2, height * level);
}
