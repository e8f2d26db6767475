"""Keys in the database, and what a server knows of them."""

from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from bench.databases import Server
from core.access.keys import ApiKey, Scope, has_secret, read_key
from core.access.ring import FRESH_S, STALE_S, KeyRing
from core.access.store import KeyStore
from core.access.tables import metadata
from core.errors import DatabaseUnavailable, InvalidOption, KeyNotFound
from core.system.clock import now
from core.system.database import engine_for
from tests.conditions import wait_until
from tests.programs import requires

BOTH = {Scope.READ, Scope.WRITE}


def make(keys: KeyStore, **changes: timedelta) -> tuple[ApiKey, str]:
    expires_at = now() + changes["ends_in"] if "ends_in" in changes else None
    return keys.create("laptop", owner="anna", scopes=BOTH, expires_at=expires_at)


class Clock:
    """A clock that tests put on."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def test_the_migrations_give_the_tables_of_the_code(keys: KeyStore, database_url: str) -> None:
    keys.all()
    with engine_for(database_url).connect() as connection:
        options = {
            "version_table": "access_version",
            "include_name": lambda name, kind, _: kind != "table" or name in metadata.tables,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def test_a_key_is_kept_without_its_secret(keys: KeyStore, database_url: str) -> None:
    """Whoever reads the database or a backup of it must not be able to use a key."""
    key, text = make(keys)
    assert keys.all() == [key]
    parts = read_key(text)
    assert parts is not None
    assert has_secret(keys.get(key.id), parts[1])
    with engine_for(database_url).connect() as connection:
        rows = str(connection.execute(sa.text("select * from api_keys")).all())
    assert parts[0] in rows
    assert parts[1] not in rows


def test_a_revoked_key_stays_on_record(keys: KeyStore) -> None:
    key, _ = make(keys)
    revoked = keys.revoke(key.id)
    assert keys.all() == [revoked]
    assert not revoked.is_valid(now())
    assert keys.revoke(key.id) == revoked, "the time of the first"


def test_a_rotated_key_has_a_successor(keys: KeyStore) -> None:
    key, text = make(keys, ends_in=timedelta(days=1))
    after, after_text = keys.rotate(key.id)
    assert (after.name, after.owner, after.scopes) == (key.name, key.owner, key.scopes)
    assert after.expires_at == key.expires_at
    assert after_text != text
    assert not keys.get(key.id).is_valid(now())
    with pytest.raises(InvalidOption, match="has ended"):
        keys.rotate(key.id)


def test_an_overlap_never_makes_a_key_last_longer(keys: KeyStore) -> None:
    for ends_in, expected in ((timedelta(hours=1), 1), (timedelta(hours=9), 2)):
        key, _ = make(keys, ends_in=ends_in)
        at = now()
        keys.rotate(key.id, overlap=timedelta(hours=2))
        ends_at = keys.get(key.id).expires_at
        assert ends_at is not None
        assert round((ends_at - at) / timedelta(hours=1)) == expected


def test_what_cannot_be_is_refused(keys: KeyStore) -> None:
    for call in (keys.get, keys.revoke, keys.rotate):
        with pytest.raises(KeyNotFound):
            call("0" * 12)
    with pytest.raises(InvalidOption) as caught:
        keys.create("x", owner="../x", scopes=BOTH)
    assert caught.value.field == "owner"
    with pytest.raises(InvalidOption) as caught:
        keys.create("x", owner="anna", scopes=())
    assert caught.value.field == "scopes"


def test_a_server_learns_of_keys_within_a_second(keys: KeyStore) -> None:
    clock = Clock()
    ring = KeyRing(keys, clock=clock)
    assert not ring.has_keys()
    clock.now_s += FRESH_S / 2
    key, text = make(keys)
    found = ring.find(text)
    assert found is not None, "a new key is looked for at once"
    assert found.id == key.id
    assert ring.has_keys()
    assert ring.find(text[:-1] + ("0" if text[-1] != "0" else "1")) is None
    assert ring.find("") is None
    keys.revoke(key.id)
    clock.now_s += 2 * FRESH_S
    assert ring.find(text) is None
    assert ring.has_keys(), "the last key's end must not open an API that demanded one"


def test_the_use_of_a_key_is_noted(keys: KeyStore) -> None:
    key, text = make(keys)
    assert KeyRing(keys).find(text) is not None
    wait_until(lambda: keys.get(key.id).last_used_at is not None)


@requires("postgresql")
def test_keys_go_on_for_minutes_without_their_database(postgres: Server) -> None:
    """A database that is restarted must not lock everybody out; nor may it let anybody in."""
    clock = Clock()
    keys = KeyStore(postgres.url)
    key, text = make(keys)
    keys.note_use(key.id, now())
    ring, never = KeyRing(keys, clock=clock), KeyRing(keys, clock=clock)
    assert ring.find(text) is not None
    postgres.stop()
    clock.now_s = STALE_S - 1
    assert ring.find(text) is not None
    for unknown in (ring, never):
        with pytest.raises(DatabaseUnavailable):
            unknown.find(f"stemcrate_{'0' * 12}_{'0' * 64}")
    clock.now_s = STALE_S + 1
    with pytest.raises(DatabaseUnavailable):
        ring.find(text)
    assert ring.has_keys()
    with pytest.raises(DatabaseUnavailable):
        never.has_keys()


def test_every_process_may_be_the_first(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'new' / 'keys.sqlite'}"
    assert KeyStore(url).all() == []
