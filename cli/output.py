"""Prints results and errors."""

import json
import sys
from collections.abc import Iterator
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from core.errors import InvalidOption, StemcrateError
from stemcrate.schemas.doubt import tell_doubts, with_doubt
from stemcrate.schemas.facts import JobFacts
from stemcrate.schemas.manifest import ProcessingManifest, TrackRecord

EXIT_DONE = 0
EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_IN_PART = 3

# A pipe has no width: tables keep theirs instead of breaking words at 80. No markup: names of files
# and tracks hold [square brackets].
out = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 120)
err = Console(stderr=True, highlight=False, markup=False)


def fail(error: StemcrateError) -> int:
    """Print an error; return its exit code."""
    word = Text("error", style="bold red")
    err.print(Text.assemble(word, f" ({error.code}): {error.message}"), soft_wrap=True)
    if error.hint:
        err.print(f"  {error.hint}", soft_wrap=True)
    return EXIT_USAGE if isinstance(error, InvalidOption) else EXIT_FAILED


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object, and nothing else, to stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False) + "\n")


def print_summary(manifest: ProcessingManifest) -> None:
    """Print a job's tracks with their facts, its playlist and warnings."""
    n_failed, n_tracks = manifest.n_failed_tracks, len(manifest.tracks)
    failed = f", {n_failed} of {n_tracks} tracks failed" if n_failed and n_tracks > 1 else ""
    out.print(f"Job {manifest.job_id}: {manifest.state}{failed}")
    if manifest.model.name:
        out.print(f"Model: {manifest.model.name} ({manifest.model.reason})")
    out.print(_tracks_table(manifest))
    for track in manifest.tracks:
        for kind, words in _notes(track):
            out.print(f"{kind} ({track.analysis.title or track.source.name}): {words}")
    if manifest.playlist.transitions:
        out.print(_playlist_table(manifest))
    for relaxed in manifest.playlist.relaxed:
        out.print(f"relaxed: {relaxed.words}")
    for track in manifest.tracks:
        title = track.analysis.title or track.source.name
        for warning in (w for stage in track.stages for w in stage.warnings):
            out.print(f"warning ({title}, {warning.stage}): {warning.message}")
    for warning in (w for stage in manifest.stages for w in stage.warnings):
        out.print(f"warning ({warning.stage}): {warning.message}")
    for track in manifest.tracks:
        if track.error is not None:
            err.print(f"failed: {track.source.name}: {track.error.message}", soft_wrap=True)


def _tracks_table(manifest: ProcessingManifest) -> Table:
    headings = ("Track", "Length", "BPM", "Key", "Camelot", "Energy", "LUFS", "Residual", "Files")
    table = Table(*headings)
    for track in manifest.tracks:
        facts = track.analysis
        null_test = facts.null_test
        table.add_row(
            facts.title or track.source.name,
            format_value(facts.duration_s, "{:.1f} s"),
            describe_tempo(facts.tempo_bpm, facts.tempo_confidence),
            describe_key(facts.key, facts.key_confidence),
            facts.camelot or "–",
            format_value(facts.energy, "{}"),
            _describe_loudness(facts),
            format_value(null_test.residual_dbfs if null_test else None, "{:.1f} dBFS"),
            str(sum(artefact.is_packed for artefact in track.artefacts)),
        )
    return table


def _describe_loudness(facts: JobFacts) -> str:
    """Return the loudness of the recording, and as delivered."""
    source = format_value(facts.integrated_loudness_lufs, "{:.1f}")
    delivered = facts.delivered_loudness
    if delivered is None or delivered.integrated_lufs is None:
        return source
    return f"{source} → {delivered.integrated_lufs:.1f}"


def _notes(track: TrackRecord) -> Iterator[tuple[str, str]]:
    """Yield what a line of the table leaves out, each with its kind."""
    for doubt in tell_doubts(track.analysis):
        yield "uncertain", doubt
    loudness = track.analysis.delivered_loudness
    if loudness is not None and loudness.note is not None:
        yield "loudness", loudness.note
    if same := _describe_repeats(track):
        yield "same files", same


def _describe_repeats(track: TrackRecord) -> str:
    """Return which outputs have no file of their own, as ``acapella = vocals``."""
    labels = {artefact.name: artefact.label for artefact in track.artefacts}
    return ", ".join(f"{a.label} = {labels[a.same_as]}" for a in track.artefacts if a.same_as)


def _playlist_table(manifest: ProcessingManifest) -> Table:
    titles = {track.index: track.title for track in manifest.playlist.tracks}
    table = Table("From", "Into", "Score", "Why", title=manifest.playlist.name)
    for step in manifest.playlist.transitions:
        table.add_row(
            titles[int(step.from_id)],
            titles[int(step.to_id)],
            f"{step.score:.2f}",
            "; ".join(step.reasons),
        )
    return table


def describe_tempo(tempo_bpm: float | None, confidence: float | None) -> str:
    """Return a tempo with its doubt."""
    return with_doubt(format_value(tempo_bpm, "{:.2f}"), tempo_bpm, confidence)


def describe_key(key: str | None, confidence: float | None) -> str:
    """Return a key with its doubt."""
    return with_doubt(key or "–", key, confidence)


def format_value(value: float | None, template: str) -> str:
    """Format a number by a template; None is a dash."""
    return "–" if value is None else template.format(value)
