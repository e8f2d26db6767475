"""Prints tracks and imports."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from rich.table import Table

from cli.output import err, format_value, out
from core.library.catalogue.summary import TrackSummary
from core.library.intake.listing import Refusal
from stemcrate.schemas.doubt import with_doubt
from stemcrate.schemas.search import LISTED, Column

if TYPE_CHECKING:
    from core.library.intake.importing import ImportReport
    from core.library.intake.refresh import RefreshReport


def print_tracks(
    tracks: Sequence[TrackSummary],
    heading: str | None = None,
    cells: Sequence[str] = (),
) -> None:
    """Print tracks, with one more column if it has a ``heading``."""
    shown = {name: column for name, column in LISTED.items() if column.heading}
    facts = [str(column.heading) for column in shown.values()]
    table = Table("Id", "Title", "Artist", *facts, "File", *([heading] if heading else []))
    for place, track in enumerate(tracks):
        table.add_row(
            track.id[:10],
            track.title,
            track.artist or "–",
            *(_describe_fact(track, name, column) for name, column in shown.items()),
            "moved" if track.is_missing else "there",
            *cells[place : place + 1],
        )
    out.print(table)


def _describe_fact(track: TrackSummary, name: str, column: Column) -> str:
    value = getattr(track, name)
    certainty = getattr(track, column.certainty) if column.certainty else None
    return with_doubt(format_value(value, column.form), value, certainty)


def describe_report(report: "ImportReport") -> dict[str, Any]:
    """Return an import as ``--json`` prints it."""
    return {
        "added": report.added,
        "known": report.known,
        "refused": [_describe_refusal(refusal) for refusal in report.refused],
    }


def describe_refresh(report: "RefreshReport") -> dict[str, Any]:
    """Return a refresh as ``--json`` prints it."""
    return {
        "refreshed": report.refreshed,
        "missing": report.missing,
        "refused": [_describe_refusal(refusal) for refusal in report.refused],
    }


def print_refresh(report: "RefreshReport") -> None:
    """Print the outcome of a refresh."""
    out.print(
        f"{len(report.refreshed)} analysed again, {len(report.missing)} without a file, "
        f"{len(report.refused)} refused."
    )
    print_refusals(report.refused)


def _describe_refusal(refusal: Refusal) -> dict[str, Any]:
    error = refusal.error
    return {"path": refusal.path, "error": {"code": error.code, "message": error.message}}


def print_refusals(refusals: Iterable[Refusal]) -> None:
    """List refused files on stderr."""
    for refusal in refusals:
        err.print(f"refused: {refusal.path}: {refusal.error.message}", soft_wrap=True)
