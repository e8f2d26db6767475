/**
 * A set as it stands on the server and as it is being changed: each change is shown at once, saved,
 * and rated by the server. Changes that come while one is being saved are saved together after it.
 */

const RETRY_MS = 2000;
const SAVING_MS = 50;

export class SetModel {
  /**
   * @param {import('../api.js').Api} api
   * @param {Object} view as `GET /playlists/{id}` gives it
   * @param {Object} on
   * @param {function()} on.changed the order or its rating changed
   * @param {function(Object, function(), function())} on.conflict another window changed the set:
   *   its view, what takes it over, and what saves this window's order all the same
   * @param {function(Error)} on.refused
   * @param {function()} on.saved a change was saved after refusals
   */
  constructor(api, view, on) {
    this.api = api;
    this.on = on;
    this.tracks = new Map();
    this.past = [];
    this.nextKey = 0;
    this.isSaving = false;
    this.isStopped = false;
    this.wasRefused = false;
    this.take(view);
  }

  /** Take over what the server says. */
  take(view) {
    this.view = view;
    for (const track of view.tracks) this.tracks.set(track.id, track);
    const there = view.order.filter((id) => this.tracks.has(id));
    const left = [...(this.entries ?? [])];
    this.entries = there.map((id) => {
      const known = left.findIndex((entry) => entry.id === id);
      return known < 0 ? { key: this.nextKey++, id } : left.splice(known, 1)[0];
    });
  }

  get path() {
    return `/playlists/${encodeURIComponent(this.view.id)}`;
  }

  get order() {
    return this.entries.map(({ id }) => id);
  }

  /** Whether the rating is that of the order on the screen. */
  get isRated() {
    const { order } = this.view;
    return order.length === this.entries.length && this.entries.every(({ id }, i) => id === order[i]);
  }

  track(entry) {
    return this.tracks.get(entry.id);
  }

  /** The transition into the track at a place; null while it is not rated. */
  stepInto(place) {
    const [from, to] = [this.entries[place - 1]?.id, this.entries[place]?.id];
    return this.view.transitions.find((step) => step.from === from && step.to === to) ?? null;
  }

  move(from, to) {
    const target = Math.max(0, Math.min(to, this.entries.length - 1));
    if (from === target) return false;
    const entries = [...this.entries];
    entries.splice(target, 0, ...entries.splice(from, 1));
    this.change(entries);
    return true;
  }

  remove(place) {
    if (this.entries.length < 2) return false;
    this.change(this.entries.filter((_, i) => i !== place));
    return true;
  }

  add(track, place) {
    this.tracks.set(track.id, track);
    this.change([...this.entries.slice(0, place), { key: this.nextKey++, id: track.id }, ...this.entries.slice(place)]);
  }

  has(id) {
    return this.entries.some((entry) => entry.id === id);
  }

  change(entries) {
    this.past.push(this.entries);
    this.entries = entries;
    this.on.changed();
    void this.save();
  }

  undo() {
    const before = this.past.pop();
    if (before === undefined) return;
    this.entries = before;
    this.on.changed();
    void this.save();
  }

  /** Save the order; with `version` null, over whatever another window did. */
  async save(version = this.view.version) {
    if (this.isSaving) return;
    this.isSaving = true;
    const order = this.order;
    try {
      const view = await this.api.ask('PUT', `${this.path}/tracks`, { body: { tracks: order }, version });
      this.isSaving = false;
      if (this.wasRefused) this.on.saved();
      this.wasRefused = false;
      const isNewest = order.every((id, i) => id === this.entries[i]?.id) && order.length === this.entries.length;
      if (isNewest) {
        this.take(view);
        this.on.changed();
      } else {
        this.view = { ...this.view, version: view.version };
        void this.save();
      }
    } catch (refusal) {
      this.isSaving = false;
      await this.fail(refusal);
    }
  }

  /** Rename the set, once what is being saved is saved; return whether it was renamed. */
  async rename(name) {
    while (this.isSaving) await new Promise((done) => { setTimeout(done, SAVING_MS); });
    this.isSaving = true;
    try {
      const view = await this.api.ask('PATCH', this.path, { body: { name }, version: this.view.version });
      this.view = { ...this.view, name: view.name, version: view.version };
      return true;
    } catch (refusal) {
      this.on.refused(refusal);
      if (refusal.code === 'playlist_changed') await this.tellConflict();
      return false;
    } finally {
      this.isSaving = false;
      if (!this.isRated) void this.save();
    }
  }

  async fail(refusal) {
    if (this.isStopped) return;
    this.wasRefused = true;
    this.on.refused(refusal);
    if (refusal.isAway) {
      this.retry = setTimeout(() => void this.save(), RETRY_MS);
    } else if (refusal.code === 'playlist_changed') {
      await this.tellConflict();
    } else {
      this.take(this.view);
      this.past = [];
      this.on.changed();
    }
  }

  async tellConflict() {
    try {
      const view = await this.api.ask('GET', this.path);
      this.on.conflict(view, () => this.replace(view), () => void this.save(null));
    } catch (refusal) {
      this.on.refused(refusal);
    }
  }

  /** Look whether another window has changed the set; what is on the screen follows. */
  async look() {
    if (this.isSaving || !this.isRated) return false;
    const view = await this.api.ask('GET', this.path).catch(() => null);
    if (view === null || this.isSaving || view.version === this.view.version) return false;
    this.replace(view);
    return true;
  }

  replace(view) {
    this.past = [];
    this.take(view);
    this.on.changed();
  }

  stop() {
    this.isStopped = true;
    clearTimeout(this.retry);
  }
}
