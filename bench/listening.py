"""How long a player takes to open a track, against sending its whole files.

    python -m bench.listening [--json] [--format wav|flac|mp3|m4a|opus|alac] [--minutes N] [SONG]

The song (default: the excerpt that ships with Spleeter's weights) is repeated to ten minutes and
cut by frequency into six stems that sum to it. A real server sends, over as many connections as a
browser opens: what a player needs to open (its JSON, the waveforms with bands, and the first
segment of every lane), a seek to the middle, the spectrograms, and, as the baseline, every file.
``open_cold`` is the first request of a new server, which has no process yet; ``open`` is another
track; ``open_kept`` the same track again. ``…_cpu_s`` are CPU seconds of the server and its
processes, which other programs on the machine change little. Needs 3 GB of disk and Linux.
"""

import argparse
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter, sleep

import numpy as np
import requests  # noqa: TID251
from numpy.typing import NDArray
from scipy.signal import butter, sosfiltfilt

from bench.report import report
from cli.demo_songs import demo_song
from core.artifacts.hashing import hash_file
from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.audio.metering.audiowaveform import encode_bands, encode_dat
from core.audio.metering.waveform_data import measure_waveform
from core.audio.reading.decode import read_through
from core.audio.writing.encode import SUFFIX, Encoder
from core.audio.writing.quantise import quantise
from core.pipeline.results import DecodeResult
from core.system.clock import now
from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.manifest import (
    Artefact,
    JobState,
    ProcessingManifest,
    ProcessingStage,
    SourceDetails,
    SourceRecord,
    StageState,
    TrackRecord,
)
from stemcrate.schemas.player import PlayerTrack

STEMS = ("bass", "drums", "guitar", "piano", "other", "vocals")
BORDERS_HZ = (120.0, 400.0, 1200.0, 3500.0, 9000.0)
N_CONNECTIONS = 6  # of a browser to one host
PORT = 8791

_Signal = NDArray[np.float32]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("song", nargs="?", type=Path)
    parser.add_argument("--format", default="wav", choices=sorted(SUFFIX))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    wanted = parser.parse_args()
    with TemporaryDirectory() as folder:
        data_dir = Path(folder)
        song = wanted.song or demo_song()
        first = _make_job(data_dir, song, wanted.format, wanted.minutes)
        jobs = [first, _copy_job(data_dir, first)]
        report(f"Opening {wanted.minutes:g} minutes, {wanted.format}", _measure(data_dir, jobs))


def _measure(data_dir: Path, jobs: list[str]) -> dict[str, float | str]:
    figures: dict[str, float] = {}
    with _server(data_dir) as server, ThreadPoolExecutor(N_CONNECTIONS) as connections:
        browser = _Browser(f"http://127.0.0.1:{PORT}", connections)

        def measure(name: str, paths: list[str]) -> None:
            with _measured(name, server.pid, browser, figures):
                browser.get(paths)

        for name, job_id in (("open_cold", jobs[0]), ("open", jobs[1]), ("open_kept", jobs[1])):
            with _measured(name, server.pid, browser, figures):
                track = browser.open(job_id)
        middle = track.n_segments // 2
        measure("seek", [lane.segments_url.format(segment=middle) for lane in track.lanes])
        measure("whole_files", [lane.download_url for lane in track.lanes if lane.download_url])
        measure("spectrograms", [lane.spectrogram_url for lane in track.lanes])
        # Of one bit rate of one stem, for each minute of it.
        stream = track.lanes[0].stream_url.replace("master", "160")
        measure("stream", [stream])
        figures["stream_cpu_s_per_min"] = 60 * figures["stream_cpu_s"] / track.duration_s
    for unit in ("s", "mb"):
        ratio = figures[f"whole_files_{unit}"] / figures[f"open_{unit}"]
        figures[f"whole_files_vs_open_{unit}"] = ratio
    return {**figures}


@contextmanager
def _measured(
    name: str, pid: int, browser: "_Browser", figures: dict[str, float]
) -> Iterator[None]:
    """Record the wall-clock seconds, the server's CPU seconds and the megabytes of a block."""
    browser.take_mb()
    before, began = _cpu_s(pid), perf_counter()
    yield
    figures[f"{name}_s"] = perf_counter() - began
    figures[f"{name}_cpu_s"] = _cpu_s(pid) - before
    figures[f"{name}_mb"] = browser.take_mb()


def _cpu_s(pid: int) -> float:
    """Return the CPU seconds of a process and its living children (Linux)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    children = Path("/proc").glob(f"{pid}/task/*/children")
    return own + sum(_cpu_s(int(child)) for path in children for child in path.read_text().split())


class _Browser:
    """Fetches over a few connections, as a player does."""

    def __init__(self, base: str, connections: ThreadPoolExecutor) -> None:
        self._base = base
        self._connections = connections
        self._session = requests.Session()
        self._n_bytes = 0

    def open(self, job_id: str) -> PlayerTrack:
        (data,) = self.get([f"/job/{job_id}/tracks/0/player"])
        track = PlayerTrack.model_validate_json(data)
        waveforms = [url for lane in track.lanes for url in (lane.waveform_url, lane.bands_url)]
        self.get([lane.segments_url.format(segment=0) for lane in track.lanes] + waveforms)
        return track

    def get(self, paths: list[str]) -> list[bytes]:
        found = list(self._connections.map(self._get, paths))
        self._n_bytes += sum(map(len, found))
        return found

    def take_mb(self) -> float:
        """Return the megabytes received since the last call."""
        n_bytes, self._n_bytes = self._n_bytes, 0
        return n_bytes / 1e6

    def _get(self, path: str) -> bytes:
        answer = self._session.get(self._base + path, timeout=300)
        answer.raise_for_status()
        return answer.content


@contextmanager
def _server(data_dir: Path) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "uvicorn", "--factory", "api.main:create_app_from_environment"]
    environment = {**os.environ, "DATA_DIR": str(data_dir), "DATABASE_URL": ""}  # noqa: TID251
    base = f"http://127.0.0.1:{PORT}"
    with subprocess.Popen(
        [*command, "--port", str(PORT), "--log-level", "warning"], env=environment
    ) as server:
        try:
            while not _answers(base):
                sleep(0.1)
            yield server
        finally:
            server.terminate()


def _answers(base: str) -> bool:
    try:
        return requests.get(f"{base}/health", timeout=5).ok
    except requests.ConnectionError:
        return False


def _make_job(data_dir: Path, song: Path, form: str, minutes: float) -> str:
    """Write an ended job of one track with six stems, as the pipeline leaves it."""
    rate, excerpt = _read(song)
    n_samples = round(minutes * 60 * rate)
    samples = _repeat(excerpt, n_samples)
    n_channels = len(samples)
    job_id = new_job_id()
    store = JobStore(data_dir)
    folder = store.job_folder(job_id)
    (folder / "waveforms").mkdir(parents=True)
    stems = {label: _repeat(stem, n_samples) for label, stem in _split(excerpt, rate).items()}
    upload = folder / "upload.flac"
    _encode(upload, samples, "flac", rate)
    sha256, n_bytes = hash_file(upload)
    store.adopt_upload(upload, sha256, job_id)
    artefacts = []
    for label, stem in stems.items():
        path = folder / f"{label}{SUFFIX[form]}"
        _encode(path, stem, form, rate)
        artefacts.append(
            _artefact(path, label, "stem", form, rate, form in ("wav", "flac", "alac"))
        )
    for label, stem in {"original": samples, **stems}.items():
        finest = measure_waveform([stem], rate, n_channels).levels[0]
        for kind, data in (("dat", encode_dat), ("bands", encode_bands)):
            path = folder / "waveforms" / f"{label}.{kind}"
            path.write_bytes(data(finest, rate))
            name = f"waveforms/{path.name}"
            artefacts.append(_artefact(path, label, "waveform", kind, rate, False, name))
    decoded = DecodeResult(
        sample_rate=rate,
        n_channels=n_channels,
        n_samples=n_samples,
        bit_depth=24,
        is_float=False,
        is_lossy=False,
        downmix=None,
        decoder="soundfile",
        source=SourceDetails(container="flac"),
    )
    beats = np.arange(0, n_samples / rate, 0.5)
    track = TrackRecord(
        index=0,
        source=SourceRecord(name=song.name, sha256=sha256, bytes=n_bytes),
        state=JobState.COMPLETED,
        stages=[
            ProcessingStage(
                name="decode",
                version="1",
                state=StageState.COMPLETED,
                result=decoded.model_dump(mode="json"),
            )
        ],
        artefacts=artefacts,
        analysis=JobFacts(beats_s=list(beats), downbeats_s=list(beats[::4])),
    )
    store.create(
        ProcessingManifest(
            job_id=job_id, state=JobState.COMPLETED, created_at=now(), tracks=[track]
        )
    )
    return job_id


def _copy_job(data_dir: Path, job_id: str) -> str:
    """Make another job of the same files."""
    store, copy_id = JobStore(data_dir), new_job_id()
    shutil.copytree(store.job_folder(job_id), store.job_folder(copy_id), copy_function=os.link)
    (store.job_folder(copy_id) / "manifest.json").unlink()
    store.create(store.load(job_id).model_copy(update={"job_id": copy_id}))
    return copy_id


def _artefact(
    path: Path, label: str, role: str, form: str, rate: int, is_pcm: bool, name: str | None = None
) -> Artefact:
    sha256, n_bytes = hash_file(path)
    return Artefact(
        name=name or path.name,
        role=role,
        label=label,
        stage="bench",
        format=form,
        sha256=sha256,
        bytes=n_bytes,
        sample_rate=rate,
        bit_depth="24" if is_pcm else None,
    )


def _read(song: Path) -> tuple[int, _Signal]:
    def take(rate: int, n_channels: int, blocks: Iterator[_Signal]) -> tuple[int, _Signal]:
        return rate, np.concatenate(list(blocks), axis=1)

    return read_through(song, take)[1]


def _repeat(samples: _Signal, n_samples: int) -> _Signal:
    return np.tile(samples, -(-n_samples // samples.shape[1]))[:, :n_samples]


def _split(samples: _Signal, rate: int) -> dict[str, _Signal]:
    """Cut a song into bands that sum to it."""
    stems, below = {}, np.zeros_like(samples)
    for label, border_hz in zip(STEMS, BORDERS_HZ, strict=False):
        low_pass = butter(2, border_hz, fs=rate, output="sos")
        low = sosfiltfilt(low_pass, samples).astype(np.float32)
        stems[label] = low - below
        below = low
    stems[STEMS[-1]] = samples - below
    return stems


def _encode(path: Path, samples: _Signal, form: str, rate: int) -> None:
    with Encoder(
        path, format=form, bit_depth="24", sample_rate=rate, n_channels=len(samples)
    ) as encoder:
        for start in range(0, samples.shape[1], 1 << 18):
            block = samples[:, start : start + (1 << 18)]
            if form in ("mp3", "m4a", "opus"):
                encoder.write(np.ascontiguousarray(block))
            else:
                encoder.write_codes(quantise(block, 24))


if __name__ == "__main__":
    main()
