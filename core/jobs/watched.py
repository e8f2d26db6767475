"""What became of the files of watched folders, in the database: each content once, for good."""

from typing import Literal

import sqlalchemy as sa

from core.artifacts.job_ids import new_job_id
from core.jobs.database import watched_files, watched_paths
from core.sources.folders import FileState
from core.system.database import transaction

State = Literal["claimed", "submitted", "refused", "ended"]
_IN_PROGRESS: State = "submitted"


class WatchedFiles:
    """The contents that were found, and where. Every method raises `DatabaseUnavailable`.

    A content is ``claimed`` before its job is made, ``submitted`` while that runs, and ``ended``
    once its results are where they were asked for; one that is no audio is ``refused``.
    """

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def is_known(self, path: str, state: FileState) -> bool:
        """Return whether a file was handled as it is."""
        query = sa.select(sa.exists().where(*_is(path, state)))
        with transaction(self._url) as connection:
            return bool(connection.scalar(query))

    def claim(self, sha256: str) -> tuple[str, State]:
        """Return the job of a content and its state: a new one where nobody has claimed it."""
        with transaction(self._url) as connection:
            row = connection.execute(
                sa.select(watched_files.c.job_id, watched_files.c.state).where(
                    watched_files.c.sha256 == sha256
                )
            ).first()
            if row is not None:
                return row.job_id, row.state
            job_id = new_job_id()
            connection.execute(
                sa.insert(watched_files).values(sha256=sha256, job_id=job_id, state="claimed")
            )
            return job_id, "claimed"

    def note(self, sha256: str, state: State) -> None:
        """Write the state of a content."""
        with transaction(self._url) as connection:
            connection.execute(
                sa.update(watched_files).where(watched_files.c.sha256 == sha256).values(state=state)
            )

    def keep(self, path: str, state: FileState, sha256: str) -> None:
        """Remember what a file holds, as it is."""
        values = {"n_bytes": state.n_bytes, "modified_ns": state.modified_ns, "sha256": sha256}
        with transaction(self._url) as connection:
            connection.execute(sa.delete(watched_paths).where(watched_paths.c.path == path))
            connection.execute(sa.insert(watched_paths).values(path=path, **values))

    def in_progress(self) -> list[tuple[str, str]]:
        """List SHA-256 and job of the contents whose jobs have not ended."""
        query = sa.select(watched_files.c.sha256, watched_files.c.job_id).where(
            watched_files.c.state == _IN_PROGRESS
        )
        with transaction(self._url) as connection:
            return [(row.sha256, row.job_id) for row in connection.execute(query)]


def _is(path: str, state: FileState) -> tuple[sa.ColumnElement[bool], ...]:
    columns = watched_paths.c
    return (
        columns.path == path,
        columns.n_bytes == state.n_bytes,
        columns.modified_ns == state.modified_ns,
    )
