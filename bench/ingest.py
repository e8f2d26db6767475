"""Ingest of a list of local files against adding their folder, and the latency of a watched folder.

    python -m bench.ingest [--json] [--files N]        (default: 1000)

``add_s`` and ``ingest_s`` are seconds per file of ``stemcrate library add FOLDER`` and ``stemcrate
ingest LIST`` on the same synthesised recordings of two seconds, each into an empty library, by one
process a core; ``known_…`` are those of a second run, which finds all known. ``watch_job_s`` is the
median time from the last byte of a file until ``stemcrate watch`` has made its job, of which two
seconds are the time that the file must be unchanged; ``watch_results_s`` until its results, of an
analysis of tempo, are where they were asked for.
"""

import json
import os
import signal
import subprocess
import sys
import time
import wave
from collections.abc import Callable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np

from bench.report import report

SAMPLE_RATE = 22_050
N_WATCHED = 8
PATIENCE_S = 120.0


def measure_lists(n_files: int) -> dict[str, float]:
    """Add the same files by their folder and by a list; return seconds per file."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        music = folder / "music"
        music.mkdir()
        paths = [_write_song(music / f"Artist {n} - Song {n}.wav", n) for n in range(n_files)]
        tracks = [
            {"file": str(path), "artist": f"Artist {n}", "title": f"Song {n}"}
            for n, path in enumerate(paths)
        ]
        (folder / "list.json").write_text(json.dumps({"tracks": tracks}))
        figures = {}
        for label, command in (
            ("add", ("library", "add", music)),
            ("ingest", ("ingest", folder / "list.json")),
        ):
            for again in ("", "known_"):
                seconds = _run(*command, data_dir=folder / label)
                figures[f"{again}{label}_s"] = seconds / n_files
        figures["ingest_ratio"] = figures["ingest_s"] / figures["add_s"]
        return figures


def measure_watch() -> dict[str, float]:
    """Watch a folder; return the times from the last byte of a file to its job and its results."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        watched, results, data = folder / "watched", folder / "results", folder / "data"
        watched.mkdir()
        command = _command(
            *("watch", watched, "--results", results, "--data-dir", data),
            *("--model", "none", "--stages", "tempo"),
        )
        log = data / "logs" / "worker.log"
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _wait(lambda: log.exists() and "watching" in log.read_text())
            jobs_s, results_s = [], []
            for n in range(N_WATCHED):
                _write_song(watched / f"{n}.wav", n)
                start = time.monotonic()
                _wait_for_files(data, "outputs/*/manifest.json", n + 1)
                jobs_s.append(time.monotonic() - start)
                _wait_for_files(results, "[!.]*", n + 1)
                results_s.append(time.monotonic() - start)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)
        return {"watch_job_s": median(jobs_s), "watch_results_s": median(results_s)}


def _run(*arguments: object, data_dir: Path) -> float:
    start = time.monotonic()
    subprocess.run(
        _command(*arguments, "--data-dir", data_dir, "--json"),
        env={**os.environ, "INGEST_LINKS": "false"},  # noqa: TID251
        stdout=subprocess.DEVNULL,
        check=True,
    )
    return time.monotonic() - start


def _command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "cli.main", *map(str, arguments)]


def _wait_for_files(folder: Path, pattern: str, n: int) -> None:
    _wait(lambda: len(list(folder.glob(pattern))) == n)


def _wait(is_true: Callable[[], bool]) -> None:
    ends_at = time.monotonic() + PATIENCE_S
    while not is_true():
        if time.monotonic() > ends_at:
            raise TimeoutError("the watched file did not become what was waited for")
        time.sleep(0.01)


def _write_song(path: Path, seed: int) -> Path:
    """Write two seconds of clicks and a tone that no other seed has."""
    time_s = np.arange(2 * SAMPLE_RATE) / SAMPLE_RATE
    tone = 0.2 * np.sin(2 * np.pi * (220 + seed / 7) * time_s)
    clicks = 0.5 * np.exp(-40 * (time_s % 0.5)) * np.sin(2 * np.pi * 1000 * time_s)
    codes = np.rint((tone + clicks) * 32_000).astype("<i2")
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE)
        file.writeframes(codes.tobytes())
    return path


def main() -> None:
    words = sys.argv[1:]
    n_files = int(words[words.index("--files") + 1]) if "--files" in words else 1000
    report("Ingest and watch (seconds)", {**measure_lists(n_files), **measure_watch()})


if __name__ == "__main__":
    main()
