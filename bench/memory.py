"""Peak memory of a whole job, by the length of its song.

    python -m bench.memory [--json] [MINUTES …]        (default: 5 20)

Each length is a process of its own: ``stemcrate process`` with every stage and Spleeter, on a
synthesised stereo song at 44.1 kHz. The figure is the largest resident set of that process.
"""

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from bench.report import report
from core.audio.wavefile import AudioWriter

SAMPLE_RATE = 44100


def _write_song(path: Path, minutes: float) -> None:
    rng = np.random.default_rng(0)
    time = np.arange(SAMPLE_RATE) / SAMPLE_RATE
    kick = np.sin(2 * np.pi * 60 * time) * np.exp(-12 * (time % 0.5))
    tones = 0.1 * sum(np.sin(2 * np.pi * f * time) for f in (220, 277, 330))
    with AudioWriter(path, sample_rate=SAMPLE_RATE, n_channels=2) as writer:
        for _ in range(round(60 * minutes)):
            noise = 0.02 * rng.standard_normal((2, SAMPLE_RATE))
            writer.write((0.3 * (kick + tones) + noise).astype(np.float32))


def measure_peak_mb(minutes: float) -> float:
    """Run a job over a song of this length; give the peak resident set in MB."""
    with TemporaryDirectory() as folder:
        song = Path(folder) / "song.wav"
        _write_song(song, minutes)
        command = [sys.executable, "-m", "cli.main", "process", str(song), "--json"]
        process = subprocess.Popen(
            [*command, "--model", "spleeter", "--data-dir", f"{folder}/data"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise RuntimeError(f"the job of {minutes:g} minutes failed")
    return usage.ru_maxrss / 1000


def main() -> None:
    lengths = [float(word) for word in sys.argv[1:] if not word.startswith("-")] or [5.0, 20.0]
    report(
        "Peak memory of a job (MB)",
        {f"rss_{minutes:g}min_mb": measure_peak_mb(minutes) for minutes in lengths},
    )


if __name__ == "__main__":
    main()
