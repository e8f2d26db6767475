/** A track as the player knows it: what the API answers below the path of a track at `player`. */

import { t } from '../../language.js';
import { ask } from './api.js';

/**
 * Fetch a track's description, waiting for a server that is away. `api` is the path of the API
 * below this page's address, `path` that of the track (of a job or of the library) in it; `options`
 * are those of `ask`. Throws `ApiError`.
 */
export async function fetchTrack(api, path, options) {
  return new Track(api, await ask(`${api}${path}/player`, { cache: 'no-store', ...options }));
}

const SILENT_RATE = 44100;

/** A track of the library whose file is gone: without a lane, but with a place for each time. */
export function silentTrack(api, details) {
  const { id, title, artist, facts } = details;
  return new Track(api, {
    job_id: null,
    index: null,
    track_id: id,
    title,
    artist,
    sample_rate: SILENT_RATE,
    n_frames: Math.round((details.duration_s ?? 0) * SILENT_RATE),
    lanes: [],
    grid: { beats_s: facts.beats_s ?? [], downbeats_s: facts.downbeats_s ?? [], beats_per_bar: null },
    tempo_bpm: facts.tempo_bpm,
  });
}

export class Track {
  constructor(api, facts) {
    this.key = facts.job_id === null ? facts.track_id : `${facts.job_id}/${facts.index}`;
    this.sampleRate = facts.sample_rate;
    this.frames = facts.n_frames;
    this.durationS = facts.n_frames / facts.sample_rate;
    this.segmentFrames = facts.segment_frames;
    // Of lanes with the same samples, one is enough to hear.
    const own = facts.lanes.filter((lane) => lane.same_as === null);
    this.lanes = own.map((lane) => new Lane(api, lane));
    this.original = this.lanes.find((lane) => lane.role === 'original') ?? null;
    this.update(facts);
  }

  /** Take over what may be corrected: titles, grid, key, cues and loops. */
  update(facts) {
    this.facts = facts;
    this.title = facts.title ?? t('Untitled');
    this.artist = facts.artist;
    this.beats = facts.grid.beats_s;
    this.bars = facts.grid.downbeats_s;
    this.beatsPerBar = facts.grid.beats_per_bar ?? 4;
  }

  frameAt(seconds) {
    return Math.min(Math.max(Math.round(seconds * this.sampleRate), 0), this.frames);
  }

  /** The number of the bar at a time, from 1; null before the first and without a grid. */
  barAt(seconds) {
    const index = lastBefore(this.bars, seconds + 1e-6);
    return index < 0 ? null : index + 1;
  }

  /** The time nearest to `seconds` at which a bar begins (or the track begins or ends). */
  nearestBar(seconds) {
    return nearest([0, ...this.bars, this.durationS], seconds);
  }

  nearestBeat(seconds) {
    return nearest([0, ...this.beats, this.durationS], seconds);
  }

  /** The start of the bar so many bars after the one that holds `seconds`; may be negative. */
  stepBars(seconds, count) {
    if (this.bars.length < 2) return seconds + count * 2;
    const at = lastBefore(this.bars, seconds + 0.02);
    const isInside = at >= 0 && seconds - this.bars[at] > 0.25;
    const target = at + count + (count < 0 && isInside ? 1 : 0);
    if (target < 0) return 0;
    return target < this.bars.length ? this.bars[target] : this.durationS;
  }
}

class Lane {
  constructor(api, facts) {
    this.label = facts.label;
    this.role = facts.role;
    this.title = titleOf(facts.label);
    this.isPercussive = facts.is_percussive;
    this.gainDb = facts.gain_db;
    this.scale = facts.scale;
    this.segmentsUrl = api + facts.segments_url;
    this.waveformUrl = api + facts.waveform_url;
    this.bandsUrl = api + facts.bands_url;
    this.spectrogramUrl = api + facts.spectrogram_url;
    this.downloadUrl = facts.download_url === null ? null : api + facts.download_url;
  }

  segmentUrl(segment) {
    return this.segmentsUrl.replace('{segment}', segment);
  }
}

/** The index of the last value that is at most `limit`, or −1. */
export function lastBefore(values, limit) {
  let low = 0;
  let high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= limit) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/** The value nearest to `wanted`. */
export function nearest(values, wanted) {
  return values.reduce((best, value) => (Math.abs(value - wanted) < Math.abs(best - wanted) ? value : best));
}

/** A stem, mix or section in words. */
export function titleOf(label) {
  const words = label.replaceAll('_', ' ');
  return t(words.charAt(0).toUpperCase() + words.slice(1));
}
