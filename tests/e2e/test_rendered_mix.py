"""A rendered mix against what a browser's audio graph makes of the same stems."""

import base64
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Page

from core.artifacts.store import JobStore
from core.rendering.mix import plan_mix
from stemcrate.schemas.renders import Lane, MixRequest
from tests.programs import requires
from tests.rendered import RATE, GivenTrack, make_job, render
from tests.signals import make_song

pytestmark = requires("chromium")

# Each lane: source → gain → StereoPannerNode → master gain, played from an offset.
PLAY = """
async ({lanes, rate, start, length, master}) => {
  const decode = (text) => {
    const bytes = Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
    return new Float32Array(bytes.buffer);
  };
  const context = new OfflineAudioContext(2, length, rate);
  const sum = new GainNode(context, {gain: master});
  sum.connect(context.destination);
  for (const lane of lanes) {
    const channels = lane.channels.map(decode);
    const buffer = new AudioBuffer({
      length: channels[0].length, numberOfChannels: channels.length, sampleRate: rate,
    });
    channels.forEach((samples, channel) => buffer.copyToChannel(samples, channel));
    const source = new AudioBufferSourceNode(context, {buffer});
    const gain = new GainNode(context, {
      gain: lane.gain, channelCount: 2, channelCountMode: "explicit",
    });
    source.connect(gain).connect(new StereoPannerNode(context, {pan: lane.pan})).connect(sum);
    source.start(0, start);
  }
  const heard = await context.startRendering();
  return [0, 1].map((channel) => {
    const bytes = new Uint8Array(heard.getChannelData(channel).buffer);
    let text = "";
    for (let i = 0; i < bytes.length; i += 32768) {
      text += String.fromCharCode(...bytes.subarray(i, i + 32768));
    }
    return btoa(text);
  });
}
"""


def encode(samples: NDArray[np.floating]) -> str:
    return base64.b64encode(samples.astype("<f4").tobytes()).decode()


@pytest.mark.parametrize("n_channels", [1, 2])
def test_gains_pans_and_range_null_against_the_browser(
    page: Page, tmp_path: Path, n_channels: int
) -> None:
    """The exported file is what was heard, to the rounding of 32-bit float."""
    lanes = {
        "vocals": Lane(gain_db=-3.5, pan=-0.7),
        "drums": Lane(gain_db=2.0, pan=0.35),
        "bass": Lane(pan=1.0),
        "other": Lane(gain_db=-12.0),
    }
    stems = {
        name: make_song(2.0, RATE, n_channels, seed=seed, level=0.2).astype(np.float32)
        for seed, name in enumerate(lanes)
    }
    start, length, master_db = 11_025, 55_125, -1.5
    store = JobStore(tmp_path)
    request = MixRequest(
        job_id=make_job(store, GivenTrack(stems)),
        lanes=lanes,
        gain_db=master_db,
        start_s=start / RATE,
        end_s=(start + length) / RATE,
    )
    made = render(plan_mix(store, request), tmp_path / "work")

    page.goto("about:blank")
    heard = page.evaluate(
        PLAY,
        {
            "lanes": [
                {
                    "channels": [encode(channel) for channel in stems[name]],
                    "gain": 10 ** (lane.gain_db / 20),
                    "pan": lane.pan,
                }
                for name, lane in lanes.items()
            ],
            "rate": RATE,
            "start": start / RATE,
            "length": length,
            "master": 10 ** (master_db / 20),
        },
    )
    played = np.stack([np.frombuffer(base64.b64decode(text), dtype="<f4") for text in heard])
    assert played.shape == made.samples.shape
    assert np.abs(played).max() > 0.2
    assert np.abs(made.samples - played).max() < 1e-6
