/** Peak meters: left and right of a node, with a peak that is held for a while. */

const SIZE = 2048;
const HOLD_MS = 1500;
const FALL_DB_PER_S = 24;
export const FLOOR_DB = -60;

export class Meter {
  /** @param {AudioNode} node a stereo node */
  constructor(node) {
    const { context } = node;
    const splitter = new ChannelSplitterNode(context, { numberOfOutputs: 2 });
    node.connect(splitter);
    this.analysers = [0, 1].map((channel) => {
      const analyser = new AnalyserNode(context, { fftSize: SIZE });
      splitter.connect(analyser, channel);
      return analyser;
    });
    this.samples = new Float32Array(SIZE);
    this.shown = FLOOR_DB;
    this.held = FLOOR_DB;
    this.heldAt = 0;
    this.readAt = 0;
    this.hasClipped = false;
  }

  /** Read the level now: dBFS of the bar and of the held peak. */
  read(now) {
    let peak = 0;
    for (const analyser of this.analysers) {
      analyser.getFloatTimeDomainData(this.samples);
      for (const sample of this.samples) peak = Math.max(peak, Math.abs(sample));
    }
    if (peak > 1) this.hasClipped = true;
    const level = peak > 0 ? Math.max(FLOOR_DB, 20 * Math.log10(peak)) : FLOOR_DB;
    const fallen = this.shown - (FALL_DB_PER_S * (now - this.readAt)) / 1000;
    this.shown = Math.max(level, fallen, FLOOR_DB);
    if (level >= this.held || now - this.heldAt > HOLD_MS) {
      this.held = level;
      this.heldAt = now;
    }
    this.readAt = now;
    return { level: this.shown, held: this.held };
  }
}
