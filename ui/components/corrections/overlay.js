/**
 * The corrections of a track, as the library keeps them; see `docs/corrections.md`.
 *
 * Changes are sent one after another, each for the version that is on the screen: a change for
 * another one is refused by the server, and what others did is shown instead.
 */

import { t } from '../language.js';
import { ask, ApiError } from '../player/model/api.js';

/** A job that has just ended is added to the library by itself. */
const LOOK_AGAIN_MS = 2000;

/** Dispatches `change` when the track, the state of saving or the message are others. */
export class Overlay extends EventTarget {
  /**
   * @param {string} api path of the API
   * @param {string | null} job that adds the track to the library
   * @param {string} id of the track in the library
   * @param {AbortSignal} signal ends all waiting
   */
  constructor(api, job, id, signal) {
    super();
    this.signal = signal;
    this.api = api;
    this.job = job;
    this.url = `${api}/library/tracks/${encodeURIComponent(id)}`;
    /** The track as `GET /library/tracks/{id}` describes it; null until it is here. */
    this.track = null;
    this.isUnknown = false;
    this.pending = 0;
    /** What happened last: `{ text, isBad }`; null: nothing worth a word. */
    this.message = null;
    this.queue = Promise.resolve();
  }

  /** Read the track; while the server is away, try again. */
  async load() {
    const { signal } = this;
    try {
      this.track = await ask(this.url, { signal, cache: 'no-store' });
      this.isUnknown = false;
      this.#tell();
    } catch (error) {
      if (signal.aborted) return;
      this.isUnknown = error.code === 'track_not_found';
      this.#say(this.isUnknown ? null : { text: error.message, isBad: true });
      if (this.isUnknown) setTimeout(() => !signal.aborted && this.isUnknown && void this.load(), LOOK_AGAIN_MS);
    }
  }

  /** Add the tracks of the job to the library. */
  add() {
    return this.#inTurn(async () => {
      await ask(`${this.api}/library/tracks/from-job/${encodeURIComponent(this.job)}`, { method: 'POST' });
      await this.load();
    });
  }

  /** Correct values (`CorrectionsChange`); null undoes the correction of a field. */
  correct(change) {
    return this.#inTurn(() => this.#write('PATCH', this.url, change));
  }

  /** Carry out operations on the beat grid, in order. */
  grid(...operations) {
    return this.correct({ grid: operations });
  }

  /** Take back the last change. */
  undo() {
    return this.#inTurn(() => this.#write('POST', `${this.url}/corrections/undo`));
  }

  get isSaving() {
    return this.pending > 0;
  }

  isCorrected(field) {
    return this.track?.corrected.includes(field) ?? false;
  }

  async #write(method, url, body = null) {
    const headers = { 'If-Match': `"${this.track.version}"` };
    if (body !== null) headers['Content-Type'] = 'application/json';
    this.track = await ask(url, { method, headers, body: body && JSON.stringify(body) });
  }

  #inTurn(action) {
    this.pending += 1;
    this.#say(null);
    this.queue = this.queue.then(async () => {
      let message = null;
      try {
        await action();
        message = { text: t('Saved'), isBad: false };
      } catch (error) {
        message = { text: await this.#explain(error), isBad: true };
      }
      this.pending -= 1;
      this.#say(message);
    });
    return this.queue;
  }

  async #explain(error) {
    if (error.code === 'track_changed') {
      await this.load();
      return t('This track was changed in another window or by a program. Its values are shown as they are now; repeat your change if you still want it.');
    }
    if (error instanceof ApiError) return error.message;
    return t('The server does not answer: your change was not saved.');
  }

  #say(message) {
    this.message = message;
    this.#tell();
  }

  #tell() {
    this.dispatchEvent(new Event('change'));
  }
}
