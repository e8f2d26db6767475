"""How tracks and imports look on a terminal."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from rich.table import Table

from cli.output import err, out
from core.library.catalogue.summary import TrackSummary
from core.library.intake.listing import Refusal

if TYPE_CHECKING:
    from core.library.intake.importing import ImportReport


def describe_track(track: TrackSummary) -> dict[str, Any]:
    """Tell a track as JSON does."""
    return {**asdict(track), "is_missing": track.is_missing}


def print_tracks(
    tracks: list[TrackSummary] | tuple[TrackSummary, ...],
    heading: str | None = None,
    cells: list[str] | None = None,
) -> None:
    """Print tracks, with a column more where there is one."""
    columns = ["Id", "Title", "Artist", "Length", "BPM", "Camelot", "Energy", "LUFS", "File"]
    table = Table(*columns, *([heading] if heading else []))
    for place, track in enumerate(tracks):
        table.add_row(
            track.id[:10],
            track.title,
            track.artist or "–",
            _format(track.duration_s, "{:.0f} s"),
            _format(track.tempo_bpm, "{:.2f}"),
            track.camelot or "–",
            _format(track.energy, "{:.0f}"),
            _format(track.integrated_loudness_lufs, "{:.1f}"),
            "moved" if track.is_missing else "there",
            *([cells[place]] if cells else []),
        )
    out.print(table)


def _format(value: float | None, template: str) -> str:
    return "–" if value is None else template.format(value)


def describe_report(report: "ImportReport") -> dict[str, Any]:
    """Tell an import as JSON does."""
    return {
        "added": report.added,
        "known": report.known,
        "refused": [_describe_refusal(refusal) for refusal in report.refused],
    }


def _describe_refusal(refusal: Refusal) -> dict[str, Any]:
    error = refusal.error
    return {"path": refusal.path, "error": {"code": error.code, "message": error.message}}


def print_refusals(report: "ImportReport") -> None:
    """Name what was refused, on stderr."""
    for refusal in report.refused:
        err.print(f"refused: {refusal.path}: {refusal.error.message}", soft_wrap=True)
