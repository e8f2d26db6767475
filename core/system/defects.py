"""Unexpected exceptions in words that a client may read."""

import re
from pathlib import PurePath

_FOLDERS = re.compile(r"(?<![\w./:])/(?:[^\s/'\"]+/)+")


def describe_defect(error: Exception) -> str:
    """Return an error's class and text, with names of files instead of their absolute paths.

    Where this machine keeps its files is not for clients to know.
    """
    text = str(error)
    if isinstance(error, OSError):  # its paths may contain spaces
        for path in (error.filename, error.filename2):
            if isinstance(path, str | PurePath):
                text = text.replace(str(path), PurePath(path).name)
    return f"{type(error).__name__}: {_FOLDERS.sub('', text)}"
