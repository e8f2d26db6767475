/** What a listener can ask a session for, whether by button, key or gesture. */

import { engine } from '../engine/engine.js';
import { preferences } from './preferences.js';

const LEAST_LOOP_S = 0.02;
export const VIEWS = ['waveform', 'bands', 'spectrum'];

/** Commands on a session; those that concern the sound load it first. */
export class Commands {
  constructor(session) {
    this.session = session;
    this.track = session.track;
  }

  /** Whether the engine plays (or would play) this session. */
  get isLoaded() {
    return engine.session === this.session;
  }

  /** The time that is heard now, or where playing would begin, in seconds. */
  get position() {
    return this.frame / this.track.sampleRate;
  }

  get frame() {
    return this.isLoaded ? engine.frame : this.session.frame;
  }

  async toggle() {
    await engine.load(this.session);
    engine.toggle();
  }

  seekFrame(frame) {
    if (this.isLoaded) engine.seek(frame);
    else {
      this.session.frame = Math.min(Math.max(Math.round(frame), 0), this.track.frames);
      this.session.dispatchEvent(new Event('mix'));
    }
  }

  seek(seconds) {
    this.seekFrame(seconds * this.track.sampleRate);
  }

  stepSeconds(seconds) {
    this.seek(this.position + seconds);
  }

  stepBars(count) {
    this.seek(this.track.stepBars(this.position, count));
  }

  /** Loop between two times, in either order, on whole bars unless `isFree`. */
  setLoop(from, to, { isFree = false, isOn = true } = {}) {
    const [start, end] = from <= to ? [from, to] : [to, from];
    const place = (seconds) => {
      const inside = Math.min(Math.max(seconds, 0), this.track.durationS);
      return isFree || this.track.bars.length < 2 ? inside : this.track.nearestBar(inside);
    };
    const loop = { start_s: place(start), end_s: place(end), is_on: isOn };
    if (loop.end_s - loop.start_s < LEAST_LOOP_S) return;
    this.session.change((mix) => (mix.loop = loop));
  }

  /** Loop so many bars from the one that plays; beats of half a second without a grid. */
  loopBars(count) {
    const start = this.track.stepBars(this.position, 0);
    this.setLoop(start, this.track.stepBars(start, count), { isFree: true });
  }

  /** Begin (or end) the loop here, on the nearest bar. */
  setLoopEdge(edge) {
    const here = this.position;
    const { loop } = this.session.mix;
    if (edge === 'start') {
      const end = loop !== null && loop.end_s > here ? loop.end_s : this.track.stepBars(here, 4);
      this.setLoop(here, end);
    } else {
      const start = loop !== null && loop.start_s < here ? loop.start_s : this.track.stepBars(here, -4);
      this.setLoop(start, here);
    }
  }

  /** Move an edge of the loop by so many beats. */
  nudgeLoop(edge, beats) {
    const { loop } = this.session.mix;
    const name = edge === 'start' ? 'start_s' : 'end_s';
    const step = this.track.facts.tempo_bpm ? 60 / this.track.facts.tempo_bpm : 0.5;
    const moved = { ...loop, [name]: this.track.nearestBeat(loop[name] + beats * step) };
    if (this.track.beats.length < 2) moved[name] = loop[name] + beats * step;
    this.setLoop(moved.start_s, moved.end_s, { isFree: true, isOn: loop.is_on });
  }

  toggleLoop() {
    const { loop } = this.session.mix;
    if (loop === null) this.loopBars(4);
    else this.session.change((mix) => (mix.loop.is_on = !mix.loop.is_on));
  }

  toggleOriginal() {
    if (this.track.original === null) return;
    this.session.change((mix) => (mix.hears_original = !mix.hears_original));
  }

  setTempo(tempo) {
    this.session.change((mix) => (mix.tempo = Math.round(tempo * 1000) / 1000));
  }

  setPitch(semitones) {
    this.session.change((mix) => (mix.pitch_semitones = Math.round(semitones)));
  }

  toggleClick() {
    preferences.set('click', !preferences.get('click'));
  }

  nextView() {
    preferences.set('view', VIEWS[(VIEWS.indexOf(preferences.get('view')) + 1) % VIEWS.length]);
  }
}
