/** A track with its mix: what views show and change, and what the engine plays. */

import { defaultMix, readMix, storeMix } from './mix.js';

const STORE_AFTER_MS = 400;
const sessions = new Map();
const KEPT = 8;

/** The session of a track: the same one in every view of this page, with the facts of today. */
export function openSession(track) {
  const known = sessions.get(track.key);
  if (known !== undefined) {
    known.update(track.facts);
    return known;
  }
  const session = new Session(track);
  sessions.set(track.key, session);
  if (sessions.size > KEPT) sessions.delete(sessions.keys().next().value);
  return session;
}

/**
 * Dispatches `mix` after each change of the mix, `stored` when it has settled, and `facts` when the
 * track was corrected.
 */
export class Session extends EventTarget {
  constructor(track) {
    super();
    this.track = track;
    this.mix = readMix(track.key, track);
    this.frame = 0;
    this.timer = 0;
  }

  /** Take over corrected facts. */
  update(facts) {
    if (JSON.stringify(facts) === JSON.stringify(this.track.facts)) return;
    this.track.update(facts);
    this.dispatchEvent(new Event('facts'));
  }

  /** Change the mix: `edit` gets it and writes into it. */
  change(edit) {
    edit(this.mix);
    this.dispatchEvent(new Event('mix'));
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.settle(), STORE_AFTER_MS);
  }

  /** Store a change now. */
  settle() {
    if (this.timer === 0) return;
    clearTimeout(this.timer);
    this.timer = 0;
    storeMix(this.track.key, this.mix);
    this.dispatchEvent(new Event('stored'));
  }

  get isUntouched() {
    return JSON.stringify(this.mix) === JSON.stringify(defaultMix(this.track.lanes));
  }

  changeLane(label, edit) {
    this.change((mix) => edit(mix.lanes[label]));
  }

  /** Mute or hear a lane. */
  toggleMute(label) {
    this.changeLane(label, (lane) => {
      lane.mute = !lane.mute;
      if (lane.mute) lane.solo = false;
    });
  }

  /** Solo a lane beside others, or alone; a muted lane is heard again. */
  toggleSolo(label, { isExclusive = false } = {}) {
    this.change((mix) => {
      const lane = mix.lanes[label];
      const isOn = !lane.solo || (isExclusive && Object.values(mix.lanes).filter((l) => l.solo).length > 1);
      if (isExclusive) for (const other of Object.values(mix.lanes)) other.solo = false;
      lane.solo = isOn;
      if (isOn) lane.mute = false;
    });
  }

  reset() {
    this.change((mix) => Object.assign(mix, defaultMix(this.track.lanes)));
  }
}
