"""Owners: whom a job, an upload or a library belongs to."""

import hashlib
import re
import unicodedata

LOCAL = "local"
"""The user of the machine: the command line, and the API while it demands no key."""
OWNER_RULE = "Use 1 to 40 lower-case letters, digits and hyphens, a letter or digit first."
_OWNER = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def is_owner(text: str) -> bool:
    """Return whether ``text`` can be an owner; nothing else is used in a path."""
    return _OWNER.fullmatch(text) is not None


PERSON_HEADER = "Stemcrate-Person"
"""Header of a request that a program sends for a person: the owner, then scopes, after spaces.

The program's key needs the scope ``people``; of the scopes, those count that the key has too.
"""
_SLUG_LENGTH = 20


def owner_of_person(issuer: str, subject: str) -> str:
    """Return the owner that a person is: readable letters of the subject, and a hash of both.

    ``subject`` is what ``issuer``, who signed the person in, calls them for ever.

    >>> owner_of_person("password", "Änne Müller")
    'anne-muller-c1db197f7239'
    """
    plain = unicodedata.normalize("NFKD", subject.lower()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain)[:_SLUG_LENGTH].strip("-") or "person"
    digest = hashlib.sha256(f"{issuer} {subject}".encode()).hexdigest()
    return f"{slug}-{digest[:12]}"
