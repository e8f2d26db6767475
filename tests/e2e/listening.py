"""Hears what a player plays: taps its audio graph, and compares with the audio that the API sends.

The page is opened with `localStorage['stemcrate.debug']`, which shows the engine of the player as
`stemcrateEngine`. A tap is an AudioWorklet with one input a node, so that its recordings share one
clock to the sample; it also notes which frames of the track the engine scheduled when.
"""

import base64
import io
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from playwright.sync_api import Page

from tests.e2e.conftest import Stack

MASTER = "master"
SETTLING_S = 0.5
Signal = NDArray[np.float32]

_LOAD_TAP = """
async () => {
  const { context } = globalThis.stemcrateEngine;
  if (context.audioWorklet === undefined) return;
  const code = `registerProcessor('tap', class extends AudioWorkletProcessor {
    constructor(options) {
      super();
      this.inputs = options.numberOfInputs - 1;
      this.settling = options.processorOptions.settlingS * sampleRate;
      this.at = NaN;
      this.blocks = [];
      this.port.onmessage = () => {
        this.isDone = true;
        this.port.postMessage({ at: this.at, blocks: this.blocks });
      };
    }
    process(inputs) {
      if (this.isDone) return false;
      // The last input is constant and was connected last: until it is here, others may be missing.
      const probe = inputs[this.inputs][0];
      if (!probe || probe[0] !== 1) return true;
      this.ready ??= currentFrame + this.settling;
      if (currentFrame < this.ready) return true;
      // The first worklet of a page moves the graph to another thread: blocks are lost meanwhile.
      if (currentFrame !== this.at + this.blocks.length * 128) {
        this.at = currentFrame;
        this.blocks = [];
        this.port.postMessage({ from: this.at });
      }
      const block = new Float32Array(2 * this.inputs * 128);
      inputs.slice(0, -1).forEach((input, i) => [0, 1].forEach((channel) => {
        const samples = input[Math.min(channel, input.length - 1)];
        if (samples) block.set(samples, (2 * i + channel) * 128);
      }));
      this.blocks.push(block);
      return true;
    }
  });`;
  context.tapModule ??= context.audioWorklet.addModule(
    URL.createObjectURL(new Blob([code], { type: 'text/javascript' })));
  await context.tapModule;
}
"""
_TAP = """
async ([names, settlingS]) => {
  const engine = globalThis.stemcrateEngine;
  const { context, graph, timeline } = engine;
  const node = new AudioWorkletNode(context, 'tap', {
    numberOfInputs: names.length + 1, channelCount: 2, channelCountMode: 'explicit',
    processorOptions: { settlingS } });
  names.forEach((name, i) =>
    (name === 'master' ? graph.master : graph.lanes.get(name).pan).connect(node, 0, i));
  const probe = new ConstantSourceNode(context);
  probe.connect(node, 0, names.length);
  probe.start();
  node.port.onmessage = ({ data }) => { globalThis.tap.from = data.from; };
  node.connect(context.destination);
  const pieces = [...timeline.pieces];
  const push = timeline.push;
  timeline.push = function (piece) { pieces.push(piece); push.call(this, piece); };
  globalThis.tap = { node, pieces, names, stop: () => { timeline.push = push; probe.stop(); } };
}
"""
_STOP = """
async () => {
  const { node, pieces, names, stop } = globalThis.tap;
  const { at, blocks } = await new Promise((resolve) => {
    node.port.onmessage = ({ data }) => data.blocks && resolve(data);
    node.port.postMessage('stop');
  });
  node.disconnect();
  stop();
  const length = blocks.length * 128;
  const all = new Float32Array(2 * names.length * length);
  blocks.forEach((block, k) => {
    for (let i = 0; i < 2 * names.length; i++) {
      all.set(block.subarray(i * 128, (i + 1) * 128), i * length + k * 128);
    }
  });
  const bytes = new Uint8Array(all.buffer);
  let text = '';
  for (let i = 0; i < bytes.length; i += 32768) {
    text += String.fromCharCode(...bytes.subarray(i, i + 32768));
  }
  return { at, length, samples: btoa(text), pieces: pieces.map((p) => [p.at, p.endAt, p.frame]) };
}
"""
_HEARD = """
(seconds) => {
  const { currentTime, sampleRate } = tap.node.context;
  return currentTime - tap.from / sampleRate > seconds;
}
"""


@dataclass(frozen=True)
class Recording:
    """What nodes gave from the frame ``at`` of the audio clock on.

    Parameters
    ----------
    signals : by name, ``(2, n)``.
    pieces : start and end in the clock's frames, and the track's frame at the start.
    """

    at: int
    signals: dict[str, Signal]
    pieces: list[tuple[float, float, int]]

    def run(self, margin: int = 512) -> slice:
        """Return where the longest run of pieces without a gap was recorded, without fades."""
        runs: list[list[float]] = []
        for at, end_at, _ in self.pieces:
            if end_at <= at:
                continue
            if runs and abs(runs[-1][1] - at) < 1:
                runs[-1][1] = end_at
            else:
                runs.append([at, end_at])
        length = next(iter(self.signals.values())).shape[1]
        spans = [
            (max(round(at) - self.at + margin, 0), min(round(end) - self.at - margin, length))
            for at, end in runs
        ]
        return slice(*max(spans, key=lambda span: span[1] - span[0]))

    def parts(self, margin: int = 512) -> list[tuple[slice, int]]:
        """Return where each piece was recorded, without fades, and the track's frame there."""
        length = next(iter(self.signals.values())).shape[1]
        found = []
        for at, end_at, frame in self.pieces:
            start = max(round(at) - self.at + margin, 0)
            end = min(round(end_at) - self.at - margin, length)
            if end > start:
                found.append((slice(start, end), frame + self.at + start - round(at)))
        return found


def load_tap(page: Page) -> None:
    """Load the recorder's worklet into the player's audio graph.

    The first worklet of a graph moves it to another thread, which a source that is to start just
    then does not hear of in time. So `play` loads it before the sound begins.
    """
    page.evaluate(_LOAD_TAP)


def record(
    page: Page, names: list[str], seconds: float, *, begin: Callable[[], None] | None = None
) -> Recording:
    """Record nodes (labels of lanes, or `MASTER`) for so many seconds of the audio clock.

    ``begin`` is called when the recorder is ready, to record a beginning too. Without it the
    recording starts when fades that were on their way have ended.
    """
    load_tap(page)
    page.evaluate(_TAP, [names, SETTLING_S if begin is None else 0])
    if begin is not None:
        begin()
    page.wait_for_function(_HEARD, arg=seconds)
    got = page.evaluate(_STOP)
    samples = np.frombuffer(base64.b64decode(got["samples"]), np.float32)
    signals = dict(zip(names, samples.reshape(len(names), 2, got["length"]), strict=True))
    return Recording(got["at"], signals, [tuple(piece) for piece in got["pieces"]])


def read_lanes(stack: Stack, job: str, index: int) -> dict[str, Signal]:
    """Return the lanes of a track as the API sends them, ``(2, n_frames)`` each."""
    track: Any = stack.ask(f"/job/{job}/tracks/{index}/player")
    lanes = {}
    for lane in track["lanes"]:
        parts = []
        for segment in range(track["n_segments"]):
            data = stack.read(lane["segments_url"].replace("{segment}", str(segment)))
            samples, _ = soundfile.read(io.BytesIO(data), dtype="float32", always_2d=True)
            parts.append(samples.T * np.float32(lane["scale"]))
        lanes[lane["label"]] = np.concatenate(parts, axis=1)
    return lanes


def best_offset(heard: Signal, whole: Signal) -> int:
    """Return the frame of ``whole`` at which ``heard`` begins, by least squares.

    Music repeats, so the loudest correlation would not do.
    """
    n, size = heard.shape[1], 1 << int(np.ceil(np.log2(heard.shape[1] + whole.shape[1])))
    spectrum = np.fft.rfft(whole[0], size) * np.conj(np.fft.rfft(heard[0], size))
    products = np.fft.irfft(spectrum, size)[: whole.shape[1] - n + 1]
    sums = np.cumsum(np.pad(whole[0].astype(np.float64) ** 2, (1, 0)))
    powers = sums[n:] - sums[:-n]
    return int(np.argmin(powers - 2 * products))
