/** The whole track in one row: where the screen is, to seek and to move it. */

import { Viewport } from './viewport.js';
import { h } from '../../elements.js';
import { bandColours, drawWave, prepare } from './wave.js';

export class Overview {
  /** @param {(frame: number) => void} seek @param {Viewport | null} viewport the part on screen */
  constructor(track, seek, viewport = null) {
    this.track = track;
    this.viewport = viewport;
    this.whole = new Viewport(track.frames);
    this.peaks = null;
    this.width = 0;
    this.canvas = h('canvas', { 'aria-hidden': 'true' });
    this.window = h('span', { class: 'window' });
    this.loop = h('span', { class: 'loop' });
    this.playhead = h('span', { class: 'playhead' });
    this.element = h('div', { class: 'overview' }, this.canvas, this.window, this.loop, this.playhead);
    let isDown = false;
    const go = (event) => {
      const { left, width } = this.element.getBoundingClientRect();
      const frame = ((event.clientX - left) / width) * track.frames;
      seek(frame);
      if (viewport !== null && !viewport.isFitted) viewport.show(frame, 0.5);
    };
    this.element.addEventListener('pointerdown', (event) => {
      if (event.button !== 0) return;
      this.element.setPointerCapture(event.pointerId);
      isDown = true;
      go(event);
    });
    this.element.addEventListener('pointermove', (event) => isDown && go(event));
    for (const name of ['pointerup', 'pointercancel']) {
      this.element.addEventListener(name, () => (isDown = false));
    }
  }

  draw(theme) {
    const area = prepare(this.canvas);
    if (area === null) return;
    this.whole.setWidth(area.width);
    this.width = area.width;
    if (this.peaks !== null) {
      const bands = bandColours(theme);
      drawWave(area, this.peaks, this.whole, { colour: bands[0], bands, scale: this.peaks.peak });
    }
    const shown = this.viewport !== null && !this.viewport.isFitted;
    this.window.hidden = !shown;
    if (!shown) return;
    const { start, end } = this.viewport;
    this.window.style.left = `${(100 * start) / this.track.frames}%`;
    this.window.style.width = `${(100 * (end - start)) / this.track.frames}%`;
  }

  /** Move the playhead. */
  tick(frame) {
    this.playhead.style.transform = `translateX(${((frame / this.track.frames) * this.width).toFixed(1)}px)`;
  }

  showLoop(loop) {
    this.loop.hidden = loop === null || !loop.is_on;
    if (loop === null) return;
    const percent = (seconds) => `${(100 * seconds) / this.track.durationS}%`;
    Object.assign(this.loop.style, { left: percent(loop.start_s), width: percent(loop.end_s - loop.start_s) });
  }
}
