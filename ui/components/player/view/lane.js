/** One lane: its strip, and its waveform or spectrogram. */

import { fetchPatiently } from '../model/api.js';
import { fetchPeaks } from '../model/peaks.js';
import { h } from '../../elements.js';
import { t } from '../../language.js';
import { drawGrid } from './grid.js';
import { Strip } from './strip.js';
import { bandColours, drawSpectrogram, drawWave, prepare, shades, tintSpectrogram } from './wave.js';

export class LaneView {
  /** @param {() => void} onLoaded called when something new can be drawn */
  constructor(session, lane, colour, digit, onLoaded) {
    this.lane = lane;
    this.track = session.track;
    this.colour = colour;
    this.onLoaded = onLoaded;
    this.peaks = null;
    this.picture = null;
    this.abort = new AbortController();
    this.strip = new Strip(session, lane, colour, digit);
    this.canvas = h('canvas', { 'aria-hidden': 'true' });
    this.hint = h('span', { class: 'hint' });
    this.cell = h('div', { class: 'cell wave' }, this.canvas, this.hint);
    this.element = h('div', { class: 'lane', role: 'group', 'aria-label': lane.title }, this.strip.element, this.cell);
  }

  /** Fetch the waveform, once. */
  load() {
    this.loading ??= this.#fetch(async (signal) => {
      this.peaks = await fetchPeaks(this.lane, signal);
    }, t('No waveform'));
    return this.loading;
  }

  close() {
    this.abort.abort();
  }

  draw(viewport, theme, view, scale) {
    const area = prepare(this.canvas);
    if (area === null) return;
    drawGrid(area, this.track, viewport, theme);
    if (view === 'spectrum') this.#drawSpectrum(area, viewport);
    else if (this.peaks !== null) {
      const bands = view === 'bands' || this.lane.role === 'original' ? bandColours(theme) : shades(this.colour, theme);
      const colour = view === 'bands' || this.lane.role === 'original' ? bands[0] : this.colour;
      drawWave(area, this.peaks, viewport, { colour, bands, scale });
    }
  }

  #drawSpectrum(area, viewport) {
    if (this.picture !== null) drawSpectrogram(area, this.picture, viewport);
    else {
      this.picturing ??= this.#fetch(async (signal) => {
        this.hint.textContent = t('Making the spectrogram …');
        const answer = await fetchPatiently(this.lane.spectrogramUrl, { signal });
        this.picture = await tintSpectrogram(await answer.blob(), this.colour);
      }, t('No spectrogram'));
    }
  }

  async #fetch(load, failure) {
    try {
      await load(this.abort.signal);
      this.hint.textContent = '';
    } catch (error) {
      if (this.abort.signal.aborted) return;
      this.hint.textContent = failure;
      console.warn(error);
    }
    this.onLoaded();
  }
}
