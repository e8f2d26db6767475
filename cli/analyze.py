"""stemcrate analyze: the facts of files and folders, without separating anything."""

import csv
import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from cli.analysing import AnalysisRecord, AnalysisTask, run_tasks
from cli.analysis_records import SUFFIX, list_trees, place_records
from cli.option_model import Asked, OptionsOf, with_options
from cli.output import (
    EXIT_DONE,
    EXIT_FAILED,
    EXIT_IN_PART,
    describe_key,
    describe_tempo,
    err,
    format_value,
    out,
    print_json,
)
from cli.progress import file_progress
from config import settings
from core.analysis.store import FactStore
from core.errors import InvalidOption, StemcrateError
from core.library.intake.listing import list_files
from core.pipeline.options import parse_options
from stemcrate.schemas.doubt import tell_doubts
from stemcrate.schemas.facts import TrackFacts
from stemcrate.schemas.options import ProcessingOptions

Option = typer.Option
Outcome = AnalysisRecord | StemcrateError

CSV_COLUMNS = (
    "path",
    "sha256",
    "duration_s",
    "tempo_bpm",
    "tempo_confidence",
    "tempo_is_steady",
    "time_signature",
    "key",
    "camelot",
    "open_key",
    "key_confidence",
    "tuning_cents",
    "energy",
    "integrated_loudness_lufs",
    "loudness_range_lu",
    "true_peak_dbtp",
    "replaygain_db",
    "first_downbeat_s",
    "error",
)


@with_options
def analyze(
    paths: Annotated[
        list[Path], typer.Argument(help="Files, folders (recursively), M3U8 playlists.")
    ],
    asked: Annotated[Asked, OptionsOf(ProcessingOptions, only=("tempo_min_bpm", "tempo_max_bpm"))],
    json: Annotated[bool, Option("--json", help="Print one JSON object per line.")] = False,
    as_csv: Annotated[bool, Option("--csv", help="Print a CSV table, one row per file.")] = False,
    output_dir: Annotated[
        Path | None, Option(help=f"Folder for {{name}}{SUFFIX}; by default beside each file.")
    ] = None,
    files: Annotated[
        bool, Option("--files/--no-files", help=f"Write {{name}}{SUFFIX} files.")
    ] = True,
    force: Annotated[bool, Option("--force", help="Analyse known files again.")] = False,
    write_tags: Annotated[
        bool, Option("--write-tags", help="Write tempo and key into the tags of the files.")
    ] = False,
    processes: Annotated[
        int | None, Option(min=1, help="Number of files to analyse in parallel.")
    ] = None,
) -> None:
    """Analyse PATHS: tempo, beats, key, energy, loudness, structure. Exit code 3: some failed."""
    if json and as_csv:
        raise InvalidOption("--json and --csv exclude each other.", field="csv")
    options = parse_options(asked, settings().default_options())
    listing = list_files(paths)
    if not listing.files and not listing.refusals:
        raise InvalidOption("There is no audio file in these folders.", field="paths")
    records: list[Path | None] = [None] * len(listing.files)
    if files:
        records = [*place_records(listing.files, paths, output_dir)]
    known_in = list_trees(paths, output_dir)
    store = FactStore(settings().data_dir.resolve(), settings().cache_max_bytes)
    tasks = [
        AnalysisTask(
            path,
            record,
            (options.tempo_min_bpm, options.tempo_max_bpm),
            store,
            known_in,
            is_forced=force,
            writes_tags=write_tags,
        )
        for path, record in zip(listing.files, records, strict=True)
    ]
    printer = _Printer("json" if json else "csv" if as_csv else "table")
    for refusal in listing.refusals:
        printer.add(refusal.path, refusal.error)
    for task, outcome in _run(tasks, processes or os.cpu_count() or 1):
        printer.add(str(task.path), outcome)
    printer.finish()
    sys.exit(printer.exit_code())


def _run(tasks: Sequence[AnalysisTask], n_processes: int) -> Iterator[tuple[AnalysisTask, Outcome]]:
    """Yield tasks as they end, with a bar on stderr; Ctrl-C keeps what is written."""
    with file_progress() as progress:
        for done, (task, outcome) in enumerate(run_tasks(tasks, n_processes), start=1):
            progress(done, len(tasks), task.path.name)
            yield task, outcome


class _Printer:
    """Prints results in one of three formats, and counts them."""

    def __init__(self, style: str) -> None:
        self._style = style
        self._n_good = self._n_bad = self._n_known = 0
        self._rows: list[tuple[str, tuple[str, ...]]] = []
        self._doubts: list[tuple[str, str]] = []
        self._csv = csv.DictWriter(sys.stdout, CSV_COLUMNS, extrasaction="ignore", restval="")
        if style == "csv":
            self._csv.writeheader()

    def add(self, path: str, outcome: Outcome) -> None:
        if isinstance(outcome, StemcrateError):
            self._n_bad += 1
            error = {"code": outcome.code, "message": outcome.message, "hint": outcome.hint}
            err.print(f"failed: {path}: {outcome.message}", soft_wrap=True)
            self._write({"path": path, "error": error if self._style == "json" else str(outcome)})
            return
        self._n_good += 1
        self._n_known += outcome.is_known
        for warning in outcome.warnings:
            err.print(f"warning: {warning}", soft_wrap=True)
        self._write(outcome.facts)

    def finish(self) -> None:
        if self._rows:
            table = Table("Track", "Length", "BPM", "Key", "Camelot", "Energy", "LUFS")
            # Sorted by path, not by completion.
            for _, row in sorted(self._rows):
                table.add_row(*row)
            out.print(table)
            for path, told in sorted(self._doubts):
                out.print(f"uncertain ({Path(path).name}): {told}")
        if self._n_known:
            err.print(f"{self._n_known} known already; --force analyses them again.")
        err.print(f"{self._n_good - self._n_known} analysed, {self._n_bad} failed.")

    def exit_code(self) -> int:
        if not self._n_bad:
            return EXIT_DONE
        return EXIT_IN_PART if self._n_good else EXIT_FAILED

    def _write(self, facts: dict[str, Any]) -> None:
        if self._style == "json":
            print_json(facts)
            sys.stdout.flush()
        elif self._style == "csv":
            self._csv.writerow({name: _cell(facts.get(name)) for name in CSV_COLUMNS})
            sys.stdout.flush()
        elif "error" not in facts:
            self._rows.append((facts["path"], _describe_row(facts)))
            self._doubts += [(facts["path"], told) for told in _tell_doubts(facts)]


def _cell(value: Any) -> Any:
    """Round numbers for spreadsheets."""
    return round(value, 4) if isinstance(value, float) else value


def _tell_doubts(facts: dict[str, Any]) -> list[str]:
    kinds = ("tempo", "key")
    known = {name: value for name, value in facts.items() if name.startswith(kinds)}
    return tell_doubts(TrackFacts.model_validate(known))


def _describe_row(facts: dict[str, Any]) -> tuple[str, ...]:
    return (
        facts.get("title") or Path(facts["path"]).stem,
        format_value(facts["duration_s"], "{:.1f} s"),
        describe_tempo(facts["tempo_bpm"], facts["tempo_confidence"]),
        describe_key(facts["key"], facts["key_confidence"]),
        facts["camelot"] or "–",
        format_value(facts["energy"], "{}"),
        format_value(facts["integrated_loudness_lufs"], "{:.1f}"),
    )
