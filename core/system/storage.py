"""Where an installation keeps what its processes share: a folder, or database and object store.

A `Storage` is a plain value that every process of an installation gets, child processes too. What
opens it: `core.system.locks`, `core.artifacts.documents`, `core.artifacts.objects`.
"""

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Storage:
    """One installation's storage.

    Attributes
    ----------
    data_dir : folder of this process. It holds everything where ``url`` is empty; else it is the
        process's own, and what lies in it is at work here or a copy of what is stored.
    database_url : of PostgreSQL, which holds records and locks where ``url`` is not empty.
    url : of the object store that holds the files, such as ``s3://bucket/prefix``; may be empty.
    copies_max_bytes : of copies of objects in ``data_dir``.
    """

    data_dir: Path
    database_url: str = ""
    url: str = ""
    copies_max_bytes: int = 20_000_000_000

    @classmethod
    def at(cls, place: "Path | Storage") -> "Storage":
        """Return the storage at a place: a folder is one by itself."""
        return place if isinstance(place, Storage) else cls(place)

    @property
    def is_shared(self) -> bool:
        """Whether several hosts may share it."""
        return bool(self.url)
