"""One file of ``stemcrate analyze``: known already, or analysed and written down.

Runs in processes of a pool, side by side; what it returns is one line of ``--json``.
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
from core.artifacts.store import hash_file
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
    """What to do with one file.

    Parameters
    ----------
    path : the recording.
    record_path : where its record is written; None: nowhere.
    store : facts that any door of this installation found; asked first.
    tempo_range_bpm : range that the tempo is folded into.
    known_in : folders in which, at any depth, a record may be of the same bytes by another name.
    is_forced : analyse what is known, too.
    writes_tags : put tempo and key into the file.
    original : the facts of a file of the same bytes, found in this run.
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
    """The facts of one file, whether they were known, and what went wrong beside them."""

    facts: Record
    is_known: bool = False
    warnings: tuple[str, ...] = ()


def run_tasks(
    tasks: Sequence[AnalysisTask], n_processes: int
) -> Iterator[tuple[AnalysisTask, AnalysisRecord | StemcrateError]]:
    """Yield tasks as they end, those last whose file is a copy of another's: it is analysed once.

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
    """Find files that hold the same bytes as one before them, and give that one.

    Only files of one size are read. One that cannot be read is none: its own task says why.
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

    What a record says is not put into the store: it may have come with the file from elsewhere.

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
    if task.writes_tags:
        try:
            facts["sha256"] = _tag(task.path, facts)
        except (InvalidAudio, UnsupportedFormat, StorageFull, OSError) as error:
            warnings.append(f"{name} got no tags: {error}")
    if task.record_path is not None and facts != load_record(task.record_path):
        try:
            save_record(task.record_path, facts)
        except (OSError, StorageFull) as error:
            warnings.append(f"{task.record_path} cannot be written: {error}")
    return AnalysisRecord(facts, is_known=is_known, warnings=tuple(warnings))


def _find_known(task: AnalysisTask, request: dict[str, Any]) -> Record | None:
    """Read what an analysis with this request would give, under the names that the file has now."""
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
    """Write tempo and key into a copy that then takes the file's place; give its hash.

    What the file says already, and a file without tempo and key, stays as it is.
    """
    bpm = round(facts["tempo_bpm"], 2) or None
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
    """Name the format as `write_tags` does. Raises `UnsupportedFormat` where it writes none."""
    # Here, as what is only looked up needs no decoder.
    from core.audio.reading.decode import probe

    source = probe(path)
    by_codec = _CODEC_FORMATS.get(source.container, {})
    kind = by_codec.get(source.codec) or _CONTAINER_FORMATS.get(source.container)
    if kind is None:
        what = f"{source.codec} in {source.container}"
        raise UnsupportedFormat(f"{what} gets no tags here.", field="format")
    return kind
