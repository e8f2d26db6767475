/** The tracks of the search by key and tempo; a click on a spot narrows the search to it. */

import { h } from '../elements.js';
import { readTheme } from '../player/view/theme.js';

const LEFT = 34;
const BOTTOM = 20;
const TOP = 8;
const STEP = 20;
const REACH = 14;
const THEME_CHECK_MS = 700;

export class TempoMap {
  /**
   * @param {Object} parts
   * @param {import('../api.js').Api} parts.api
   * @param {Object} parts.data words, colours
   * @param {function({camelot: string, tempo_bpm: number})} parts.choose
   */
  constructor({ api, data, choose }) {
    Object.assign(this, { api, data, choose });
    this.codes = Array.from({ length: 24 }, (_, i) => `${Math.floor(i / 2) + 1}${'AB'[i % 2]}`);
    this.cells = [];
    this.abort = new AbortController();
    this.canvas = h('canvas', { role: 'img' });
    this.root = h('div', { class: 'map', hidden: true }, this.canvas);
    this.canvas.addEventListener('pointermove', (event) => this.onMove(event));
    this.canvas.addEventListener('click', (event) => {
      const cell = this.cellAt(event);
      if (cell) this.choose(cell);
    });
    this.resize = new ResizeObserver(() => this.draw());
    this.resize.observe(this.root);
    this.check = setInterval(() => {
      if (this.isOpen && readTheme(this.root).id !== this.theme) this.draw();
    }, THEME_CHECK_MS);
  }

  unmount() {
    this.abort.abort();
    this.resize.disconnect();
    clearInterval(this.check);
  }

  get isOpen() {
    return !this.root.hidden;
  }

  toggle(query) {
    this.root.hidden = this.isOpen;
    void this.read(query);
  }

  async read(query) {
    if (!this.isOpen) return;
    this.abort.abort();
    this.abort = new AbortController();
    const { signal } = this.abort;
    try {
      this.cells = (await this.api.ask('GET', `/library/map?${query}`, { signal })).cells;
    } catch (refusal) {
      if (signal.aborted) return;
      this.cells = [];
    }
    const n = this.cells.reduce((sum, cell) => sum + cell.n_tracks, 0);
    const tempi = this.cells.map((cell) => cell.tempo_bpm);
    this.low = Math.floor((Math.min(...tempi, 120) - 1) / STEP) * STEP;
    this.high = Math.ceil((Math.max(...tempi, 140) + 1) / STEP) * STEP;
    this.most = Math.max(1, ...this.cells.map((cell) => cell.n_tracks));
    this.canvas.setAttribute('aria-label', this.data.words.mapOf.replace('{n}', n.toLocaleString()));
    this.draw();
  }

  place(cell) {
    const { width, height } = this;
    const x = LEFT + ((this.codes.indexOf(cell.camelot) + 0.5) * (width - LEFT)) / this.codes.length;
    const y = TOP + ((this.high - cell.tempo_bpm) * (height - TOP - BOTTOM)) / (this.high - this.low);
    return [x, y];
  }

  draw() {
    const { canvas, data } = this;
    if (!this.isOpen || this.low === undefined) return;
    const theme = readTheme(this.root);
    this.theme = theme.id;
    const ratio = window.devicePixelRatio || 1;
    this.width = canvas.clientWidth;
    this.height = canvas.clientHeight;
    canvas.width = this.width * ratio;
    canvas.height = this.height * ratio;
    const context = canvas.getContext('2d');
    context.scale(ratio, ratio);
    context.font = `11px ${theme.font}`;
    context.textBaseline = 'middle';
    context.fillStyle = theme.text;
    context.textAlign = 'right';
    for (let bpm = this.low; bpm <= this.high; bpm += STEP) {
      const [, y] = this.place({ camelot: '1A', tempo_bpm: bpm });
      context.fillText(String(bpm), LEFT - 8, y);
      context.globalAlpha = 0.15;
      context.fillRect(LEFT, y, this.width - LEFT, 1);
      context.globalAlpha = 1;
    }
    context.textAlign = 'center';
    const every = (this.width - LEFT) / 24 < 24 ? 2 : 1;
    this.codes.forEach((code, i) => {
      const [x] = this.place({ camelot: code, tempo_bpm: this.low });
      if (i % every === 0) context.fillText(code, x, this.height - BOTTOM / 2);
    });
    const most = Math.min(9, (this.width - LEFT) / 52);
    for (const cell of this.cells) {
      const [x, y] = this.place(cell);
      context.beginPath();
      context.arc(x, y, 2 + (most - 2) * Math.sqrt(cell.n_tracks / this.most), 0, 2 * Math.PI);
      context.fillStyle = data.colours[cell.camelot];
      context.globalAlpha = 0.7;
      context.fill();
      context.globalAlpha = 1;
    }
  }

  cellAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const at = [event.clientX - box.left, event.clientY - box.top];
    let best = null;
    let least = REACH;
    for (const cell of this.cells) {
      const [x, y] = this.place(cell);
      const far = Math.hypot(x - at[0], y - at[1]);
      if (far < least) [best, least] = [cell, far];
    }
    return best;
  }

  onMove(event) {
    const cell = this.cellAt(event);
    this.canvas.style.cursor = cell ? 'pointer' : 'default';
    const text = this.data.words[cell?.n_tracks === 1 ? 'oneTrack' : 'nTracks'];
    this.canvas.title = cell ? `${cell.camelot} · ${cell.tempo_bpm} BPM · ${text.replace('{n}', cell.n_tracks)}` : '';
  }
}
