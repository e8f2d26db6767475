"""stemcrate library enrich: what enrichers find about tracks."""

import sys
import time
from contextlib import closing
from typing import Annotated

import typer
from rich.table import Table

from cli.library import AsJson, DataDir, find_track, open_library
from cli.output import EXIT_DONE, EXIT_IN_PART, err, out, print_json
from cli.progress import file_progress
from config import settings, storage_at
from core.artifacts.store import JobStore
from core.errors import StemcrateError
from core.system.isolation import IsolatedProcess, ProcessLimits
from stemcrate.schemas.enrichment import EnricherOutcome, Enrichment


def enrich(
    tracks: Annotated[
        list[str] | None,
        typer.Argument(help="Tracks: their files, or the beginnings of their ids."),
    ] = None,
    all_tracks: Annotated[
        bool, typer.Option("--all", help="All tracks that lack a result of an enricher.")
    ] = False,
    data_dir: DataDir = None,
    json: AsJson = False,
) -> None:
    """Let the enrichers of ENRICHERS look at tracks. Exit code 3: some failed."""
    from core.enrichment.enriching import enrich_track, in_process, lacking
    from core.enrichment.registry import find_enrichers

    if bool(tracks) == all_tracks:
        raise typer.BadParameter("Name tracks, or take them all with --all.")
    wanted = settings().enricher_settings()
    enrichers = find_enrichers(wanted)
    library, store = open_library(data_dir), JobStore(storage_at(data_dir))
    ids = list(dict.fromkeys(find_track(library, track) for track in tracks or ()))
    ids = lacking(library, enrichers) if all_tracks else ids
    failed = False
    with file_progress() as progress, closing(IsolatedProcess(ProcessLimits())) as process:
        for done, track_id in enumerate(ids, start=1):
            for one in enrichers:
                outcome = enrich_track(
                    library,
                    track_id,
                    one,
                    wanted,
                    store=store,
                    carry=in_process(process),
                    wait=time.sleep,
                )
                failed |= outcome.error is not None
            progress(done, len(ids), library.summary(track_id).title)
    found = {track_id: library.enrichment(track_id).view() for track_id in ids}
    if json:
        print_json(
            {
                "tracks": [
                    {"id": track_id, **view.model_dump(mode="json", exclude_none=True)}
                    for track_id, view in found.items()
                ]
            }
        )
    else:
        _print({library.summary(i).title: view for i, view in found.items()})
    sys.exit(EXIT_IN_PART if failed else EXIT_DONE)


def _print(found: dict[str, Enrichment]) -> None:
    table = Table("Title", "Enricher", "Found")
    for title, view in found.items():
        for outcome in view.outcomes:
            table.add_row(title, outcome.enricher, describe_outcome(outcome))
            if outcome.error is not None:
                text = StemcrateError(outcome.error.message, hint=outcome.error.hint)
                err.print(f"{title}: {outcome.enricher} failed: {text}", soft_wrap=True)
    out.print(table)


def describe_outcome(outcome: EnricherOutcome) -> str:
    """Describe in one line what an enricher found."""
    words = [f"{tag.name} {tag.score:.2f}" for tag in outcome.tags[:5]]
    for name in ("danceability", "valence", "arousal"):
        if (estimate := getattr(outcome, name)) is not None:
            words.append(f"{name} {estimate.value:.2f}")
    words += [
        f"{found.artist or '?'} – {found.title or '?'} ({found.score:.0%})"
        for found in outcome.proposals[:1]
    ]
    return ", ".join(words) or ("failed" if outcome.error else "nothing")
