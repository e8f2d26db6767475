"""Store of facts, so that no part of the product analyses a recording twice.

    facts/{first two of the SHA-256}/{SHA-256 of the bytes}.json.gz

One document per recording: each part of its analysis with the parameters that it depends on,
without names or audio. A document that is damaged, or from another version of the analysis, counts
as missing and is replaced.
"""

import gzip
import json
import logging
import os
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from filelock import FileLock
from pydantic import Field, ValidationError

from core.analysis.version import ANALYSIS_VERSION
from core.errors import StorageFull
from core.system.atomic import write_atomically
from core.system.clock import now
from core.system.disk import create_data_dir
from stemcrate.schemas.record import Facts, Record

logger = logging.getLogger(__name__)

F = TypeVar("F", bound=Facts)
Parameters = Mapping[str, Any]

SUFFIX = ".json.gz"
_N_SHARDS = 256  # one for each value of the first two hexadecimal digits
_SHARE = 10
"""Facts take at most a tenth of the limit of cached results: stems are a thousand times larger."""


class KeptPart(Record):
    """A part of the analysis, and when it was made."""

    part: str
    parameters: dict[str, Any]
    made_at: datetime
    facts: dict[str, Any]


class FactDocument(Record):
    """All stored parts of one recording."""

    sha256: str
    analysis_version: str
    parts: list[KeptPart] = Field(default_factory=list)


class KnownFacts:
    """Known facts of one recording; new ones are recorded.

    Parameters
    ----------
    parts : the known parts; empty for a new recording.
    """

    def __init__(self, parts: list[KeptPart] | None = None) -> None:
        self._parts = {_key(part.part, part.parameters): part for part in parts or []}
        self._lasting: set[str] = set()

    def has(self, part: str, parameters: Parameters) -> bool:
        """Return whether a part is known for these parameters."""
        return _key(part, parameters) in self._parts

    def get(self, part: str, parameters: Parameters, kind: type[F]) -> F | None:
        """Return the facts of a part; None if unknown."""
        found = self._parts.get(_key(part, parameters))
        if found is None:
            return None
        try:
            return kind.model_validate(found.facts)
        except ValidationError:
            return None

    def put(self, part: str, parameters: Parameters, facts: Facts, *, is_lasting: bool) -> None:
        """Record a part; ``is_lasting`` if its parameters identify it, so that it may be stored."""
        key = _key(part, parameters)
        self._parts[key] = KeptPart(
            part=part,
            parameters=dict(parameters),
            made_at=now(),
            facts=facts.model_dump(mode="json"),
        )
        if is_lasting:
            self._lasting.add(key)

    def new_parts(self) -> list[KeptPart]:
        """Return the recorded parts that may be stored."""
        return [part for key, part in self._parts.items() if key in self._lasting]


class FactStore:
    """The known facts of one data folder. Safe to use from several processes.

    Parameters
    ----------
    data_dir : the data folder.
    cache_max_bytes : limit of all cached results; facts take at most a tenth of it, and the least
        recently used are removed first. 0 disables the store.
    """

    def __init__(self, data_dir: Path, cache_max_bytes: int) -> None:
        self._folder = data_dir / "facts"
        self._locks = data_dir / "locks"
        self._max_bytes = cache_max_bytes // _SHARE // _N_SHARDS

    @contextmanager
    def recording(self, sha256: str, *, is_forced: bool = False) -> Iterator[KnownFacts]:
        """Yield the facts of a recording; store new ones when the block ends, even after an error.

        A failure to store facts is logged, not raised.

        Parameters
        ----------
        sha256 : hash of the bytes, in hexadecimal.
        is_forced : ignore and replace stored facts.
        """
        known = KnownFacts([] if is_forced else self._read(sha256))
        try:
            yield known
        finally:
            self._keep(sha256, known.new_parts())

    def copy(self, sha256: str, to_sha256: str) -> None:
        """Keep what is known of a recording for other bytes that hold the same audio."""
        if to_sha256 != sha256:
            self._keep(to_sha256, self._read(sha256))

    def _keep(self, sha256: str, new: list[KeptPart]) -> None:
        if new and self._max_bytes:
            try:
                self._write(sha256, new)
            except (OSError, StorageFull) as error:
                logger.warning("facts of %s could not be kept: %s", sha256, error)

    def _write(self, sha256: str, new: list[KeptPart]) -> None:
        create_data_dir(self._locks.parent)
        self._locks.mkdir(exist_ok=True)
        with FileLock(self._locks / f"facts-{sha256[:2]}.lock"):
            parts = {_key(part.part, part.parameters): part for part in self._read(sha256)}
            parts.update((_key(part.part, part.parameters), part) for part in new)
            document = FactDocument(
                sha256=sha256, analysis_version=ANALYSIS_VERSION, parts=list(parts.values())
            )
            data = gzip.compress(document.model_dump_json().encode(), compresslevel=6, mtime=0)
            if len(data) <= self._max_bytes:
                write_atomically(self._path(sha256), data)
                self._evict(self._path(sha256).parent)

    def _read(self, sha256: str) -> list[KeptPart]:
        path = self._path(sha256)
        try:
            document = FactDocument.model_validate_json(gzip.decompress(path.read_bytes()))
            os.utime(path)
        except FileNotFoundError:
            return []
        except (OSError, EOFError, zlib.error, ValidationError) as error:
            logger.warning("%s is damaged and will be made again: %s", path, error)
            return []
        is_ours = (document.sha256, document.analysis_version) == (sha256, ANALYSIS_VERSION)
        return document.parts if is_ours else []

    def _evict(self, shard: Path) -> None:
        """Remove the least recently used documents of a shard until the rest fits."""
        found = [(path.stat(), path) for path in shard.glob(f"[!.]*{SUFFIX}")]
        total = sum(status.st_size for status, _ in found)
        for status, path in sorted(found, key=lambda pair: pair[0].st_mtime_ns):
            if total <= self._max_bytes:
                return
            with suppress(OSError):
                path.unlink()
                total -= status.st_size

    def _path(self, sha256: str) -> Path:
        return self._folder / sha256[:2] / f"{sha256}{SUFFIX}"


def _key(part: str, parameters: Parameters) -> str:
    return json.dumps([part, parameters], sort_keys=True)
