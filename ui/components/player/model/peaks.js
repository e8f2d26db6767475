/**
 * Waveforms at every zoom: minimum, maximum and the levels of three bands.
 *
 * The server sends pixels of 512 frames: `.dat` as audiowaveform writes it, and `.bands` with one
 * byte b for each of bass, middle and treble, where (b / 255)² is the root mean square. Coarser
 * levels, each four times as coarse, are made here: they keep the highest powers, like the peaks.
 */

import { fetchPatiently } from './api.js';

const HEADER_BYTES = 24;
const COARSER = 4;
const FULL_SCALE = 128;
export const N_BANDS = 3;

/** Fetch a lane's waveform, waiting for a server that is away. */
export async function fetchPeaks(lane, signal) {
  const [dat, bands] = await Promise.all(
    [lane.waveformUrl, lane.bandsUrl].map(async (url) => {
      const answer = await fetchPatiently(url, { signal });
      return answer.arrayBuffer();
    }),
  );
  const [shape, framesPerPixel] = readDat(dat);
  const peaks = new Peaks(shape, framesPerPixel, readBands(bands));
  lane.energy = peaks.energy * 10 ** (lane.gainDb / 10);
  return peaks;
}

/** Minimum and maximum over all channels (full scale ±1), and the frames of a pixel. */
export function readDat(buffer) {
  const header = new DataView(buffer);
  const length = header.getUint32(16, true);
  const channels = header.getInt32(20, true);
  const values = new Int8Array(buffer, HEADER_BYTES);
  const low = new Float32Array(length);
  const high = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    for (let channel = 0; channel < channels; channel++) {
      const at = 2 * (i * channels + channel);
      low[i] = Math.min(low[i], values[at] / FULL_SCALE);
      high[i] = Math.max(high[i], values[at + 1] / FULL_SCALE);
    }
  }
  return [{ low, high }, header.getInt32(12, true)];
}

/** The power (mean square) of each band, three numbers a pixel. */
function readBands(buffer) {
  const codes = new Uint8Array(buffer, HEADER_BYTES);
  return Float32Array.from(codes, (code) => (code / 255) ** 4);
}

export class Peaks {
  /** Without bands, their power is 0. */
  constructor({ low, high }, framesPerPixel, power = new Float32Array(low.length * N_BANDS)) {
    this.levels = [{ low, high, power, framesPerPixel }];
    for (let level = this.levels[0]; level.low.length > 256; level = this.levels.at(-1)) {
      this.levels.push(coarsen(level));
    }
    const { low: lows, high: highs } = this.levels.at(-1);
    this.peak = Math.max(0, ...highs, ...lows.map(Math.abs));
    this.energy = power.length ? (N_BANDS * power.reduce((sum, value) => sum + value, 0)) / power.length : 0;
  }

  /** The coarsest level that still has a pixel for each pixel on screen. */
  levelFor(framesPerPx) {
    return this.levels.findLast((level) => level.framesPerPixel <= framesPerPx) ?? this.levels[0];
  }
}

function coarsen({ low, high, power, framesPerPixel }) {
  const length = Math.ceil(low.length / COARSER);
  const coarse = {
    low: new Float32Array(length),
    high: new Float32Array(length),
    power: new Float32Array(length * N_BANDS),
    framesPerPixel: framesPerPixel * COARSER,
  };
  for (let i = 0; i < length; i++) {
    const end = Math.min((i + 1) * COARSER, low.length);
    for (let j = i * COARSER; j < end; j++) {
      coarse.low[i] = Math.min(coarse.low[i], low[j]);
      coarse.high[i] = Math.max(coarse.high[i], high[j]);
      for (let band = 0; band < N_BANDS; band++) {
        const at = i * N_BANDS + band;
        coarse.power[at] = Math.max(coarse.power[at], power[j * N_BANDS + band]);
      }
    }
  }
  return coarse;
}
