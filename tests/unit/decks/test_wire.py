"""Messages against bytes recorded from players (a Prime 4, an SC6000)."""

import asyncio

import pytest

from core.decks.facts import describe_decks
from core.decks.played import PlayedTracks
from core.decks.states import Beat, read_beats, read_state, subscribe
from core.decks.wire import Announcement, BadMessage, ServiceOffer, read_directory, read_frame
from core.system.clock import now
from stemcrate.schemas.decks import Deck, DeckDevice, DeviceState

ANNOUNCED = (
    "61697244f405dc14022347f58b792c8c493352760000000c007000720069006d0065003400000022004400490053"
    "0043004f00560045005200450052005f0048004f005700440059005f00000008004a0043003100310000000a0031"
    "002e0035002e00328403"
)
OFFERED = "00000000523e679da4184d1e83d0c752cfca8ff70000001000530074006100740065004d00610070e196"
SUBSCRIBED = (
    "00000044736d6161000007d200000034002f0043006c00690065006e0074002f0050007200650066006500720065"
    "006e006300650073002f0050006c006100790065007200000000"
)
TOLD = (
    "736d61610000000000000034002f0043006c00690065006e0074002f0050007200650066006500720065006e0063"
    "00650073002f0050006c00610079006500720000002e007b00220073007400720069006e00670022003a00220031"
    "0022002c002200740079007000650022003a0034007d"
)
BEATS = (
    "0000000200000673fc6481ac000000044071d6a30ef9c64440790fe1e82d23bd405b8000000000004071b922536d"
    "c520408061b101767dce405a40000000000000000000000000000000000000000000405e00000000000000000000"
    "000000000000000000000000405e000000000000415a309ce016d364415b5b1c8bd215f200000000000000000000"
    "000000000000"
)


def test_recorded_messages_are_read_and_written() -> None:
    said = Announcement.decode(bytes.fromhex(ANNOUNCED))
    assert (said.name, said.software, said.version, said.port) == ("prime4", "JC11", "1.5.2", 33795)
    assert said.encode().hex() == ANNOUNCED
    assert subscribe("/Client/Preferences/Player").hex() == SUBSCRIBED
    assert read_state(bytes.fromhex(TOLD)) == ("/Client/Preferences/Player", "1")
    beats = read_beats(bytes.fromhex(BEATS))
    assert beats
    assert beats[0] == Beat(285.41480920379786, 400.99265306122453, 110, 6865523.501393173)
    assert len(beats) == 4

    async def read() -> ServiceOffer | None:
        reader = asyncio.StreamReader()
        reader.feed_data(bytes.fromhex(OFFERED))
        return await read_directory(reader)

    offer = asyncio.run(read())
    assert offer
    assert (offer.name, offer.port, offer.encode().hex()) == ("StateMap", 57750, OFFERED)


@pytest.mark.parametrize("n_bytes", range(0, len(ANNOUNCED) // 2, 7))
def test_a_cut_message_is_refused(n_bytes: int) -> None:
    with pytest.raises(BadMessage):
        Announcement.decode(bytes.fromhex(ANNOUNCED)[:n_bytes])


def test_a_message_too_long_is_not_read() -> None:
    async def read() -> bytes:
        reader = asyncio.StreamReader()
        reader.feed_data(b"\x7f\xff\xff\xff")
        return await read_frame(reader)

    with pytest.raises(BadMessage):
        asyncio.run(read())


def test_values_that_are_none_of_a_deck_are_left_out() -> None:
    """A number where a text belongs, a key that does not exist, a negative fader."""
    of = "/Engine/Deck1/"
    states: dict[str, str | float | bool] = {
        f"{of}Track/SongLoaded": True,
        f"{of}Track/SongName": 7.0,
        f"{of}Track/CurrentKeyIndex": -1.0,
        f"{of}ExternalMixerVolume": -3.0,
        f"{of}CurrentBPM": "fast",
        f"{of}Track/SampleRate": 0.0,
    }
    (deck,) = describe_decks(states, [Beat(-0.5, 8, 120, 5)])
    assert deck == Deck(
        number=1,
        is_loaded=True,
        fader=0.0,
        tempo_bpm=120,
        beat=-0.5,
        total_beats=8,
        bar=0,
        beat_in_bar=4,
    )


@pytest.mark.parametrize(
    ("states", "is_playing"),
    [
        ({"Play": True}, True),
        ({"Play": True, "PlayState": False}, False),
        ({"Play": False, "PlayState": True}, True),
        ({}, False),
    ],
    ids=["play", "paused", "state", "unknown"],
)
def test_the_state_of_play_counts_where_it_is_told(
    states: dict[str, bool], is_playing: bool
) -> None:
    told: dict[str, str | float | bool] = {"/Engine/Deck1/Track/SongLoaded": True}
    told |= {f"/Engine/Deck1/{name}": value for name, value in states.items()}
    (deck,) = describe_decks(told, [])
    assert deck.is_playing is is_playing


@pytest.mark.parametrize(
    ("changes", "steps_s", "n_played"),
    [
        ({}, [1.0] * 31, 1),
        ({}, [1.0] * 29, 0),
        ({"fader": 0.0}, [1.0] * 40, 0),
        ({"is_playing": False}, [1.0] * 40, 0),
        ({"title": None}, [1.0] * 40, 0),
        ({}, [3600.0], 0),
        ({}, [1.0] * 90, 1),
    ],
    ids=["heard", "tried", "faded out", "stopped", "unknown", "slept", "once"],
)
def test_a_track_counts_when_it_was_heard_for_a_while(
    changes: dict[str, object], steps_s: list[float], n_played: int
) -> None:
    deck = Deck(number=1, is_loaded=True, is_playing=True, title="A", fader=1.0)
    device = DeckDevice(
        id="1",
        name="sc6000",
        software="JP13",
        version="1",
        address="127.0.0.2",
        state=DeviceState.CONNECTED,
        decks=[deck.model_copy(update=changes)],
    )
    played, at_s = PlayedTracks(), 0.0
    for step_s in (0.0, *steps_s):
        at_s += step_s
        played.observe([device], at_s, now())
    assert len(played.tracks) == n_played
