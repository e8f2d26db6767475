"""Players on the network, and what their decks play."""

from collections.abc import Generator

import requests  # noqa: TID251

from stemcrate.client.calls import Calls
from stemcrate.client.connection import parse_text
from stemcrate.client.events import SILENCE_S, read_fields
from stemcrate.schemas.decks import DecksReport


class DeckCalls(Calls):
    """Operations on decks."""

    def get_decks(self) -> DecksReport:
        """Return all players that are heard, what they play, and what was played."""
        return self._api.read("GET", "/decks", DecksReport)

    def stream_decks(self) -> Generator[DecksReport]:
        """Yield all players, at first and whenever something has changed.

        The stream is endless: close the iterator. It is empty where players are not listened for.
        Raises `ApiUnreachable` where it is cut.
        """
        headers = {"Accept": "text/event-stream"}
        with self._api.stream(
            "GET", "/decks/events", headers=headers, timeout_s=SILENCE_S
        ) as answer:
            if answer.status_code == requests.codes.no_content:
                return
            for fields in read_fields(answer):
                yield parse_text(answer, fields["data"], DecksReport)
