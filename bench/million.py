"""What a million tracks take, from measured figures.

    python -m bench.million [--json] [NAME=VALUE …]

Prints, for a collection of so many tracks, the machines, hours, bytes and money, and which part is
the first that adding workers no longer helps. Each figure below can be given anew by its name, such
as ``tracks=50000 days=3``; those that `bench.load`, `bench.separation` and `bench.analysis` measure
stand here with their values, and prices are those of nobody in particular.
"""

import sys
from dataclasses import dataclass, fields

from bench.report import report


@dataclass(frozen=True, slots=True)
class Figures:
    """What is asked, what was measured on one slow core, and what things cost."""

    tracks: float = 1e6
    minutes: float = 4.0  # of a track
    days: float = 30.0  # in which all is to be done

    analysis_cpu_s_per_min: float = 0.35  # bench.analysis, all facts
    delivery_cpu_s_per_min: float = (
        3.0  # all stages but separation and analysis; bench.load storage
    )
    separation_cpu_s_per_min: float = 42.0  # HTDemucs on two cores; bench.separation
    separation_gpu_s_per_min: float = 1.0  # not measured here: one minute a second on a large GPU
    uploads_mb_per_min: float = 5.0  # FLAC at 44.1 kHz
    outputs_mb_per_min: float = 20.0  # four stems as FLAC
    cache_mb_per_min: float = 85.0  # four stems and the recording in float32
    database_kb: float = 200.0  # of a job; bench.load storage
    # Jobs that passed through one PostgreSQL beside two workers on two cores: at least so many.
    jobs_per_s_of_database: float = 5.7  # bench.load throughput

    gpu_hour: float = 1.5
    core_hour: float = 0.04
    gb_month: float = 0.02


def extrapolate(given: Figures) -> dict[str, float | str]:
    """Return what the tracks take."""
    minutes = given.tracks * given.minutes
    hours = 24 * given.days
    gpu_hours = minutes * given.separation_gpu_s_per_min / 3600
    core_hours = minutes * (given.analysis_cpu_s_per_min + given.delivery_cpu_s_per_min) / 3600
    separation_core_hours = minutes * given.separation_cpu_s_per_min / 3600
    kept_gb = minutes * (given.uploads_mb_per_min + given.outputs_mb_per_min) / 1e3
    money = gpu_hours * given.gpu_hour + core_hours * given.core_hour + kept_gb * given.gb_month
    jobs_per_hour = given.jobs_per_s_of_database * 3600
    return {
        "gpus": gpu_hours / hours,
        "cpu_cores": core_hours / hours,
        "cpu_cores_without_gpus": (core_hours + separation_core_hours) / hours,
        "kept_tb": kept_gb / 1e3,
        "cache_tb_if_nothing_is_removed": minutes * given.cache_mb_per_min / 1e6,
        "database_gb": given.tracks * given.database_kb / 1e6,
        "share_of_the_database_in_use": given.tracks / jobs_per_hour / hours,
        "gpus_that_one_database_feeds": jobs_per_hour
        * given.minutes
        * given.separation_gpu_s_per_min
        / 3600,
        "money": money,
        "money_per_1000_tracks": 1000 * money / given.tracks,
    }


def main() -> None:
    words = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
    unknown = words.keys() - {field.name for field in fields(Figures)}
    if unknown:
        sys.exit(f"There is no figure '{min(unknown)}'.")
    given = Figures(**{name: float(value) for name, value in words.items()})
    report(
        f"{given.tracks:g} tracks of {given.minutes:g} min in {given.days:g} days",
        extrapolate(given),
    )


if __name__ == "__main__":
    main()
