"""Keys of the API: how they are made, written and compared.

A key is ``stemcrate_ID_SECRET``: the id, 12 hex digits, finds the record and may be shown; the
secret is 256 random bits in hex and is shown once. Only its SHA-256 is stored: what cannot be
guessed needs no slow hash.
"""

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

_KEY = re.compile(r"stemcrate_([0-9a-f]{12})_([0-9a-f]{64})")
_NO_HASH = "0" * 64


class Scope(StrEnum):
    """What a key permits; no scope includes another.

    ``read`` sees what the owner has, ``write`` makes, changes and deletes it, ``admin`` looks after
    the installation. ``people`` sends requests for people whom a server signed in: it names them,
    so it can be anybody.
    """

    READ = "read"
    WRITE = "write"
    ADMIN = "admin"
    PEOPLE = "people"


@dataclass(frozen=True, slots=True)
class ApiKey:
    """What is stored of a key. ``secret_sha256`` is in hex."""

    id: str
    name: str
    owner: str
    scopes: frozenset[Scope]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    last_used_at: datetime | None = None
    secret_sha256: str = field(default=_NO_HASH, repr=False)

    def is_valid(self, at: datetime) -> bool:
        """Return whether the key may be used at this time."""
        return self.revoked_at is None and (self.expires_at is None or at < self.expires_at)


def make_secret() -> tuple[str, str]:
    """Return the id and the secret of a new key."""
    return secrets.token_hex(6), secrets.token_hex(32)


def write_key(key_id: str, secret: str) -> str:
    """Return a key as its user keeps it."""
    return f"stemcrate_{key_id}_{secret}"


def read_key(text: str) -> tuple[str, str] | None:
    """Return the id and the secret of a key; None for any other text."""
    found = _KEY.fullmatch(text)
    return None if found is None else (found[1], found[2])


def hash_secret(secret: str) -> str:
    """Return what is stored of a secret: its SHA-256 in hex."""
    return hashlib.sha256(secret.encode()).hexdigest()


def has_secret(key: ApiKey | None, secret: str) -> bool:
    """Return whether a key has this secret, in the same time for every secret and for no key."""
    expected = _NO_HASH if key is None else key.secret_sha256
    return hmac.compare_digest(expected, hash_secret(secret)) and key is not None
