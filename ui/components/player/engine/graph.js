/**
 * The audio graph of one track.
 *
 *     lane: level ▸ pan ▸ meter ─▸ tonal ─────▸ edge ─▸ [shifter] ─▸ master ▸ meter ▸ out
 *                                └▸ percussive ▸ edge ─▸ [shifter or delay] ┘
 *     click ▸ delay ───────────────────────────────────────────────────────┘
 *
 * Percussive lanes have a bus of their own, as a change of pitch leaves them alone. At the original
 * tempo and pitch, no shifter is in the way and the mix is the sum of its samples.
 */

import { Meter } from './meter.js';
import { canShiftPitch, PitchShifter } from './pitch.js';

/** Gains change over this time: short enough to feel immediate, long enough not to click. */
const RAMP_S = 0.008;
const STEREO = { channelCount: 2, channelCountMode: 'explicit' };

export class Graph {
  /** @param {AudioContext} context */
  constructor(context) {
    this.context = context;
    this.lanes = new Map();
    this.master = new GainNode(context, STEREO);
    this.masterMeter = new Meter(this.master);
    this.master.connect(context.destination);
    this.buses = { tonal: new GainNode(context, STEREO), percussive: new GainNode(context, STEREO) };
    this.clickDelay = new DelayNode(context, { maxDelayTime: 1 });
    this.click = new GainNode(context);
    this.click.connect(this.clickDelay).connect(this.master);
    this.percussiveDelay = new DelayNode(context, { maxDelayTime: 1, ...STEREO });
    this.shifters = null;
    this.loading = null;
    this.latencyS = 0;
    this.route = null;
    this.#route('direct');
  }

  /** Add a lane; sources connect to the node that is returned. */
  addLane(id, isPercussive) {
    const level = new GainNode(this.context, { gain: 0, ...STEREO });
    const pan = new StereoPannerNode(this.context);
    level.connect(pan).connect(isPercussive ? this.buses.percussive : this.buses.tonal);
    this.lanes.set(id, { level, pan, meter: new Meter(pan) });
  }

  /** Set a lane's linear gain and its place, −1 (left) to 1 (right). */
  setLane(id, gain, place) {
    const { level, pan } = this.lanes.get(id);
    this.#ramp(level.gain, gain);
    this.#ramp(pan.pan, place);
  }

  setMaster(gain) {
    this.#ramp(this.master.gain, gain);
  }

  setClick(gain) {
    this.#ramp(this.click.gain, gain);
  }

  /** Fade all lanes in from the time `at`, in seconds of the audio clock. */
  fadeIn(at) {
    for (const { gain } of Object.values(this.buses)) {
      gain.setValueAtTime(0, at);
      gain.linearRampToValueAtTime(1, at + RAMP_S / 2);
    }
  }

  /** Fade all lanes out until the time `at`. */
  fadeOut(at) {
    for (const { gain } of Object.values(this.buses)) {
      gain.cancelScheduledValues(at - RAMP_S);
      gain.setValueAtTime(1, at - RAMP_S);
      gain.linearRampToValueAtTime(0, at);
    }
  }

  /**
   * Set up for a tempo (rate 1 is the original) and a change of pitch in semitones.
   *
   * @returns {Promise<boolean>} whether the pitch is as asked for; without a worklet it follows the
   *   tempo
   */
  async tune(rate, semitones) {
    const isNeeded = rate !== 1 || semitones !== 0;
    if (isNeeded && canShiftPitch()) {
      this.loading ??= Promise.all([0, 1].map(() => PitchShifter.create(this.context)));
      this.shifters = await this.loading;
    }
    if (!isNeeded || this.shifters === null) {
      this.#route('direct');
      return !isNeeded;
    }
    const kept = -12 * Math.log2(rate);
    const [main, drums] = this.shifters;
    if (semitones === 0) this.#route('together');
    else if (rate === 1) this.#route('delayed');
    else this.#route('apart');
    main.shift(semitones + kept);
    if (this.route === 'apart') drums.shift(kept);
    return true;
  }

  /**
   * Connect the buses: `direct`, or through a shifter `together`, or percussive lanes `delayed` by
   * the shifter's latency or in a shifter of their own (`apart`).
   */
  #route(route) {
    if (route === this.route) return;
    this.route = route;
    const { tonal, percussive } = this.buses;
    const [main, drums] = this.shifters ?? [];
    for (const node of [tonal, percussive, this.percussiveDelay]) node.disconnect();
    for (const shifter of this.shifters ?? []) {
      shifter.node.disconnect();
      shifter.rest();
    }
    this.latencyS = route === 'direct' ? 0 : main.latencyS;
    this.clickDelay.delayTime.value = this.latencyS;
    this.percussiveDelay.delayTime.value = this.latencyS;
    tonal.connect(route === 'direct' ? this.master : main.node);
    if (route !== 'direct') main.node.connect(this.master);
    const ends = {
      direct: () => percussive.connect(this.master),
      together: () => percussive.connect(main.node),
      delayed: () => percussive.connect(this.percussiveDelay).connect(this.master),
      apart: () => percussive.connect(drums.node).connect(this.master),
    };
    ends[route]();
  }

  #ramp(parameter, value) {
    const now = this.context.currentTime;
    parameter.cancelScheduledValues(now);
    parameter.setValueAtTime(parameter.value, now);
    parameter.linearRampToValueAtTime(value, now + RAMP_S);
  }
}
