/** The click: short tones on the beats of the grid, higher on those that begin a bar. */

const LENGTH_S = 0.03;
const DECAY_S = 0.006;
const PITCH_HZ = { bar: 1760, beat: 1175 };
const LEVEL = 0.5;

export class Click {
  /** @param {AudioContext} context @param {AudioNode} output */
  constructor(context, output) {
    this.context = context;
    this.output = output;
    this.tones = {
      bar: tone(context, PITCH_HZ.bar),
      beat: tone(context, PITCH_HZ.beat),
    };
  }

  /** Play a click at a time in seconds of the audio clock; returns its source. */
  at(time, isDownbeat) {
    const source = new AudioBufferSourceNode(this.context, {
      buffer: isDownbeat ? this.tones.bar : this.tones.beat,
    });
    source.connect(this.output);
    source.start(time);
    return source;
  }
}

function tone(context, hz) {
  const { sampleRate } = context;
  const buffer = context.createBuffer(1, Math.ceil(LENGTH_S * sampleRate), sampleRate);
  const samples = buffer.getChannelData(0);
  for (let i = 0; i < samples.length; i++) {
    const time = i / sampleRate;
    samples[i] = LEVEL * Math.exp(-time / DECAY_S) * Math.sin(2 * Math.PI * hz * time);
  }
  return buffer;
}
