/** Keeps the pitch while the tempo changes, and moves it: Signalsmith Stretch in a worklet. */

const MODULE = new URL('../vendor/signalsmith-stretch.mjs', import.meta.url).href;

/** Whether this page may use a worklet: browsers allow it on https and localhost alone. */
export function canShiftPitch() {
  return globalThis.isSecureContext === true && typeof AudioWorkletNode === 'function';
}

export class PitchShifter {
  /** @param {AudioContext} context */
  static async create(context) {
    const { default: SignalsmithStretch } = await import(MODULE);
    const node = await SignalsmithStretch(context, {
      numberOfInputs: 1,
      numberOfOutputs: 1,
      outputChannelCount: [2],
    });
    return new PitchShifter(node, await node.latency());
  }

  constructor(node, latencyS) {
    this.node = node;
    this.latencyS = latencyS;
  }

  /** Shift what comes in by so many semitones. */
  shift(semitones) {
    void this.node.schedule({ active: true, semitones });
  }

  /** Process nothing until the next shift. */
  rest() {
    void this.node.schedule({ active: false });
  }
}
