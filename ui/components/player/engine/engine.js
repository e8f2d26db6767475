/**
 * Plays one track: all audible lanes from one clock, in segments that are scheduled ahead.
 *
 * There is one engine a browser page (`engine`), so the sound lives on when views come and go.
 * States: `idle` (nothing loaded), `paused`, `playing`, `waiting` (audio is late; all lanes wait).
 * Dispatches `state` when state, session or error change.
 */

import { heardGains, dbToGain } from '../model/mix.js';
import { preferences } from '../model/preferences.js';
import { Click } from './click.js';
import { clicksOf, countIn } from './beats.js';
import { matchedGain } from './loudness.js';
import { Graph } from './graph.js';
import { canShiftPitch } from './pitch.js';
import { Segments } from './segments.js';
import { Timeline } from './timeline.js';
import { startTogether } from './together.js';

const TICK_MS = 50;
/** How far ahead sound is scheduled: longer than browsers hold timers of hidden pages back. */
const AHEAD_S = 2;
/** From the decision to the sound: room for the audio thread to take the sources over. */
const LEAD_S = 0.1;
const MOST_LEAD_S = 1;
/** What of it must be left once a piece is set up: one that starts late would overlap the next. */
const MARGIN_S = 0.03;
const SEGMENTS_AHEAD = 4;
/** After a stall, so many segments must be here before all lanes go on. */
const CUSHION = 2;
const SUSPEND_AFTER_MS = 3000;
/** A shorter wait is no news: every seek has one. */
const PATIENCE_MS = 200;

class Engine extends EventTarget {
  constructor() {
    super();
    this.session = null;
    this.state = 'idle';
    this.keepsPitch = true;
    this.waitingSince = 0;
    this.cushion = 1;
    this.leadS = LEAD_S;
    this.sources = new Map();
    this.counting = [];
    this.loading = Promise.resolve();
    this.onMix = () => void this.#applyMix();
    this.onFacts = () => this.#replan(); // the clicks that are scheduled are those of the old grid
    preferences.addEventListener('change', () => this.#applyPreferences());
  }

  /** Load a session, paused where it was left; does nothing if it is loaded. */
  load(session) {
    const loaded = this.loading.then(() => this.#load(session));
    this.loading = loaded.catch(() => {});
    return loaded;
  }

  async #load(session) {
    if (this.session === session) return;
    await this.unload();
    const { track } = session;
    this.session = session;
    this.context = new AudioContext({ sampleRate: track.sampleRate, latencyHint: 'balanced' });
    this.graph = new Graph(this.context);
    this.click = new Click(this.context, this.graph.click);
    this.segments = new Segments(track.sampleRate, () => this.#tick());
    this.timeline = new Timeline(track);
    this.timeline.anchor(0, session.frame);
    this.plan = null;
    for (const lane of track.lanes) this.graph.addLane(lane.label, lane.isPercussive);
    session.addEventListener('mix', this.onMix);
    session.addEventListener('facts', this.onFacts);
    this.#applyPreferences();
    this.#setState('paused');
    await this.#applyMix();
  }

  /** Let go of the session and its audio. */
  async unload() {
    if (this.session === null) return;
    this.pause();
    this.session.removeEventListener('mix', this.onMix);
    this.session.removeEventListener('facts', this.onFacts);
    this.segments.close();
    const { context } = this;
    this.session = null;
    this.#setState('idle');
    await context.close();
  }

  get isRunning() {
    return this.state === 'playing' || this.state === 'waiting';
  }

  /** What keeps the audio from arriving, as a sentence; null if nothing does. */
  get error() {
    return this.session === null ? null : this.segments.error;
  }

  /** The frame that is heard now. */
  get frame() {
    if (this.session === null) return 0;
    if (!this.isRunning) return this.timeline.cursor.frame;
    const { outputLatency = 0, baseLatency = 0, currentTime, sampleRate } = this.context;
    const latencyS = (outputLatency || baseLatency) + this.graph.latencyS;
    return this.timeline.placeAt((currentTime - latencyS) * sampleRate).frame;
  }

  async play() {
    if (this.session === null || this.isRunning) return;
    clearTimeout(this.suspension);
    this.leadS = LEAD_S;
    if (this.timeline.hasEnded) this.timeline.anchor(0, 0);
    this.isCounting = preferences.get('click') && preferences.get('count_in');
    this.#setState('waiting');
    this.timer = setInterval(() => this.#tick(), TICK_MS);
    await this.context.resume();
    this.#tick();
  }

  pause() {
    if (!this.isRunning) return;
    const { frame } = this;
    clearInterval(this.timer);
    this.#stopFrom(this.#soon());
    this.timeline.anchor(0, frame);
    this.session.frame = frame;
    this.#setState('paused');
    const { context } = this;
    this.suspension = setTimeout(() => void context.suspend(), SUSPEND_AFTER_MS);
  }

  toggle() {
    if (this.isRunning) this.pause();
    else void this.play();
  }

  /** Go to a frame; playing goes on there. */
  seek(frame) {
    if (this.session === null) return;
    const { frames } = this.session.track;
    const target = Math.min(Math.max(Math.round(frame), 0), frames);
    if (this.isRunning) this.#stopFrom(this.#soon());
    this.timeline.anchor(0, target);
    this.session.frame = target;
    this.cushion = 1;
    if (this.isRunning) this.#setState('waiting');
    else this.dispatchEvent(new Event('state'));
    this.#tick();
  }

  /** The lanes that sound, or that will at a touch: stems, and all that are not muted. */
  get #active() {
    const { track, mix } = this.session;
    return track.lanes.filter(
      (lane) =>
        lane.role === 'stem' ||
        !mix.lanes[lane.label].mute ||
        (lane === track.original && mix.hears_original),
    );
  }

  /** Whether playing has been held up by audio that is not here yet, for long enough to say so. */
  get isBuffering() {
    return this.state === 'waiting' && performance.now() - this.waitingSince > PATIENCE_MS;
  }

  #setState(state) {
    if (state === 'waiting' && this.state !== 'waiting') this.waitingSince = performance.now();
    this.state = state;
    this.dispatchEvent(new Event('state'));
  }

  /** The earliest frame of the clock at which a change can be heard. */
  #soon() {
    return Math.ceil((this.context.currentTime + this.leadS) * this.context.sampleRate);
  }

  #tick() {
    if (this.session === null) return;
    const wanted = this.timeline.upcoming(SEGMENTS_AHEAD);
    const lanes = this.#active;
    this.segments.want(wanted.flatMap((segment) => lanes.map((lane) => lane.segmentUrl(segment))));
    if (!this.isRunning || this.context.state !== 'running') return;
    const { sampleRate, currentTime } = this.context;
    if (this.state === 'waiting' && !this.#begin(lanes)) return;
    if (this.#endOrWait()) return;
    const limit = (currentTime + AHEAD_S) * sampleRate;
    this.timeline.forget(currentTime * sampleRate);
    while (this.timeline.cursor.at < limit) {
      const piece = this.timeline.peek();
      if (piece === null || !this.#isHere(piece.segment, lanes)) break;
      this.#schedule(piece, lanes);
      if (this.#isTooLate(piece)) {
        this.#startOver(piece);
        return;
      }
    }
  }

  /** Start the lanes together as soon as all of them are here. */
  #begin(lanes) {
    const needed = this.timeline.upcoming(this.cushion);
    if (!needed.every((segment) => this.#isHere(segment, lanes))) return false;
    this.cushion = 1;
    const { frame } = this.timeline.cursor;
    const counted = this.isCounting
      ? countIn(this.session.track, frame, this.timeline.rate)
      : { frames: 0, clicks: [] };
    this.isCounting = false;
    const { sampleRate } = this.context;
    const at = this.#soon() + Math.ceil(counted.frames);
    this.counting = counted.clicks.map(({ before, isBar }) => this.click.at((at - before) / sampleRate, isBar));
    this.timeline.anchor(at, frame);
    this.graph.fadeIn(at / sampleRate);
    this.#setState('playing');
    return true;
  }

  #isHere(segment, lanes) {
    return lanes.every((lane) => this.segments.get(lane.segmentUrl(segment)) !== undefined);
  }

  #schedule(piece, lanes) {
    const { sampleRate } = this.context;
    const { segmentFrames } = this.session.track;
    const from = piece.frame - piece.segment * segmentFrames;
    const audio = lanes.map((lane) => ({
      buffer: this.segments.get(lane.segmentUrl(piece.segment)),
      output: this.graph.lanes.get(lane.label).level,
    }));
    const stretch = { when: piece.at / sampleRate, from, frames: piece.endFrame - piece.frame, rate: piece.rate };
    const started = startTogether(this.context, audio, stretch);
    const clicks = clicksOf(this.session.track, piece).map(({ at, isBar }) =>
      this.click.at(at / sampleRate, isBar),
    );
    this.timeline.push(piece);
    this.sources.set(piece, { started, clicks });
    started[0]?.addEventListener('ended', () => this.sources.delete(piece));
  }

  /** End with the track, or let all lanes wait if the next piece would be late. */
  #endOrWait() {
    const { sampleRate, currentTime } = this.context;
    const { cursor, hasEnded } = this.timeline;
    if (hasEnded) {
      const isHeard = (currentTime - this.graph.latencyS) * sampleRate >= cursor.at;
      if (isHeard) this.#finish();
      return isHeard;
    }
    if (cursor.at > currentTime * sampleRate) return false;
    this.cushion = CUSHION;
    this.#setState('waiting');
    return true;
  }

  /** Whether the clock overtook the page while it scheduled: then the piece started late. */
  #isTooLate(piece) {
    return (this.context.currentTime + MARGIN_S) * this.context.sampleRate >= piece.at;
  }

  /** Play a piece again, all lanes together, with more time to schedule it. */
  #startOver(piece) {
    this.leadS = Math.min(2 * this.leadS, MOST_LEAD_S);
    this.#stop(this.timeline.cut(piece.at), 0);
    this.timeline.anchor(0, piece.frame);
    this.#setState('waiting');
  }

  #finish() {
    clearInterval(this.timer);
    this.timeline.anchor(0, this.session.track.frames);
    this.session.frame = 0;
    this.#setState('paused');
  }

  /** Take everything back that would sound from the clock's frame `at` on. */
  #stopFrom(at, { isFaded = true } = {}) {
    const time = at / this.context.sampleRate;
    if (isFaded) this.graph.fadeOut(time);
    this.#stop(this.timeline.cut(at), time);
    for (const source of this.counting) source.stop(time);
  }

  #stop(pieces, time) {
    for (const piece of pieces) {
      const { started, clicks } = this.sources.get(piece) ?? { started: [], clicks: [] };
      for (const source of [...started, ...clicks]) source.stop(time);
    }
  }

  /** Plan anew from now on, without a gap: after a change of loop, tempo or lanes. */
  #replan() {
    if (this.state !== 'playing') return;
    this.#stopFrom(this.#soon(), { isFaded: false });
    this.#tick();
  }

  async #applyMix() {
    const { session, timeline } = this;
    const { track, mix } = session;
    this.#applyGains();
    const active = this.#active.map((lane) => lane.label).join();
    const loop = mix.loop?.is_on
      ? { start: track.frameAt(mix.loop.start_s), end: track.frameAt(mix.loop.end_s) }
      : null;
    const plan = JSON.stringify([active, loop, mix.tempo, mix.pitch_semitones]);
    if (plan === this.plan) return;
    this.plan = plan;
    const keepsPitch = await this.graph.tune(mix.tempo, mix.pitch_semitones);
    if (this.session !== session || plan !== this.plan) return;
    timeline.loop = loop;
    timeline.rate = mix.tempo;
    if (keepsPitch !== this.keepsPitch) {
      this.keepsPitch = keepsPitch;
      this.dispatchEvent(new Event('state'));
    }
    this.#replan();
    this.#tick();
  }

  #applyGains() {
    const { track, mix } = this.session;
    const heard = heardGains(mix);
    const matched = mix.hears_original ? matchedGain(track, heard) : null;
    for (const lane of track.lanes) {
      const isReference = matched !== null && lane === track.original;
      const gain = matched === null ? heard[lane.label] : isReference ? matched : 0;
      this.graph.setLane(lane.label, gain * lane.scale, isReference ? 0 : mix.lanes[lane.label].pan);
    }
  }

  #applyPreferences() {
    if (this.session === null) return;
    this.graph.setMaster(dbToGain(preferences.get('master_db')));
    this.graph.setClick(preferences.get('click') ? 1 : 0);
  }
}

export const engine = new Engine();
export { canShiftPitch };
