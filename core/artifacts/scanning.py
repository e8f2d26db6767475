"""A scanner of the operator that looks at uploads before a job takes them."""

import logging
import shlex
import subprocess
from pathlib import Path

from core.errors import ScannerUnavailable, UploadRefused

logger = logging.getLogger(__name__)

REFUSED = 1
"""Exit code for a file that must not be taken, as of clamscan and clamdscan; 0 is a clean one."""
_SHOWN = 2000


class Scanner:
    """Runs a command with the path of a file. Safe for many threads.

    ``command`` is split like a shell does, without running one; empty: nothing is scanned.
    """

    def __init__(self, command: str, *, timeout_s: float) -> None:
        self._words = shlex.split(command)
        self._timeout_s = timeout_s

    def find_refusal(self, path: Path, name: str) -> UploadRefused | None:
        """Return why a file must not be taken, None where it may; messages call it ``name``.

        Raises `ScannerUnavailable` if the scanner does not end with 0 or 1 in time: what was not
        scanned is not taken.
        """
        if not self._words:
            return None
        try:
            ended = subprocess.run(
                [*self._words, str(path.resolve())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                timeout=self._timeout_s,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            logger.error("the scanner did not answer: %s", error)
            raise _unavailable() from error
        said = ended.stdout[:_SHOWN].decode(errors="replace").strip()
        if ended.returncode == 0:
            return None
        if ended.returncode == REFUSED:
            logger.warning("the scanner refused %r (%s): %s", name, path.parent.name, said)
            return UploadRefused(
                f"'{name}' was refused by the scanner of this installation.",
                hint="Check the file on your machine before you send it again.",
            )
        logger.error("the scanner ended with exit code %d: %s", ended.returncode, said)
        raise _unavailable()


def _unavailable() -> ScannerUnavailable:
    return ScannerUnavailable(
        "Uploads cannot be scanned now, so none is taken.",
        hint="Try again soon. The server's log says what the scanner (SCAN_COMMAND) lacks.",
    )
