"""Decks over REST, by the client: a real API, and a simulated player."""

from pathlib import Path
from typing import Any

from core.library.library import Library
from stemcrate.client import Client
from stemcrate.schemas.decks import Deck
from tests.conditions import wait_until
from tests.deck_simulator import DeckSimulator, free_udp_port
from tests.integration.api.apps import serve, settings_for
from tests.library_records import make_record, track_id

TRACKS = (("Derrick May", "Strings of Life"), ("Nina", "Twice"), ("Nina", "Twice"))


def deck_of(client: Client) -> Deck | None:
    decks = [deck for device in client.get_decks().devices for deck in device.decks]
    return decks[0] if decks else None


def test_decks_are_told_with_the_tracks_of_the_library(tmp_path: Path) -> None:
    port = free_udp_port()
    changes: dict[str, Any] = {
        "decks": "on",
        "deck_interfaces": "127.0.0.1/8",
        "deck_port": port,
    }
    player = DeckSimulator("127.0.0.2", port).start()
    try:
        with serve(tmp_path, **changes) as (host, api_port):
            library = Library(tmp_path, settings_for(tmp_path).resolved_database_url())
            for number, (artist, title) in enumerate(TRACKS):
                path = tmp_path / f"{number} {title}.mp3"
                path.write_bytes(b"")
                library.put(make_record(number, title=title, artist=artist, paths=(str(path),)))
            player.load(1, "strings of life", "Derrick May")
            with Client(f"http://{host}:{api_port}") as client:
                first = wait_until(lambda: (d := deck_of(client)) and d.is_loaded and d)
                assert isinstance(first, Deck)
                assert (first.title, first.track_id) == ("strings of life", track_id(0))
                reports = client.stream_decks()
                assert next(reports).is_on
                player.load(1, "Unknown", "Nobody")
                told = next(r for r in reports if title_in(r.devices) == "Unknown")
                assert told.devices[0].decks[0].track_id is None
                for name, text in (
                    ("TrackNetworkPath", "net://x/USB 1/2 Twice.mp3"),
                    ("ArtistName", "Nina"),
                    ("SongName", "Twice"),
                ):
                    player.set(f"/Engine/Deck1/Track/{name}", {"type": 8, "string": text})
                told = next(r for r in reports if title_in(r.devices) == "Twice")
                reports.close()
                assert told.devices[0].decks[0].track_id == track_id(2)
    finally:
        player.kill()


def title_in(devices: list[Any]) -> str | None:
    return next((deck.title for device in devices for deck in device.decks), None)


def test_without_the_setting_nothing_is_listened_for(shared: Any) -> None:
    assert shared.get("/decks").json() == {
        "is_on": False,
        "error": None,
        "devices": [],
        "played": [],
    }
    assert shared.get("/decks/events").status_code == 204
