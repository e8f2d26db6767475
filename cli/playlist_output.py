"""Prints playlists, as tables or JSON."""

from collections.abc import Sequence
from typing import Any

import typer
from rich.table import Table

from cli.output import describe_key, describe_tempo, err, format_value, out
from core.library.catalogue.summary import TrackSummary
from core.library.records.record import PlaylistRecord


def print_playlist(
    record: PlaylistRecord,
    tracks: Sequence[TrackSummary],
    files: dict[str, str],
    warnings: Sequence[str],
) -> None:
    """Print a playlist's tracks, relaxed wishes and files by format."""
    table = Table(
        "#", "Title", "Artist", "BPM", "Camelot", "Energy", "Into the next", title=record.name
    )
    steps = record.plan.transitions
    for place, track in enumerate(tracks):
        step = steps[place] if place < len(steps) else None
        table.add_row(
            str(place + 1),
            track.title,
            track.artist or "–",
            describe_tempo(track.tempo_bpm, track.tempo_confidence),
            describe_key(track.camelot, track.key_confidence),
            format_value(track.energy, "{:.0f}"),
            f"{step.score:.2f}: {'; '.join(step.reasons)}" if step else "",
        )
    out.print(table)
    out.print(f"Playlist {record.id}")
    for relaxed in record.plan.relaxed:
        err.print(f"relaxed: {relaxed.words}")
    for warning in warnings:
        err.print(f"warning: {warning}")
    for format, path in files.items():
        typer.echo(f"{format}: {path}")


def describe_playlist(
    record: PlaylistRecord,
    tracks: Sequence[TrackSummary],
    files: dict[str, str],
    warnings: Sequence[str],
) -> dict[str, Any]:
    """Describe a playlist as ``--json`` prints it."""
    return {
        "id": record.id,
        "name": record.name,
        "duration_s": record.plan.duration_s,
        "tracks": [track.model_dump(mode="json") for track in tracks],
        "transitions": [step.model_dump() for step in record.plan.transitions],
        "relaxed": [relaxed.model_dump() for relaxed in record.plan.relaxed],
        "warnings": list(warnings),
        "files": files,
    }
