/** Tempo and beat grid: typed, tapped, scaled; moved to where the beats are heard. */

import { h } from '../elements.js';
import { t } from '../language.js';
import { button, setPressed, setText } from '../player/view/dom.js';
import { clock } from '../player/view/format.js';
import { nearest } from '../player/model/track.js';
import { entry, replaced, row } from './field.js';
import { Taps } from './tap.js';

const scales = () => [
  ['×2', '2', t('Double the tempo')],
  ['÷2', '1/2', t('Halve the tempo')],
  ['×3/2', '3/2', t('Three beats where there are two')],
  ['×2/3', '2/3', t('Two beats where there are three')],
];
const NUDGES_MS = [-10, -1, 1, 10];
const RHYTHM = ['tempo_bpm', 'grid'];

/** @param {() => number} playhead the time that is heard, in seconds */
export class Rhythm {
  constructor(overlay, playhead) {
    this.overlay = overlay;
    this.playhead = playhead;
    this.taps = new Taps();
    this.anchorS = null;
    this.tempo = this.#tempoRow();
    this.grid = this.#gridRow();
  }

  get #facts() {
    return this.overlay.track.facts;
  }

  /** Facts of a stage that did not run are missing. */
  get #beats() {
    return this.#facts.beats_s ?? [];
  }

  get #hasGrid() {
    return this.#beats.length > 1;
  }

  #tempoRow() {
    this.bpm = entry('input', {
      label: t('BPM'),
      type: 'number',
      min: 20,
      max: 500,
      step: 0.01,
      class: 'bpm',
      read: () => this.#facts.tempo_bpm?.toFixed(2) ?? '',
      write: (text) => Number(text) > 0 && this.overlay.correct({ tempo_bpm: Number(text) }),
    });
    this.tapButton = button({ text: t('Tap'), title: t('Tap along with the beat (T)'), onclick: (event) => this.tap(event.timeStamp) });
    this.useTaps = button({ text: '', class: 'use', hidden: true, onclick: () => this.#useTaps() });
    this.scales = scales().map(([text, by, title]) => button({ text, title, onclick: () => this.#scale(by) }));
    return row(
      this.overlay,
      { label: t('Tempo'), names: RHYTHM, found: (track) => tempoWords(track) },
      this.bpm, h('span', {}, 'BPM'), this.tapButton, this.useTaps, group(t('Multiply the tempo'), ...this.scales),
    );
  }

  #gridRow() {
    const at = (text, title, onclick) => button({ text, title, onclick });
    this.half = at(t('½ beat'), t('Swap beat and off-beat'), () => this.overlay.grid({ op: 'shift', beats: 0.5 }));
    this.nudges = NUDGES_MS.map((ms) =>
      at(`${ms > 0 ? '+' : '−'}${Math.abs(ms)} ms`, ms > 0 ? t('Move the grid {ms} ms later', { ms }) : t('Move the grid {ms} ms earlier', { ms: -ms }), () => this.overlay.grid({ op: 'nudge', ms })),
    );
    this.here = [
      at(t('Bar starts here'), t('Begin a bar on the beat nearest to the playhead'), () => this.overlay.grid({ op: 'downbeat', time_s: this.playhead() })),
      at(t('Beat is exactly here'), t('Move the grid: its nearest beat is at the playhead, and begins a bar'), () => this.#anchor()),
      at(t('Stretch to here'), t('Move the nearest beat to the playhead and leave the anchor where it is'), () => this.#stretch()),
    ];
    this.lay = at(t('Even grid from here'), t('Replace the grid by an even one with a bar at the playhead'), () => this.overlay.grid({ op: 'lay', anchor_s: this.playhead() }));
    this.lock = button({ text: t('Lock'), title: t('Refuse changes of tempo and grid'), onclick: () => this.overlay.grid({ op: this.#isLocked ? 'unlock' : 'lock' }) });
    this.note = h('span', { class: 'found' });
    return row(
      this.overlay,
      { label: t('Beat grid'), names: [] },
      group(t('Move the grid'), this.half, ...this.nudges), group(t('At the playhead'), ...this.here, this.lay), this.lock, this.note,
    );
  }

  get #isLocked() {
    return this.overlay.track.corrections.values.grid?.is_locked ?? false;
  }

  /** Take a tap at a time in milliseconds. */
  tap(time) {
    if (this.tapButton.disabled) return;
    this.taps.tap(time);
    const { bpm, count } = this.taps;
    setText(this.tapButton, t('Tap ({count})', { count }));
    this.useTaps.hidden = bpm === null;
    if (bpm !== null) setText(this.useTaps, t('Set {bpm} BPM', { bpm: bpm.toFixed(1) }));
  }

  #useTaps() {
    const { bpm } = this.taps;
    this.taps = new Taps();
    setText(this.tapButton, t('Tap'));
    this.useTaps.hidden = true;
    void this.overlay.correct({ tempo_bpm: bpm });
  }

  #scale(by) {
    if (this.#hasGrid) void this.overlay.grid({ op: 'scale', by });
    else {
      const [over, under = 1] = by.split('/').map(Number);
      void this.overlay.correct({ tempo_bpm: (this.#facts.tempo_bpm * over) / under });
    }
  }

  #anchor() {
    this.anchorS = this.playhead();
    void this.overlay.grid({ op: 'anchor', time_s: this.anchorS });
  }

  #stretch() {
    const to = this.playhead();
    const stretch = { op: 'stretch', beat_s: nearest(this.#beats, to), to_s: to };
    void this.overlay.grid(this.anchorS === null ? stretch : { ...stretch, anchor_s: this.anchorS });
  }

  refresh() {
    const isLocked = this.#isLocked;
    for (const element of [this.tempo, this.grid, this.bpm]) element.refresh();
    setPressed(this.lock, isLocked);
    setText(this.lock, isLocked ? t('Locked') : t('Lock'));
    for (const control of [this.bpm, this.tapButton]) control.disabled = isLocked;
    for (const control of this.scales) control.disabled = isLocked || !this.#facts.tempo_bpm;
    for (const control of [this.half, ...this.nudges, ...this.here]) control.disabled = isLocked || !this.#hasGrid;
    this.lay.disabled = isLocked || !this.#facts.tempo_bpm;
    this.lock.disabled = !this.#hasGrid;
    setText(this.note, this.#noteText());
  }

  #noteText() {
    if (!this.#hasGrid) return t('No beat grid: set the tempo, go to a beat, and lay an even grid.');
    const anchor = this.anchorS ?? this.#facts.first_downbeat_s;
    return anchor === null || anchor === undefined ? '' : t('Anchor of a stretch: {time}', { time: clock(anchor, 3) });
  }
}

function tempoWords(track) {
  const bpm = replaced(track, 'tempo_bpm');
  const beats = replaced(track, 'beats_s');
  const words = [bpm ? `${bpm.toFixed(2)} BPM` : bpm === null ? t('no tempo') : null];
  if (beats !== undefined) words.push(beats.length ? t('first beat at {time}', { time: clock(beats[0], 3) }) : t('no grid'));
  return words.filter(Boolean).join(', ');
}

function group(label, ...children) {
  return h('div', { class: 'group', role: 'group', 'aria-label': label }, ...children);
}
