"""The keys in the database. Secrets are not there, only their hashes."""

from collections.abc import Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

import sqlalchemy as sa

from core.access.keys import ApiKey, Scope, hash_secret, make_secret, write_key
from core.access.tables import api_keys
from core.errors import InvalidOption, KeyNotFound
from core.system.clock import now
from core.system.database import transaction
from core.system.migration import migrate
from stemcrate.schemas.owners import OWNER_RULE, is_owner

MIGRATIONS = Path(__file__).parent / "migrations"


class KeyStore:
    """The keys of one database. Safe to use from several threads and processes.

    Every method raises `DatabaseUnavailable` if the database does not answer.
    """

    def __init__(self, database_url: str) -> None:
        self._url = database_url

    def create(
        self,
        name: str,
        *,
        owner: str,
        scopes: Collection[Scope],
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, str]:
        """Make a key; return its record and the key itself, which nobody can find out later.

        Raises `InvalidOption` for an impossible owner, or without scopes.
        """
        if not is_owner(owner):
            raise InvalidOption(f"'{owner}' cannot be an owner.", hint=OWNER_RULE, field="owner")
        if not scopes:
            raise InvalidOption("A key needs a scope.", field="scopes")
        key_id, secret = make_secret()
        key = ApiKey(
            id=key_id,
            name=name,
            owner=owner,
            scopes=frozenset(scopes),
            created_at=now(),
            expires_at=expires_at,
            secret_sha256=hash_secret(secret),
        )
        prepare(self._url)
        with transaction(self._url) as connection:
            connection.execute(api_keys.insert().values(**_row_of(key)))
        return key, write_key(key_id, secret)

    def all(self) -> list[ApiKey]:
        """Return every key that was ever made, the oldest first."""
        prepare(self._url)
        statement = sa.select(api_keys).order_by(api_keys.c.created_s, api_keys.c.id)
        with transaction(self._url) as connection:
            return [_key_of(row) for row in connection.execute(statement)]

    def get(self, key_id: str) -> ApiKey:
        """Return a key. Raises `KeyNotFound`."""
        for key in self.all():
            if key.id == key_id:
                return key
        raise KeyNotFound(f"There is no key '{key_id[:40]}'.", hint="Run: stemcrate keys list.")

    def revoke(self, key_id: str) -> ApiKey:
        """End a key now; one that has ended stays as it is. Raises `KeyNotFound`."""
        key = self.get(key_id)
        if key.revoked_at is None:
            key = replace(key, revoked_at=now())
            self._update(key_id, revoked_s=_seconds(key.revoked_at))
        return key

    def rotate(self, key_id: str, *, overlap: timedelta = timedelta()) -> tuple[ApiKey, str]:
        """Make a successor with the same owner, name, scopes and end.

        The old key ends after ``overlap``. Raises `KeyNotFound`, and `InvalidOption` if it has
        ended already.
        """
        old = self.get(key_id)
        at = now()
        if not old.is_valid(at):
            raise InvalidOption(f"The key '{key_id}' has ended.", hint="Create a new one.")
        made = self.create(old.name, owner=old.owner, scopes=old.scopes, expires_at=old.expires_at)
        if overlap:
            ends_at = at + overlap if old.expires_at is None else min(at + overlap, old.expires_at)
            self._update(key_id, expires_s=_seconds(ends_at))
        else:
            self.revoke(key_id)
        return made

    def note_use(self, key_id: str, at: datetime) -> None:
        """Record when a key was last used."""
        self._update(key_id, last_used_s=_seconds(at))

    def _update(self, key_id: str, **values: float | None) -> None:
        with transaction(self._url) as connection:
            connection.execute(api_keys.update().where(api_keys.c.id == key_id).values(**values))


@lru_cache
def prepare(url: str) -> None:
    """Bring the tables of this package up to date, once in a process."""
    migrate(url, MIGRATIONS)


def _row_of(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "owner": key.owner,
        "scopes": ",".join(sorted(key.scopes)),
        "secret_sha256": key.secret_sha256,
        "created_s": _seconds(key.created_at),
        "expires_s": _seconds(key.expires_at),
    }


def _key_of(row: "sa.Row[tuple[object, ...]]") -> ApiKey:
    return ApiKey(
        id=row.id,
        name=row.name,
        owner=row.owner,
        scopes=frozenset(map(Scope, row.scopes.split(","))),
        created_at=datetime.fromtimestamp(row.created_s, UTC),
        expires_at=_time(row.expires_s),
        revoked_at=_time(row.revoked_s),
        last_used_at=_time(row.last_used_s),
        secret_sha256=row.secret_sha256,
    )


def _seconds(at: datetime | None) -> float | None:
    return None if at is None else at.timestamp()


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
