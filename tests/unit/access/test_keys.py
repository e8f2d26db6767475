"""Keys as texts and records."""

from dataclasses import replace
from datetime import timedelta

import pytest

from core.access.keys import (
    ApiKey,
    Scope,
    has_secret,
    hash_secret,
    make_secret,
    read_key,
    write_key,
)
from core.system.clock import now
from stemcrate.schemas.owners import is_owner


def make_key(secret: str = "") -> ApiKey:
    return ApiKey(
        id="0" * 12,
        name="laptop",
        owner="anna",
        scopes=frozenset({Scope.READ}),
        created_at=now(),
        secret_sha256=hash_secret(secret),
    )


def test_a_key_is_read_as_it_was_written() -> None:
    key_id, secret = make_secret()
    assert read_key(write_key(key_id, secret)) == (key_id, secret)
    assert len({make_secret() for _ in range(100)}) == 100


@pytest.mark.parametrize("text", ["", "stemcrate", "stemcrate_x_y", "a" * 90, "stemcrate_é_é"])
def test_other_texts_are_no_keys(text: str) -> None:
    assert read_key(text) is None
    key = write_key(*make_secret())
    assert read_key(f"{key}0") is None
    assert read_key(f"{key}\n") is None


def test_only_the_secret_itself_fits() -> None:
    """No key at all once compared equal to a secret whose hash was that of no key."""
    _, secret = make_secret()
    assert has_secret(make_key(secret), secret)
    assert not has_secret(make_key(secret), secret[:-1])
    assert not has_secret(make_key(secret), "")
    assert not has_secret(None, secret)


def test_a_key_shows_nothing_of_its_secret() -> None:
    """A record in a log line or a traceback would hold what is compared with."""
    key = make_key("secret")
    assert hash_secret("secret") not in repr(key)


def test_a_key_ends() -> None:
    at = now()
    assert make_key().is_valid(at)
    assert replace(make_key(), expires_at=at + timedelta(seconds=1)).is_valid(at)
    assert not replace(make_key(), expires_at=at).is_valid(at)
    assert not replace(make_key(), revoked_at=at - timedelta(days=1)).is_valid(at)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("local", True),
        ("label-7", True),
        ("", False),
        ("-a", False),
        ("Anna", False),
        ("a/b", False),
        ("..", False),
        ("a" * 41, False),
        ("anna\n", False),
    ],
)
def test_an_owner_is_a_harmless_name(text: str, is_one: bool) -> None:
    """It becomes a folder and a schema of the database."""
    assert is_owner(text) is is_one
