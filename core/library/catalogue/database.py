"""The catalogue's tables, migrated when a process first opens them."""

from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa

from core.system.database import engine_for
from core.system.migration import migrate

MIGRATIONS = Path(__file__).parent / "migrations"


@lru_cache
def open_engine(url: str) -> sa.Engine:
    """Return this process's engine for a database with migrated tables.

    Creates the folder and file of a SQLite database. Safe when several processes call it at once.
    Raises `DatabaseUnavailable`.
    """
    migrate(url, MIGRATIONS)
    return engine_for(url)
