"""The job tables, created by whichever process starts first.

The database holds the engine's own tables, `progress_events`, `worker_reports`,
`idempotent_requests`, and the tables of batches, webhooks and watched folders.
"""

import logging
import threading

import sqlalchemy as sa
from dbos import DBOS  # noqa: TID251

from core.errors import DatabaseUnavailable
from core.system.database import changing_tables, database_errors, engine_for
from core.system.logs import quieten_engine

logger = logging.getLogger(__name__)

WAIT_S = 1.0

metadata = sa.MetaData()

progress_events = sa.Table(
    "progress_events",
    metadata,
    sa.Column(
        "seq",
        sa.BigInteger().with_variant(sa.Integer, "sqlite"),
        primary_key=True,
        autoincrement=True,
    ),
    sa.Column("job_id", sa.String(36), nullable=False),
    sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    sa.Column("payload", sa.Text, nullable=False),
    sa.Index("progress_events_by_job", "job_id", "seq"),
    sqlite_autoincrement=True,
)

worker_reports = sa.Table(
    "worker_reports",
    metadata,
    sa.Column("executor_id", sa.String(255), primary_key=True),
    sa.Column("payload", sa.Text, nullable=False),
)

idempotent_requests = sa.Table(
    "idempotent_requests",
    metadata,
    sa.Column("client", sa.String(64), primary_key=True),
    sa.Column("key", sa.String(255), primary_key=True),
    sa.Column("job_id", sa.String(36), nullable=False),
    sa.Column("touched_at", sa.Float, nullable=False, index=True),
    sa.Column("fingerprint", sa.String(64)),
    sa.Column("status", sa.Integer),
    sa.Column("headers", sa.Text),
    sa.Column("body", sa.LargeBinary),
)

batches = sa.Table(
    "batches",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("owner", sa.String(63), nullable=False, index=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("options", sa.Text, nullable=False),
    sa.Column("created_s", sa.Double, nullable=False),
    sa.Column("finished_s", sa.Double),
    sa.Column("state", sa.String(16)),
    sa.Column("wanted", sa.String(16), nullable=False),
    sa.Column("revision", sa.Integer, nullable=False),
    sa.Column("is_limited", sa.Boolean, nullable=False),
)
"""Written by `core.jobs.batch_store`. Times are in Unix seconds."""

batch_items = sa.Table(
    "batch_items",
    metadata,
    sa.Column("batch_id", sa.String(36), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True, autoincrement=False),
    sa.Column("job_id", sa.String(36), nullable=False, unique=True),
    sa.Column("upload_id", sa.String(32)),
    sa.Column("sha256", sa.String(64)),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("is_made", sa.Boolean, nullable=False),
    sa.Column("failure", sa.Text),
)

webhooks = sa.Table(
    "webhooks",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("owner", sa.String(63), nullable=False, index=True),
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("events", sa.Text, nullable=False),
    sa.Column("only_named", sa.Boolean, nullable=False),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_s", sa.Double, nullable=False),
    sa.Column("ended_s", sa.Double),
    sa.Column("secret", sa.Text, nullable=False),
    sa.Column("old_secret", sa.Text),
    sa.Column("old_until_s", sa.Double),
)
"""Written by `core.jobs.webhook_store`. Secrets sign, so they are there as they are."""

named_webhooks = sa.Table(
    "named_webhooks",
    metadata,
    sa.Column("subject_id", sa.String(36), primary_key=True),
    sa.Column("webhook_id", sa.String(36), nullable=False, index=True),
)
"""The webhook that a job or batch names."""

deliveries = sa.Table(
    "webhook_deliveries",
    metadata,
    sa.Column("id", sa.String(36), primary_key=True),
    sa.Column("seq", sa.String(36), nullable=False, unique=True),
    sa.Column("webhook_id", sa.String(36), nullable=False),
    sa.Column("type", sa.String(32), nullable=False),
    sa.Column("body", sa.Text, nullable=False),
    sa.Column("state", sa.String(16), nullable=False),
    sa.Column("created_s", sa.Double, nullable=False),
    sa.Column("n_attempts", sa.Integer, nullable=False),
    sa.Column("n_queued", sa.Integer, nullable=False),
    sa.Column("next_s", sa.Double, nullable=False),
    sa.Column("delivered_s", sa.Double),
    sa.Column("last_status", sa.Integer),
    sa.Column("last_error", sa.Text),
    sa.Index("deliveries_by_webhook", "webhook_id", "seq"),
    sa.Index("deliveries_due", "state", "next_s"),
)

watched_files = sa.Table(
    "watched_files",
    metadata,
    sa.Column("sha256", sa.String(64), primary_key=True),
    sa.Column("job_id", sa.String(36), nullable=False),
    sa.Column("state", sa.String(16), nullable=False, index=True),
)
"""Written by `core.jobs.watched`."""

watched_paths = sa.Table(
    "watched_paths",
    metadata,
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("n_bytes", sa.BigInteger, nullable=False),
    sa.Column("modified_ns", sa.BigInteger, nullable=False),
    sa.Column("sha256", sa.String(64), nullable=False),
)


def prepare_database(url: str) -> None:
    """Prepare the database for API and worker, which may start in any order.

    Creates folder, file and tables, and migrates the engine's. Safe when several processes call it
    at once; does nothing if the database is up to date. Raises `DatabaseUnavailable`.
    """
    quieten_engine()
    with changing_tables(url), database_errors():
        DBOS.migrate(url)
        metadata.create_all(engine_for(url))


def wait_for_database(url: str, stopping: threading.Event) -> bool:
    """Prepare the database as soon as it answers; return False if ``stopping`` was set before."""
    while not stopping.is_set():
        try:
            prepare_database(url)
        except DatabaseUnavailable as error:
            logger.warning("waiting for the database: %s", error)
            stopping.wait(WAIT_S)
        else:
            return True
    return False
