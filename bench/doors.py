"""What the analysis of the same files costs by each door of the product, in CPU seconds.

Asked by ``python -m bench.analysis --doors FOLDER``. Every command runs as a process of its own
over a data folder of its own, with all that starts and ends it; with ``known`` its facts have been
found before by `analyze`. ``new_less_known``, the difference between the two, is what the analysis
itself takes, without all that starts, enters and ends.
"""

import os
import resource
import subprocess
import sys
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

N_PROCESSES = 2
SUFFIXES = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".aiff"}


def measure_doors(folder: Path, *, n_files: int, n_rounds: int) -> dict[str, float | str]:
    """Return the median CPU seconds of each door over some files of a folder, and their ratios.

    Parameters
    ----------
    n_files : at most so many, evenly chosen in the order of their names.
    n_rounds : the doors take turns so often.
    """
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    files = files[:: max(1, len(files) // n_files)][:n_files]
    processes: list[str | Path] = ["--processes", str(N_PROCESSES)]
    analyze: list[str | Path] = ["analyze", *files, "--no-files", "--csv", *processes]
    doors: dict[str, list[str | Path]] = {
        "analyze": analyze,
        "library_add": ["library", "add", *files, *processes],
        "job_without_model": ["process", *files, "--model", "none"],
    }
    seconds: dict[str, list[float]] = {}
    for _ in range(n_rounds):
        for name, command in doors.items():
            with TemporaryDirectory() as data_dir:
                seconds.setdefault(name, []).append(_cpu_s(command, data_dir))
        with TemporaryDirectory() as data_dir:
            _cpu_s(analyze, data_dir)
            for name, command in doors.items():
                seconds.setdefault(f"{name}_known", []).append(_cpu_s(command, data_dir))
    figures: dict[str, float | str] = {"n_files": len(files)}
    figures |= {f"{name}_cpu_s": median(values) for name, values in seconds.items()}
    base = median(seconds["analyze"])
    figures |= {
        f"{name}_vs_analyze": median(values) / base
        for name, values in seconds.items()
        if name != "analyze"
    }
    analysis = {name: median(seconds[name]) - median(seconds[f"{name}_known"]) for name in doors}
    figures |= {
        f"{name}_new_less_known_vs_analyze": analysis[name] / analysis["analyze"]
        for name in doors
        if name != "analyze"
    }
    return figures


def _cpu_s(command: list[str | Path], data_dir: str) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(
        [sys.executable, "-m", "cli.main", *map(str, command)],
        env={**os.environ, "DATA_DIR": data_dir, "DATABASE_URL": ""},  # noqa: TID251
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
