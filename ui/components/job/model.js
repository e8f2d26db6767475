/** A job as its events tell it; see `stemcrate/schemas/events.py`. */

const FINAL = new Set(['completed', 'failed', 'cancelled']);
const ENDED = new Set(['completed', 'failed', 'cancelled', 'skipped']);

export class Model {
  /** @param {Object} job as `GET /job/{id}` gives it */
  constructor(job) {
    this.tracks = [];
    this.read(job);
  }

  get isFinal() {
    return FINAL.has(this.state);
  }

  /** Take over a job as it stands; it is newer than all events so far. */
  read(job) {
    this.state = job.state;
    this.queuePlace = job.queue_place;
    this.stand(job);
    const known = this.tracks;
    const read = job.tracks.map((track) => ({
      index: track.index,
      name: track.name,
      state: track.state,
      error: track.error,
      tempo: typeof track.analysis.tempo_bpm === 'number' ? `${track.analysis.tempo_bpm.toFixed(1)} BPM` : '',
      camelot: track.analysis.camelot ?? '',
      stages: job.stages
        .filter((stage) => stage.track_index === track.index)
        .map(({ name, state }) => ({ name, state })),
    }));
    if (known.length === 0) this.tracks = read;
    else read.forEach((track, i) => Object.assign(known[i], track)); // rows hold on to them
  }

  stand({ stage, track_index: trackIndex, fraction, eta_s: etaS }) {
    this.stage = stage;
    this.trackIndex = trackIndex;
    this.fraction = Math.min(1, Math.max(0, fraction));
    this.etaS = etaS;
  }

  /** Apply an event; return whether it may have ended a track. */
  apply(event) {
    if (event.job) this.stand(event.job);
    if (event.kind === 'state') {
      this.state = event.state;
      return event.state === 'running';
    }
    if (this.state === 'queued') this.state = 'running';
    const track = this.tracks[event.track_index ?? -1];
    if (track === undefined) return false;
    const stage = track.stages.find(({ name }) => name === event.stage);
    if (stage === undefined) return false;
    if (event.kind === 'progress') {
      stage.state = 'running';
      stage.fraction = event.fraction;
    } else {
      stage.state = event.state;
      delete stage.fraction;
    }
    if (!FINAL.has(track.state)) track.state = 'running';
    const isOver = track.stages.every(({ state }) => ENDED.has(state)) || stage.state === 'failed';
    return event.kind === 'stage' && isOver && !FINAL.has(track.state);
  }
}
