"""Brings tables to the state that the code expects."""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from core.system.database import changing_tables, schema_of, transaction


def migrate(url: str, scripts: Path) -> None:
    """Apply the migrations in a folder that were not applied yet, as the only process.

    Creates the folder and file of a SQLite database, and an owner's schema of PostgreSQL. Raises
    `DatabaseUnavailable`.
    """
    with changing_tables(url), transaction(url) as connection:
        if (schema := schema_of(url)) is not None:
            connection.execute(sa.schema.CreateSchema(schema, if_not_exists=True))
        config = Config()
        config.set_main_option("script_location", str(scripts).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
