"""The catalogue's tables, migrated when a process first opens them."""

from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config

from core.system.database import changing_tables, engine_for, transaction

MIGRATIONS = Path(__file__).parent / "migrations"


@lru_cache
def open_engine(url: str) -> sa.Engine:
    """Return this process's engine for a database with migrated tables.

    Creates the folder and file of a SQLite database. Safe when several processes call it at once.
    Raises `DatabaseUnavailable`.
    """
    with changing_tables(url), transaction(url) as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    return engine_for(url)
