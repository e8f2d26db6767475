"""Streams of a real API, read by FFmpeg, by Chromium, and by hls.js in it."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import av
import httpx
import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from playwright.sync_api import Page

from api.deps import Services
from api.main import create_app
from core.analysis.store import FactStore
from core.library.intake.importing import SourceFile, import_files
from core.listening import tasks
from stemcrate.client import Client
from tests.integration.api.apps import SAMPLE_RATE, serve_app, settings_for, wav_bytes
from tests.programs import requires
from tests.signals import make_song

pytestmark = pytest.mark.slow
HLS_JS = Path(__file__).parent / "vendor" / "hls.light.min.js"
SECONDS = 20.0
LEAD_IN = 1024


@dataclass(frozen=True)
class Streamed:
    """An API with a track in its library."""

    url: str
    track_id: str
    client: Client
    services: Services

    @property
    def master(self) -> str:
        return f"{self.url}/stream/{self.track_id}/master.m3u8"


@pytest.fixture(scope="module")
def streamed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Streamed]:
    folder = tmp_path_factory.mktemp("streams")
    song = folder / "song.wav"
    song.write_bytes(wav_bytes(SECONDS, seed=5))
    app = create_app(settings_for(folder / "data"))
    with serve_app(app) as (host, port):
        url = f"http://{host}:{port}"
        services: Services = app.state.services
        with Client(url, timeout_s=120.0) as client:
            yield Streamed(url, add(services, song), client, services)


def add(services: Services, song: Path) -> str:
    """Add a file to the library as `stemcrate library add` does; return its track."""
    store = FactStore(services.settings.data_dir, 10_000_000)
    source = SourceFile(song, song.name)
    (track_id,) = import_files(services.library, [source], store=store, n_processes=1).added
    return track_id


def decode(url: str) -> NDArray[np.float32]:
    """Return what FFmpeg reads, ``(n_channels, n_frames)``."""
    with av.open(url) as container:
        frames = [frame.to_ndarray() for frame in container.decode(audio=0)]
    return np.concatenate(frames, axis=1)


@pytest.mark.parametrize(("kbps", "snr_db"), [(256, 25.0), (96, 12.0)])
def test_ffmpeg_hears_the_song(streamed: Streamed, kbps: int, snr_db: float) -> None:
    """From its first sample, behind one frame of silence; to its last one."""
    heard = decode(streamed.master.replace("master", str(kbps)))
    song = make_song(SECONDS, SAMPLE_RATE, seed=5)
    assert not np.abs(heard[:, : LEAD_IN - 256]).max() > 0.01
    heard = heard[:, LEAD_IN:]
    assert song.shape[1] <= heard.shape[1] < song.shape[1] + 2 * LEAD_IN
    noise = heard[:, : song.shape[1]] - song
    for part in (slice(None), slice(0, 2 * LEAD_IN)):  # the first frame is intact, too
        assert 10 * np.log10(np.mean(song[:, part] ** 2) / np.mean(noise[:, part] ** 2)) > snr_db


def test_the_master_leads_to_every_rate(streamed: Streamed) -> None:
    with httpx.Client() as client:
        master = client.get(streamed.master)
        assert master.headers["content-type"].startswith("application/vnd.apple.mpegurl")
        names = [line for line in master.text.splitlines() if line and line[0] != "#"]
        assert names == ["256.m3u8", "160.m3u8", "96.m3u8"]
        for name in names:
            playlist = client.get(streamed.master.replace("master.m3u8", name))
            assert playlist.text.rstrip().endswith("#EXT-X-ENDLIST")
            media = streamed.master.replace("master.m3u8", name.replace("m3u8", "mp4"))
            part = client.get(media, headers={"Range": "bytes=4-7"})
            assert (part.status_code, part.content) == (206, b"ftyp")
            again = client.get(media, headers={"If-None-Match": part.headers["etag"]})
            assert again.status_code == 304


@pytest.mark.parametrize(
    ("file", "status"), [("128.m3u8", 404), ("0256.m3u8x", 422), ("../x", 404), ("master.mp4", 422)]
)
def test_there_is_nothing_else(streamed: Streamed, file: str, status: int) -> None:
    answer = httpx.get(streamed.master.replace("master.m3u8", file))
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_stream_is_made_once(streamed: Streamed, monkeypatch: pytest.MonkeyPatch) -> None:
    streamed.client.get_stream(streamed.track_id, "160.m3u8")

    def never(*_: object) -> None:
        raise AssertionError("made again")

    monkeypatch.setattr(tasks, "stream", never)
    assert streamed.client.get_stream(streamed.track_id, "160.mp4")[4:8] == b"ftyp"


def test_high_rates_come_down_to_what_browsers_play(streamed: Streamed, tmp_path: Path) -> None:
    song = tmp_path / "high.wav"
    soundfile.write(song, make_song(3.0, 96_000, seed=1).T, 96_000)
    track_id = add(streamed.services, song)
    with av.open(f"{streamed.url}/stream/{track_id}/96.m3u8") as container:
        assert container.streams.audio[0].rate == 48_000
    streamed.client.remove_track(track_id)
    assert httpx.get(f"{streamed.url}/stream/{track_id}/96.m3u8").status_code == 404


PLAY = """
async (url) => {
  const audio = new Audio();
  audio.muted = true;
  document.body.append(audio);
  let levels = null;
  if (window.Hls) {
    const hls = new Hls();
    const failed = new Promise((_, reject) =>
      hls.on(Hls.Events.ERROR, (_, data) => data.fatal && reject(new Error(data.details))));
    hls.loadSource(url);
    hls.attachMedia(audio);
    await Promise.race([failed, new Promise((done) => hls.once(Hls.Events.MANIFEST_PARSED, done))]);
    levels = hls.levels.map((level) => level.bitrate);
  } else {
    audio.src = url;
  }
  await audio.play();
  audio.currentTime = 13;
  await new Promise((done, fail) => {
    audio.onerror = () => fail(new Error(audio.error.message));
    audio.ontimeupdate = () => audio.currentTime > 13.5 && done();
  });
  return {duration: audio.duration, levels};
}
"""


@requires("chromium")
@pytest.mark.parametrize("has_library", [True, False])
def test_browsers_play_and_seek(streamed: Streamed, page: Page, has_library: bool) -> None:
    """With hls.js, which pages of others use; and Chromium by itself."""
    page.goto(f"{streamed.url}/health")
    if has_library:
        page.add_script_tag(path=HLS_JS)
    found = page.evaluate(PLAY, streamed.master)
    assert found["duration"] == pytest.approx(SECONDS, abs=0.1)
    if has_library:
        assert len(found["levels"]) == 3
