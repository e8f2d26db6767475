/** Tempo by tapping: the even grid that fits the taps best. */

/** After such a pause, a tap begins anew. */
const PAUSE_MS = 2500;
const LEAST_TAPS = 4;
const MOST_TAPS = 64;

export class Taps {
  constructor() {
    this.times = [];
  }

  /** Take a tap at a time in milliseconds. */
  tap(time) {
    const last = this.times.at(-1);
    if (last !== undefined && time - last > PAUSE_MS) this.times = [];
    this.times = [...this.times, time].slice(-MOST_TAPS);
  }

  get count() {
    return this.times.length;
  }

  /** The tempo in BPM to a tenth; null while there are too few taps. */
  get bpm() {
    const n = this.times.length;
    if (n < LEAST_TAPS) return null;
    // Least squares over the number of the tap: one late tap moves it little.
    const middle = (n - 1) / 2;
    const mean = this.times.reduce((sum, time) => sum + time, 0) / n;
    let up = 0;
    let down = 0;
    this.times.forEach((time, i) => {
      up += (i - middle) * (time - mean);
      down += (i - middle) ** 2;
    });
    return Math.round((600_000 * down) / up) / 10;
  }
}
