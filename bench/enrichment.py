"""CPU seconds of the enrichers per minute of audio, beside the analysis in the same run.

    python -m bench.enrichment FILE… [--json]

Each file is analysed, then shown to each enricher that needs no service, in this process; decoding
counts for each. What was loaded for the first file counts apart. The weights of musicnn have to be
imported (docs/enrichment.md); without them, it is left out, and the reason is printed.
"""

import argparse
from collections.abc import Callable
from pathlib import Path
from time import process_time
from typing import TypeVar

from bench.report import report
from config import settings
from core.analysis.file import analyse_file
from core.enrichment.character import CharacterEnricher
from core.enrichment.enricher import EnrichedTrack, Enricher
from core.enrichment.musicnn.enricher import MusicnnEnricher
from core.errors import ModelUnavailable
from stemcrate.schemas.facts import TrackFacts

S = TypeVar("S")
T = TypeVar("T")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", type=Path, nargs="+", help="recordings")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    paths: list[Path] = parser.parse_args().files
    analyse_file(paths[0])  # loads what the first analysis loads
    analyses = [_timed(analyse_file, path) for path in paths]
    tracks = [
        EnrichedTrack("0" * 64, path.name, path, TrackFacts.model_validate(found))
        for path, (_, found) in zip(paths, analyses, strict=True)
    ]
    minutes = sum(track.facts.duration_s or 0.0 for track in tracks) / 60.0
    analysis_s = sum(seconds for seconds, _ in analyses) / minutes
    figures: dict[str, float | str] = {
        "recordings": str(len(paths)),
        "minutes": minutes,
        "analysis_cpu_s_per_minute": analysis_s,
    }
    for kind in (CharacterEnricher, MusicnnEnricher):
        enricher: Enricher = kind(settings().enricher_settings())
        try:
            first_s, _ = _timed(enricher.enrich, tracks[0])
        except ModelUnavailable as error:
            figures[kind.name] = str(error)
            continue
        each = [_timed(enricher.enrich, track) for track in tracks]
        seconds = sum(s for s, _ in each) / minutes
        figures[f"{kind.name}_cpu_s_per_minute"] = seconds
        figures[f"{kind.name}_relative_to_analysis"] = seconds / analysis_s
        figures[f"{kind.name}_loading_cpu_s"] = max(first_s - each[0][0], 0.0)
    report("Enrichment beside the analysis", figures)


def _timed(work: Callable[[S], T], subject: S) -> tuple[float, T]:
    began = process_time()
    result = work(subject)
    return process_time() - began, result


if __name__ == "__main__":
    main()
