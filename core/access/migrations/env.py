"""Alembic entry point: applies migrations on the connection from `core.system.migration`."""

from alembic import context

from core.access.tables import metadata

VERSION_TABLE = "access_version"

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
