"""One file of ``stemcrate analyze``: known already, or analysed and written down.

Runs in processes of a pool, side by side; what it returns is one line of ``--json``.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.analysis.version import ANALYSIS_VERSION
from core.artifacts.atomic import atomic_path
from core.artifacts.store import hash_file
from core.audio.source import SourceFormat
from core.audio.tag_writer import write_tags
from core.audio.tags import Tags
from core.errors import InvalidAudio, StorageFull, UnsupportedFormat

SUFFIX = ".analysis.json"

_TAG_FORMATS = {"wav": "wav", "wavex": "wav", "flac": "flac", "mp3": "mp3"}


@dataclass(frozen=True, slots=True)
class AnalysisTask:
    """What to do with one file.

    Parameters
    ----------
    path : the recording.
    record_path : where its facts are kept; None: nowhere.
    tempo_range_bpm : range that the tempo is folded into.
    max_duration_s : longest recording accepted.
    is_forced : analyse what is known, too.
    writes_tags : put tempo and key into the file.
    """

    path: Path
    record_path: Path | None
    tempo_range_bpm: tuple[float, float]
    max_duration_s: float
    is_forced: bool = False
    writes_tags: bool = False


@dataclass(frozen=True, slots=True)
class AnalysisRecord:
    """The facts of one file, whether they were known, and what went wrong beside them."""

    facts: dict[str, Any]
    is_known: bool = False
    warnings: tuple[str, ...] = ()


def run_task(task: AnalysisTask) -> AnalysisRecord:
    """Give the facts of a file, from its record where that has the hash of these bytes.

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
    known = None if task.is_forced else _load(task.record_path, request)
    if known is not None:
        return AnalysisRecord({**known, "path": str(task.path)}, is_known=True)
    # Here, and not above: what is known need not wait for SciPy.
    from core.analysis.file import analyse_file

    source, found = analyse_file(
        task.path, tempo_range_bpm=task.tempo_range_bpm, max_duration_s=task.max_duration_s
    )
    warnings = []
    if task.writes_tags:
        try:
            request["sha256"] = _tag(task.path, source, found)
        except (InvalidAudio, UnsupportedFormat, StorageFull, OSError) as error:
            warnings.append(f"{name} got no tags: {error}")
    facts = {"path": str(task.path), **request, **found}
    if task.record_path is not None:
        try:
            _save(task.record_path, facts)
        except (OSError, StorageFull) as error:
            warnings.append(f"{task.record_path} cannot be written: {error}")
    return AnalysisRecord(facts, warnings=tuple(warnings))


def _load(path: Path | None, request: dict[str, Any]) -> dict[str, Any] | None:
    """Read a record if it is what an analysis with this request would give."""
    if path is None:
        return None
    try:
        record = json.loads(path.read_bytes())
    except (OSError, ValueError):  # none yet, or cut short by somebody else: analyse again
        return None
    if isinstance(record, dict) and request.items() <= {k: record.get(k) for k in request}.items():
        return record
    return None


def _save(path: Path, facts: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with atomic_path(path) as temporary:
        temporary.write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")


def _tag(path: Path, source: SourceFormat, facts: dict[str, Any]) -> str:
    """Write tempo and key into a copy that then takes the file's place; give its new hash."""
    kind = _tag_format(source)
    if kind is None:
        raise UnsupportedFormat(f"{source.container} files get no tags here.", field="format")
    tags = Tags(bpm=facts["tempo_bpm"] or None, key=facts["key_short"])
    extra = {"CAMELOT": facts["camelot"]} if facts["camelot"] else {}
    with atomic_path(path) as temporary:
        shutil.copy2(path, temporary)
        write_tags(temporary, tags, format=kind, extra=extra)
    return hash_file(path)[0]


def _tag_format(source: SourceFormat) -> str | None:
    """Name the format as `write_tags` does; None where it writes none."""
    if source.codec == "opus":
        return "opus"
    if source.codec in ("aac", "alac"):
        return {"aac": "m4a", "alac": "alac"}[source.codec] if "mp4" in source.container else None
    return _TAG_FORMATS.get(source.container)
