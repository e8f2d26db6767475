"""Peak memory of jobs by length of the song, and of the analysis of a long mix.

    python -m bench.memory [--json] [MINUTES …]        (default: 5 20)

Each figure is the largest resident set of a command or one of its child processes.
``rss_…`` is ``stemcrate process`` with every stage and Spleeter on a synthesised stereo song at
44.1 kHz. ``analyze_3h_mb`` is ``stemcrate analyze`` on a mix of three hours, with sections and
chords that differ by track: the larger one of WAV and FLAC, 16 bits. Needs 2 GB of disk.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from bench.report import report
from core.audio.writing.encode import Encoder
from core.audio.writing.quantise import quantise
from core.audio.writing.wavefile import AudioWriter

SAMPLE_RATE = 44100
MIX_S = 3 * 3600

_BEAT = 21_000  # samples: 126 BPM
_SECTION_BARS = 16
_SECTIONS = (
    {"kick", "hats"},
    {"kick", "hats", "bass", "pad"},
    {"kick", "hats", "bass", "pad", "lead"},
    {"pad", "lead"},
    {"kick", "hats", "bass", "pad", "lead"},
    {"kick", "hats"},
)
_CHORDS = ((57, 60, 64), (53, 57, 60), (48, 52, 55), (55, 59, 62))  # Am F C G, MIDI pitches

_Mono = NDArray[np.float64]


def measure_job_mb(
    minutes: float, *, model: str = "spleeter", model_dir: Path | None = None
) -> float:
    """Run a job on a song of this length; return the peak resident set in MB."""
    with TemporaryDirectory() as folder:
        song = Path(folder) / "song.wav"
        _write_song(song, minutes)
        places = {"MODEL_DIR": str(model_dir)} if model_dir else {}
        arguments = ("process", song, "--model", model, "--data-dir", f"{folder}/data")
        return _peak_mb(*arguments, **places)


def measure_analysis_mb(format: str) -> float:
    """Analyse a mix of `MIX_S` as ``wav`` or ``flac``; return the peak resident set in MB."""
    with TemporaryDirectory() as folder:
        mix = Path(folder) / f"mix.{format}"
        _write_mix(mix, format)
        return _peak_mb("analyze", mix)


def _peak_mb(*arguments: object, **settings: str) -> float:
    command = [sys.executable, "-m", "cli.main", *map(str, arguments), "--json"]
    process = subprocess.Popen(
        command,
        env={**os.environ, **settings},  # noqa: TID251
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"stemcrate {arguments[0]} failed on {arguments[1]}")
    return usage.ru_maxrss / 1000


def _write_song(path: Path, minutes: float) -> None:
    rng = np.random.default_rng(0)
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    kick = np.sin(2 * np.pi * 60 * time) * np.exp(-12 * (time % 0.5))
    tones = 0.1 * sum(np.sin(2 * np.pi * f * time) for f in (220, 277, 330))
    with AudioWriter(path, sample_rate=SAMPLE_RATE, n_channels=2) as writer:
        for _ in range(round(60 * minutes)):
            noise = 0.02 * rng.standard_normal((2, SAMPLE_RATE))
            writer.write((0.3 * (kick + tones) + noise).astype(np.float32))


def _write_mix(path: Path, format: str) -> None:
    n_left = MIX_S * SAMPLE_RATE
    with Encoder(
        path, format=format, bit_depth="16", sample_rate=SAMPLE_RATE, n_channels=2
    ) as encoder:
        for bar in _bars():
            block = bar[:, :n_left]
            encoder.write_codes(quantise(block, 16))
            n_left -= block.shape[1]
            if not n_left:
                return


def _bars() -> Iterator[NDArray[np.float32]]:
    """Yield the bars, ``(2, n)``; every track is a fourth above the one before."""
    rng = np.random.default_rng(0)
    track = 0
    while True:
        for parts in _SECTIONS:
            for bar in range(_SECTION_BARS):
                pitches = np.array(_CHORDS[bar % len(_CHORDS)]) + 5 * track % 12
                mono = 0.5 * _play_bar(parts, pitches, rng)
                noise = 0.003 * rng.standard_normal((2, len(mono)))
                yield (mono + noise).astype(np.float32)
        track += 1


def _play_bar(parts: set[str], pitches: NDArray[np.int_], rng: np.random.Generator) -> _Mono:
    time = np.arange(4 * _BEAT) / SAMPLE_RATE
    beat_s = _BEAT / SAMPLE_RATE
    notes_hz = 440 * 2 ** ((pitches[:, None] - 69) / 12)
    sounds = {
        "kick": 0.8 * np.sin(2 * np.pi * 55 * (time % beat_s)) * np.exp(-14 * (time % beat_s)),
        "hats": 0.15 * rng.standard_normal(len(time)) * np.exp(-60 * (time % (beat_s / 2))),
        "bass": 0.3 * np.sin(np.pi * notes_hz[0] * time),
        "pad": 0.1 * np.sin(2 * np.pi * notes_hz * time).sum(axis=0),
        "lead": 0.1 * np.sin(4 * np.pi * notes_hz[1] * time) * (time % beat_s < beat_s / 2),
    }
    mono: _Mono = np.sum([sounds[part] for part in sorted(parts)], axis=0)
    return mono


def main() -> None:
    lengths = [float(word) for word in sys.argv[1:] if not word.startswith("-")] or [5.0, 20.0]
    figures = {f"rss_{minutes:g}min_mb": measure_job_mb(minutes) for minutes in lengths}
    figures["analyze_3h_mb"] = max(map(measure_analysis_mb, ("wav", "flac")))
    report("Peak memory (MB)", figures)


if __name__ == "__main__":
    main()
