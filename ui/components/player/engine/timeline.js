/**
 * What plays when: maps frames of the track to frames of the audio clock.
 *
 * Conventions: `at` counts frames of the audio clock, `frame` frames of the track. A piece is a
 * stretch of the track within one segment that plays without a jump, at one rate (1 is the
 * original tempo). All lanes play the same pieces, so they can't drift apart.
 */

/** Seconds for which played pieces are remembered, to look the playhead up behind the latency. */
const MEMORY_S = 2;

export class Timeline {
  /** @param {{frames: number, segmentFrames: number, sampleRate: number}} track */
  constructor(track) {
    this.track = track;
    this.pieces = [];
    this.loop = null;
    this.rate = 1;
    this.cursor = { at: 0, frame: 0 };
  }

  /** Start again: `frame` plays at `at`. */
  anchor(at, frame) {
    this.pieces = [];
    this.cursor = { at, frame };
  }

  get hasEnded() {
    return this.cursor.frame >= this.track.frames;
  }

  /** The piece that comes next, or null at the end of the track. */
  peek() {
    const { at, frame } = this.cursor;
    if (this.hasEnded) return null;
    const { frames, segmentFrames } = this.track;
    const segment = Math.floor(frame / segmentFrames);
    let endFrame = Math.min((segment + 1) * segmentFrames, frames);
    const loops = this.loop !== null && frame < this.loop.end;
    if (loops) endFrame = Math.min(endFrame, this.loop.end);
    const jumps = loops && endFrame === this.loop.end;
    return {
      at,
      endAt: at + (endFrame - frame) / this.rate,
      frame,
      endFrame,
      segment,
      rate: this.rate,
      nextFrame: jumps ? this.loop.start : endFrame,
    };
  }

  /** Take the next piece on the record. */
  push(piece) {
    this.pieces.push(piece);
    this.cursor = { at: piece.endAt, frame: piece.nextFrame };
  }

  /** Forget what has been heard. */
  forget(at) {
    const oldest = at - MEMORY_S * this.track.sampleRate;
    while (this.pieces.length > 1 && this.pieces[0].endAt < oldest) this.pieces.shift();
  }

  /** Cut everything from `at` on, and return the pieces that it concerned, cut or dropped. */
  cut(at) {
    const { frame } = this.placeAt(at);
    const concerned = this.pieces.filter((piece) => piece.endAt > at);
    this.pieces = this.pieces.filter((piece) => piece.at < at);
    for (const piece of concerned) if (piece.at >= at) piece.endAt = piece.at;
    const last = this.pieces.at(-1);
    if (last !== undefined && last.endAt > at) {
      last.endAt = at;
      last.endFrame = frame;
      last.nextFrame = frame;
    }
    this.cursor = { at: Math.max(at, this.pieces.length ? at : this.cursor.at), frame };
    return concerned;
  }

  /** The frame that sounds at `at`: before the first piece its start, after the last the cursor. */
  placeAt(at) {
    for (let i = this.pieces.length - 1; i >= 0; i--) {
      const piece = this.pieces[i];
      if (at < piece.at) continue;
      if (at >= piece.endAt) break;
      return { frame: Math.round(piece.frame + (at - piece.at) * piece.rate), piece };
    }
    const first = this.pieces[0];
    if (first !== undefined && at < first.at) return { frame: first.frame, piece: null };
    return { frame: this.cursor.frame, piece: null };
  }

  /** The segments from the cursor on, soonest first, without repetition. */
  upcoming(count) {
    const { frames, segmentFrames } = this.track;
    const found = [];
    let { frame } = this.cursor;
    for (let i = 0; i < count && frame < frames; i++) {
      const segment = Math.floor(frame / segmentFrames);
      if (!found.includes(segment)) found.push(segment);
      const end = (segment + 1) * segmentFrames;
      const jumps = this.loop !== null && frame < this.loop.end && end >= this.loop.end;
      frame = jumps ? this.loop.start : end;
    }
    return found;
  }
}
