/** Facts of a track, and scores, as people read them. */

import { h } from '../elements.js';

const UNKNOWN = '–';

/** What is shown of a tempo and a key, with its doubt. `minConfidence` is that of `data`. */
export class Facts {
  constructor({ words, colours, minConfidence, good, fair }) {
    Object.assign(this, { words, colours, minConfidence, good, fair });
  }

  name(track) {
    return track.artist ? `${track.artist} – ${track.title}` : track.title;
  }

  tempo(track) {
    const text = track.tempo_bpm ? `${track.tempo_bpm.toFixed(1)} BPM` : `${UNKNOWN} BPM`;
    return this.chip('bpm', text, track.tempo_bpm, track.tempo_confidence);
  }

  key(track) {
    const made = this.chip('key', track.camelot ?? UNKNOWN, track.camelot, track.key_confidence);
    made.style.setProperty('--key', this.colours[track.camelot] ?? 'transparent');
    return made;
  }

  energy(track) {
    const value = track.energy;
    return h('span', { class: 'chip energy', title: this.words.energy }, value === null ? UNKNOWN : `E ${value}`);
  }

  chip(kind, text, value, confidence) {
    const isDoubtful = value !== null && confidence !== null && confidence < this.minConfidence;
    const doubt = isDoubtful ? this.words.uncertain.replace('{n}', Math.round(100 * confidence)) : null;
    return h('span', { class: `chip ${kind}`, title: doubt }, text, doubt && h('span', { class: 'doubt' }, ` ${doubt}`));
  }

  /** How good a score is: `good`, `fair` or `poor`. */
  grade(score) {
    if (score >= this.good) return 'good';
    return score >= this.fair ? 'fair' : 'poor';
  }

  score(value) {
    return h('span', { class: `score ${this.grade(value)}` }, percent(value), h('span', { class: 'unseen' }, ` ${this.words[this.grade(value)]}`));
  }
}

export function percent(fraction) {
  return `${Math.round(100 * fraction)} %`;
}
