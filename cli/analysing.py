"""Analyses one file of ``stemcrate analyze``, unless its facts are known.

Runs in the processes of a pool; each result is one line of ``--json``.
"""

import itertools
import shutil
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from cli.analysis_records import Record, find_records, load_record, save_record
from core.analysis.file import FileMixture, Listener, describe_file
from core.analysis.store import FactStore
from core.analysis.track import TrackAnalyser
from core.analysis.version import ANALYSIS_VERSION
from core.artifacts.hashing import hash_file
from core.audio.metering.silence import SILENT, is_silent_peak
from core.audio.tagging.tag_writer import write_tags
from core.audio.tagging.tags import Tags, name_track, read_tags
from core.errors import InvalidAudio, StemcrateError, StorageFull, UnsupportedFormat
from core.system.atomic import atomic_path
from core.system.task_pool import TaskPool

_CONTAINER_FORMATS = {"wav": "wav", "wavex": "wav", "flac": "flac", "mp3": "mp3", "aiff": "aiff"}
_CODEC_FORMATS = {
    "ogg": {"vorbis": "ogg", "opus": "opus"},
    "mov": {"aac": "m4a", "alac": "alac"},  # what FFmpeg calls MP4 and its kin
}


@dataclass(frozen=True, slots=True)
class AnalysisTask:
    """The work on one file.

    Parameters
    ----------
    path : the recording.
    record_path : path of its record; None writes no record.
    store : the installation's facts; read first.
    tempo_range_bpm : range that the tempo is folded into.
    known_in : folders to search, at any depth, for a record of the same bytes.
    is_forced : analyse even if the facts are known.
    writes_tags : write tempo and key to the file's tags.
    original : facts of a file with the same bytes, found in this run.
    """

    path: Path
    record_path: Path | None
    tempo_range_bpm: tuple[float, float]
    store: FactStore
    known_in: tuple[Path, ...] = ()
    is_forced: bool = False
    writes_tags: bool = False
    original: Record | None = None


@dataclass(frozen=True, slots=True)
class AnalysisRecord:
    """The facts of one file, whether they were known, and warnings."""

    facts: Record
    is_known: bool = False
    warnings: tuple[str, ...] = ()


def run_tasks(
    tasks: Sequence[AnalysisTask], n_processes: int
) -> Iterator[tuple[AnalysisTask, AnalysisRecord | StemcrateError]]:
    """Yield tasks as they end; copies of another file come last and are not analysed again.

    With `AnalysisTask.is_forced` every file is analysed.
    """
    copies = _find_copies([task for task in tasks if not task.is_forced])
    originals = set(copies.values())
    found: dict[Path, Record] = {}
    pool = TaskPool(run_task, min(n_processes, max(1, len(tasks))))
    for task, outcome in pool.run(task for task in tasks if task.path not in copies):
        if isinstance(outcome, AnalysisRecord) and task.path in originals:
            found[task.path] = outcome.facts
        yield task, outcome
    copied = (task for task in tasks if task.path in copies)
    yield from pool.run(replace(task, original=found.get(copies[task.path])) for task in copied)


def _find_copies(tasks: Sequence[AnalysisTask]) -> dict[Path, Path]:
    """Map files to an earlier file with the same bytes.

    Only files of equal size are read. Unreadable files are skipped; their tasks report why.
    """
    by_size: defaultdict[int, list[Path]] = defaultdict(list)
    for task in tasks:
        with suppress(OSError):
            by_size[task.path.stat().st_size].append(task.path)
    copies: dict[Path, Path] = {}
    for paths in by_size.values():
        first: dict[str, Path] = {}
        for path in paths if len(paths) > 1 else []:
            with suppress(OSError):
                original = first.setdefault(hash_file(path)[0], path)
                if original != path:
                    copies[path] = original
    return copies


def run_task(task: AnalysisTask) -> AnalysisRecord:
    """Return the facts of a file: from the store, else from a record with its hash, else analysed.

    A record's facts are not stored: the record may come from elsewhere.

    Raises
    ------
    InvalidAudio : the file cannot be read; its subclasses tell why.
    """
    name = task.path.name
    try:
        sha256, _ = hash_file(task.path)
    except OSError as error:
        raise InvalidAudio(f"{name} cannot be read: {error.strerror}.") from error
    request = {
        "sha256": sha256,
        "analysis_version": ANALYSIS_VERSION,
        "tempo_range_bpm": list(task.tempo_range_bpm),
    }
    with task.store.recording(sha256, is_forced=task.is_forced) as known:
        mixture = FileMixture[Listener](task.path)
        analyser = TrackAnalyser(known, mixture, tempo_range_bpm=task.tempo_range_bpm)
        record = None
        if not task.is_forced and not analyser.knows_mixture():
            record = _find_known(task, request)
        found = describe_file(task.path, analyser) if record is None else record
        is_known = record is not None or analyser.is_known
    facts = {"path": str(task.path), **request, **found, "sha256": sha256}
    warnings = []
    if "sample_peak_dbfs" in facts and is_silent_peak(facts["sample_peak_dbfs"]):
        warnings.append(f"{name}: {SILENT}")
    if task.writes_tags:
        try:
            facts["sha256"] = _tag(task.path, facts)
            task.store.copy(sha256, facts["sha256"])
        except (InvalidAudio, UnsupportedFormat, StorageFull, OSError) as error:
            warnings.append(f"{name} got no tags: {error}")
    if task.record_path is not None and facts != load_record(task.record_path):
        try:
            save_record(task.record_path, facts)
        except (OSError, StorageFull) as error:
            warnings.append(f"{task.record_path} cannot be written: {error}")
    return AnalysisRecord(facts, is_known=is_known, warnings=tuple(warnings))


def _find_known(task: AnalysisTask, request: dict[str, Any]) -> Record | None:
    """Return the known facts for this request, with the file's current names."""
    if task.original is not None:
        return _rename(task.original, task.path)
    own = task.record_path or task.path
    elsewhere = find_records(request["sha256"], task.known_in, own.parent)
    for path in itertools.chain([own] if task.record_path else [], elsewhere):
        record = load_record(path)
        if record is not None and request.items() <= {k: record.get(k) for k in request}.items():
            return _rename(record, task.path)
    return None


def _rename(record: Record, path: Path) -> Record:
    title, artist = name_track(read_tags(path), path.name)
    return {**record, "path": str(path), "title": title, "artist": artist}


def _tag(path: Path, facts: Record) -> str:
    """Write tempo and key to a copy that replaces the file; return its hash.

    A file with these tags, or without tempo and key, is unchanged.
    """
    bpm = None if facts["tempo_bpm"] is None else round(facts["tempo_bpm"], 2)
    tags = Tags(bpm=bpm, key=facts["key_short"])
    there = read_tags(path)
    if (tags.bpm in (None, there.bpm)) and (tags.key in (None, there.key)):
        return str(facts["sha256"])
    kind = _tag_format(path)
    extra = {"CAMELOT": facts["camelot"]} if facts["camelot"] else {}
    with atomic_path(path) as temporary:
        shutil.copy2(path, temporary)
        write_tags(temporary, tags, format=kind, extra=extra)
    return hash_file(path)[0]


def _tag_format(path: Path) -> str:
    """Return the format for `write_tags`. Raises `UnsupportedFormat` if it writes none."""
    # Imported here, as known facts need no decoder.
    from core.audio.reading.decode import probe

    source = probe(path)
    by_codec = _CODEC_FORMATS.get(source.container, {})
    kind = by_codec.get(source.codec) or _CONTAINER_FORMATS.get(source.container)
    if kind is None:
        what = f"{source.codec} in {source.container}"
        raise UnsupportedFormat(f"Tags are not written to {what}.", field="format")
    return kind
