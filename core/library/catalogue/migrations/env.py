"""Alembic entry point: applies migrations on the connection from `catalogue.database`."""

from alembic import context

from core.library.catalogue.models import Base

VERSION_TABLE = "library_version"

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
