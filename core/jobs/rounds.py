"""Work that a worker looks for again and again until it stops."""

import logging
import threading
from abc import ABC, abstractmethod

from core.errors import StemcrateError

logger = logging.getLogger(__name__)


class Rounds(ABC):
    """What is looked after in rounds; ``subject`` names it in the log, as a plural noun."""

    subject: str

    def run(self, interval_s: float, stopping: threading.Event) -> None:
        """Look every ``interval_s`` seconds until the worker stops."""
        while not stopping.is_set():
            self.look()
            stopping.wait(interval_s)

    def look(self) -> None:
        """Look once. Never raises: failures are logged and retried next time."""
        try:
            self.round()
        except (StemcrateError, OSError) as error:
            logger.warning("%s are looked after later: %s", self.subject, error)
        except Exception:
            logger.exception("looking after %s failed", self.subject)

    @abstractmethod
    def round(self) -> None:
        """Do what there is to do. May raise."""
