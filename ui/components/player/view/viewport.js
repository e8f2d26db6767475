/** Which part of the track is on screen: the mapping between frames and pixels. */

/** The closest view: a pixel shows so many frames. */
const LEAST_FRAMES_PER_PX = 8;

/** Dispatches `change`. */
export class Viewport extends EventTarget {
  constructor(frames) {
    super();
    this.frames = frames;
    this.width = 1;
    this.start = 0;
    this.framesPerPx = frames;
  }

  get end() {
    return this.start + this.width * this.framesPerPx;
  }

  get mostFramesPerPx() {
    return this.frames / this.width;
  }

  get isFitted() {
    return this.framesPerPx >= this.mostFramesPerPx * 0.999;
  }

  setWidth(width) {
    if (width <= 0 || width === this.width) return;
    const wasFitted = this.isFitted;
    this.width = width;
    this.#set(wasFitted ? 0 : this.start, wasFitted ? this.mostFramesPerPx : this.framesPerPx);
  }

  xOf(frame) {
    return (frame - this.start) / this.framesPerPx;
  }

  frameAt(x) {
    return this.start + x * this.framesPerPx;
  }

  /** Zoom by a factor (above 1: closer) so that the frame at pixel `x` stays there. */
  zoom(factor, x) {
    const frame = this.frameAt(x);
    const framesPerPx = this.#within(this.framesPerPx / factor);
    this.#set(frame - x * framesPerPx, framesPerPx);
  }

  pan(pixels) {
    this.#set(this.start + pixels * this.framesPerPx, this.framesPerPx);
  }

  fit() {
    this.#set(0, this.mostFramesPerPx);
  }

  /** Show a stretch with some room around it. */
  showRange(start, end) {
    const framesPerPx = this.#within(((end - start) * 1.2) / this.width);
    this.#set((start + end) / 2 - (framesPerPx * this.width) / 2, framesPerPx);
  }

  /** Bring a frame on screen, at a fraction of the width. */
  show(frame, place = 0.05) {
    this.#set(frame - place * this.width * this.framesPerPx, this.framesPerPx);
  }

  #within(framesPerPx) {
    const most = this.mostFramesPerPx;
    return Math.min(Math.max(framesPerPx, Math.min(LEAST_FRAMES_PER_PX, most)), most);
  }

  #set(start, framesPerPx) {
    const latest = this.frames - this.width * framesPerPx;
    this.start = Math.max(Math.min(start, latest), 0);
    this.framesPerPx = framesPerPx;
    this.dispatchEvent(new Event('change'));
  }
}
