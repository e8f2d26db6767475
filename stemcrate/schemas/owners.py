"""Owners: whom a job, an upload or a library belongs to."""

import re

LOCAL = "local"
"""The user of the machine: the command line, and the API while it demands no key."""
OWNER_RULE = "Use 1 to 40 lower-case letters, digits and hyphens, a letter or digit first."
_OWNER = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def is_owner(text: str) -> bool:
    """Return whether ``text`` can be an owner; nothing else is used in a path."""
    return _OWNER.fullmatch(text) is not None
