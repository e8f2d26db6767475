/**
 * Starts lanes as one: a single source with the channels of all of them.
 *
 * Sources of their own may start late one by one when the machine is busy, as the audio thread takes
 * over each by itself. What starts late here starts late as a whole, so lanes never part.
 */

const CHANNELS_A_LANE = 2;
/** Browsers offer at least 32 channels; a lane beyond them is in the next source. */
const LANES_A_SOURCE = 16;

/**
 * @param {AudioContext} context
 * @param {{buffer: AudioBuffer, output: AudioNode}[]} lanes decoded audio, one or two channels each,
 *   and where it goes
 * @param {{when: number, from: number, frames: number, rate: number}} stretch start in seconds of
 *   the audio clock; first frame in the buffers, their number, and the playback rate
 * @returns {AudioBufferSourceNode[]}
 */
export function startTogether(context, lanes, { when, from, frames, rate }) {
  const sources = [];
  for (let i = 0; i < lanes.length; i += LANES_A_SOURCE) {
    sources.push(connect(context, lanes.slice(i, i + LANES_A_SOURCE), from, frames, rate));
  }
  for (const source of sources) source.start(when);
  return sources;
}

function connect(context, lanes, from, frames, rate) {
  const channels = CHANNELS_A_LANE * lanes.length;
  const buffer = context.createBuffer(channels, frames, context.sampleRate);
  const source = new AudioBufferSourceNode(context, { playbackRate: rate });
  const splitter = new ChannelSplitterNode(context, { numberOfOutputs: channels });
  const ends = lanes.map(({ buffer: audio, output }, i) => {
    const end = new ChannelMergerNode(context, { numberOfInputs: CHANNELS_A_LANE });
    for (let side = 0; side < CHANNELS_A_LANE; side++) {
      const channel = CHANNELS_A_LANE * i + side;
      const samples = audio.getChannelData(Math.min(side, audio.numberOfChannels - 1));
      buffer.copyToChannel(samples.subarray(from, from + frames), channel);
      splitter.connect(end, channel, side);
    }
    end.connect(output);
    return end;
  });
  source.buffer = buffer;
  source.connect(splitter);
  source.addEventListener('ended', () => {
    for (const node of [source, splitter, ...ends]) node.disconnect();
  });
  return source;
}
