"""The jobs as the history lists them: one row each, in a database, so that no manifest is read.

The rows can be made again from the manifests at any time; `core.artifacts.manifests` keeps them in
step.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from core.system.database import database_errors
from core.system.texts import fold
from stemcrate.schemas.jobs import JobKind, JobQuery, JobSummary
from stemcrate.schemas.manifest import JobState, ProcessingManifest, StageState

BATCH = 500
metadata = sa.MetaData()

job_records = sa.Table(
    "job_records",
    metadata,
    sa.Column("job_id", sa.String(36), primary_key=True),
    sa.Column("owner", sa.String(63), nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("kind", sa.String(16), nullable=False),
    sa.Column("finished_s", sa.Double, nullable=True),
    sa.Column("written_ns", sa.BigInteger, nullable=False),
    sa.Column("is_undone", sa.Boolean, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("summary", sa.Text, nullable=False),
    sa.Column("manifest", sa.LargeBinary, nullable=True),
    sa.Index("job_records_of_owners", "owner", "job_id"),
    sa.Index("job_records_by_state_and_owner", "state", "owner", "job_id"),
)
"""Manifests are here where hosts share them (`core.artifacts.shared_tables`), else in files."""


@dataclass(frozen=True, slots=True)
class ListedJob:
    """A job in the list.

    Attributes
    ----------
    summary : without ``can_retry``, which depends on files.
    written_ns : when the manifest was written that the row was made of.
    is_undone : whether the job ended without doing all that it was to do.
    """

    summary: JobSummary
    written_ns: int
    is_undone: bool


class JobIndex:
    """The rows of one database. Every method raises `DatabaseUnavailable`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    @database_errors()
    def create(self, *, anew: bool) -> None:
        """Make the table, unless it is there; ``anew``: the file was removed."""
        if anew:
            self._engine.dispose()
        with self._engine.begin() as connection:  # several processes may do so at once
            connection.execute(sa.schema.CreateTable(job_records, if_not_exists=True))
            for index in job_records.indexes:
                connection.execute(sa.schema.CreateIndex(index, if_not_exists=True))

    @database_errors()
    def put(self, manifests: Iterable[tuple[ProcessingManifest, int]]) -> None:
        """Enter jobs as their manifests describe them, each written at a time in ns."""
        rows = {m.job_id: row_of(m, written_ns) for m, written_ns in manifests}
        with self._engine.begin() as connection:
            _delete(connection, list(rows))
            if rows:
                connection.execute(sa.insert(job_records), list(rows.values()))

    @database_errors()
    def remove(self, job_ids: Collection[str]) -> None:
        """Remove jobs."""
        with self._engine.begin() as connection:
            _delete(connection, list(job_ids))

    @database_errors()
    def ids(self, owner: str | None = None, *, limit: int | None = None) -> list[str]:
        """List the jobs of an owner, or of all, newest first."""
        query = (
            _of(owner, sa.select(job_records.c.job_id))
            .order_by(job_records.c.job_id.desc())
            .limit(limit)
        )
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

    @database_errors()
    def written(self, owner: str | None = None) -> dict[str, int]:
        """Return when each job of an owner, or of all, was last written (ns), newest first."""
        table = job_records.c
        query = _of(owner, sa.select(table.job_id, table.written_ns))
        with self._engine.connect() as connection:
            rows = connection.execute(query.order_by(table.job_id.desc())).all()
        return {row.job_id: row.written_ns for row in rows}

    @database_errors()
    def ended_before(self, at_s: float, owner: str | None = None) -> list[str]:
        """List the jobs that ended before a time (Unix seconds)."""
        query = _of(owner, sa.select(job_records.c.job_id)).where(job_records.c.finished_s < at_s)
        with self._engine.connect() as connection:
            return list(connection.scalars(query))

    @database_errors()
    def find(self, query: JobQuery, owner: str | None, *, limit: int) -> list[ListedJob]:
        """List up to ``limit`` jobs that a query asks for, newest first."""
        found = _of(
            owner,
            sa.select(job_records.c.summary, job_records.c.written_ns, job_records.c.is_undone),
        )
        if query.cursor is not None:
            found = found.where(job_records.c.job_id < query.cursor)
        if query.state is not None:
            found = found.where(job_records.c.state == query.state.value)
        if query.kind is not None:
            found = found.where(job_records.c.kind == query.kind)
        for word in fold(query.text).split():
            found = found.where(job_records.c.text.contains(word, autoescape=True))
        with self._engine.connect() as connection:
            rows = connection.execute(
                found.order_by(job_records.c.job_id.desc()).limit(limit)
            ).all()
        return [
            ListedJob(JobSummary.model_validate_json(row.summary), row.written_ns, row.is_undone)
            for row in rows
        ]


def job_kind(manifest: ProcessingManifest) -> JobKind:
    """Return whether a job separates or only analyses."""
    return "separation" if manifest.options.separates else "analysis"


def row_of(manifest: ProcessingManifest, written_ns: int) -> dict[str, object]:
    """Return the row of a job whose manifest was written at a time, without the manifest."""
    summary = _summarise(manifest)
    return {
        "job_id": manifest.job_id,
        "owner": manifest.owner,
        "state": manifest.state.value,
        "kind": summary.kind,
        "finished_s": None if summary.finished_at is None else summary.finished_at.timestamp(),
        "written_ns": written_ns,
        "is_undone": _is_undone(manifest),
        "text": fold(" ".join([manifest.job_id, *summary.names])),
        "summary": summary.model_dump_json(),
    }


def _summarise(manifest: ProcessingManifest) -> JobSummary:
    kind = job_kind(manifest)
    model = manifest.model.name or manifest.options.model
    return JobSummary(
        job_id=manifest.job_id,
        kind=kind,
        state=manifest.state,
        created_at=manifest.created_at,
        finished_at=manifest.finished_at,
        names=[track.source.name for track in manifest.tracks],
        n_tracks=len(manifest.tracks),
        n_failed_tracks=manifest.n_failed_tracks,
        model=model if kind == "separation" else None,
        n_warnings=len(manifest.all_warnings()),
        n_bytes=sum(a.bytes for a in manifest.all_artefacts() if a.same_as is None),
        can_retry=False,
    )


def _is_undone(manifest: ProcessingManifest) -> bool:
    return manifest.state.is_final and (
        any(track.state != JobState.COMPLETED for track in manifest.tracks)
        or any(stage.state != StageState.COMPLETED for stage in manifest.all_stages())
    )


def _of(owner: str | None, query: sa.Select[tuple[object, ...]]) -> sa.Select[tuple[object, ...]]:
    return query if owner is None else query.where(job_records.c.owner == owner)


def _delete(connection: sa.Connection, job_ids: Sequence[str]) -> None:
    for start in range(0, len(job_ids), BATCH):
        batch = job_ids[start : start + BATCH]
        connection.execute(sa.delete(job_records).where(job_records.c.job_id.in_(batch)))
