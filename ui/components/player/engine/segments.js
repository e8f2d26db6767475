/** Decoded audio: segments of the lanes, fetched as needed, dropped when they were not used long. */

import { backOff, fetchOnce } from '../model/api.js';

/** Decoded audio in memory: eight stereo lanes keep seven segments of 3 s each. */
const BUDGET_BYTES = 56 * 1024 * 1024;
/** Browsers open six connections a host; the page needs some of them. */
const AT_ONCE = 4;

export class Segments {
  /**
   * @param {number} sampleRate of the track; the decoder keeps it, so nothing is resampled
   * @param {() => void} onChange called after each segment that arrived or failed
   */
  constructor(sampleRate, onChange) {
    this.decoder = new OfflineAudioContext({ numberOfChannels: 2, length: 1, sampleRate });
    this.onChange = onChange;
    this.decoded = new Map();
    this.bytes = 0;
    this.running = new Map();
    this.failures = new Map();
    this.wanted = [];
    this.retry = 0;
  }

  /** The decoded segment, or undefined while it is not here. */
  get(url) {
    const buffer = this.decoded.get(url);
    if (buffer === undefined) return undefined;
    this.decoded.delete(url);
    this.decoded.set(url, buffer);
    return buffer;
  }

  /** Fetch these, the first first, and give up on all others that are still under way. */
  want(urls) {
    this.wanted = urls;
    for (const [url, abort] of this.running) if (!urls.includes(url)) abort.abort();
    this.#pump();
  }

  /** The first error among the wanted segments, as words; null if there is none. */
  get error() {
    for (const url of this.wanted) {
      const failure = this.failures.get(url);
      if (failure !== undefined) return failure.message;
    }
    return null;
  }

  close() {
    this.want([]);
    clearTimeout(this.retry);
    this.decoded.clear();
    this.bytes = 0;
    this.onChange = () => {};
  }

  #pump() {
    const now = performance.now();
    let soonest = Infinity;
    for (const url of this.wanted) {
      if (this.running.size >= AT_ONCE) break;
      if (this.decoded.has(url) || this.running.has(url)) continue;
      const failure = this.failures.get(url);
      if (failure !== undefined && failure.retryAt > now) {
        soonest = Math.min(soonest, failure.retryAt);
        continue;
      }
      void this.#load(url);
    }
    clearTimeout(this.retry);
    if (soonest < Infinity) this.retry = setTimeout(() => this.#pump(), soonest - now);
  }

  async #load(url) {
    const abort = new AbortController();
    this.running.set(url, abort);
    try {
      const answer = await fetchOnce(url, { signal: abort.signal });
      const buffer = await this.decoder.decodeAudioData(await answer.arrayBuffer());
      this.failures.delete(url);
      this.#keep(url, buffer);
    } catch (error) {
      if (!abort.signal.aborted) this.#fail(url, error);
    } finally {
      this.running.delete(url);
      this.onChange();
      this.#pump();
    }
  }

  #keep(url, buffer) {
    this.decoded.set(url, buffer);
    this.bytes += sizeOf(buffer);
    for (const [old, other] of this.decoded) {
      if (this.bytes <= BUDGET_BYTES) break;
      if (this.wanted.includes(old)) continue;
      this.decoded.delete(old);
      this.bytes -= sizeOf(other);
    }
  }

  #fail(url, error) {
    const count = (this.failures.get(url)?.count ?? 0) + 1;
    this.failures.set(url, { message: error.message, count, retryAt: performance.now() + backOff(count) });
  }
}

function sizeOf(buffer) {
  return buffer.length * buffer.numberOfChannels * Float32Array.BYTES_PER_ELEMENT;
}
