/** Which tracks are selected, by id; a range begins at the anchor. */

export class Selection {
  constructor(changed) {
    this.changed = changed;
    this.tracks = new Map();
    this.anchor = 0;
  }

  get size() {
    return this.tracks.size;
  }

  get ids() {
    return [...this.tracks.keys()];
  }

  has(id) {
    return this.tracks.has(id);
  }

  /** Select one track alone. */
  only(track, index) {
    this.tracks = new Map([[track.id, track]]);
    this.anchor = index;
    this.changed();
  }

  toggle(track, index) {
    if (!this.tracks.delete(track.id)) this.tracks.set(track.id, track);
    this.anchor = index;
    this.changed();
  }

  /** Select these instead of what was selected; the anchor stays. */
  replace(tracks) {
    this.tracks = new Map(tracks.map((track) => [track.id, track]));
    this.changed();
  }

  remove(ids) {
    for (const id of ids) this.tracks.delete(id);
    this.changed();
  }

  clear() {
    if (this.tracks.size === 0) return;
    this.tracks.clear();
    this.changed();
  }
}
