"""Whom the workbench's server works for, and how the API and the pages learn it."""

from dataclasses import asdict, dataclass
from typing import Any, Self
from urllib.parse import quote

from stemcrate.schemas.owners import PERSON_HEADER, owner_of_person
from ui.settings import NAME_HEADER

HEADERS = frozenset(name.lower().encode() for name in (PERSON_HEADER, NAME_HEADER))
"""No client can send them: the server takes them away before it adds its own."""
_SCOPES = ("read", "write")
_ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed in. ``owner`` is empty for one who has what the server's key has."""

    name: str
    owner: str = ""
    is_admin: bool = False

    @classmethod
    def known(cls, issuer: str, subject: str, name: str, *, is_admin: bool) -> Self:
        """Return the person whom ``issuer`` calls ``subject``."""
        return cls(name, owner_of_person(issuer, subject), is_admin)

    @classmethod
    def from_session(cls, kept: dict[str, Any] | None) -> Self | None:
        """Return the person whom `to_session` put into a session; None if it holds none."""
        return None if kept is None else cls(**kept)

    def to_session(self) -> dict[str, Any]:
        """Return the person as a session's cookie keeps it."""
        return asdict(self)

    def headers(self) -> list[tuple[bytes, bytes]]:
        """Return the headers for the API and the pages."""
        found = [(NAME_HEADER.lower().encode(), quote(self.name).encode())]
        if self.owner:
            words = (self.owner, *_SCOPES, *([_ADMIN] if self.is_admin else []))
            found.append((PERSON_HEADER.lower().encode(), " ".join(words).encode()))
        return found


def is_listed(listed: list[str], *names: str) -> bool:
    """Return whether one of a person's names is in a setting: itself, its domain, or anyone.

    >>> is_listed(["@example.org"], "Anna@Example.org"), is_listed(["anna"], "anna2")
    (True, False)
    """
    words = {word.lower() for word in listed}
    for name in filter(None, (name.lower() for name in names)):
        _, at, domain = name.rpartition("@")
        if name in words or (at and f"@{domain}" in words):
            return True
    return "*" in words
