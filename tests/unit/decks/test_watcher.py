"""The watcher against simulated players, over real sockets."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from core.decks.watcher import MAX_DEVICES, DeckWatcher, Patience
from stemcrate.schemas.decks import Deck, DeckDevice, DeviceState
from tests.conditions import wait_until
from tests.deck_simulator import BROADCAST, DeckSimulator, Playing, free_udp_port, utf16

LOOPBACK = "127.0.0.1/8"
QUICK = Patience(announce_s=0.05, report_s=0.02, interfaces_s=0.2, heard_after_s=0.05)
Start = Callable[..., DeckSimulator]


@pytest.fixture
def port() -> int:
    return free_udp_port()


@pytest.fixture
def watcher(port: int) -> Iterator[DeckWatcher]:
    with closing(DeckWatcher([LOOPBACK], port=port, patience=QUICK)) as watcher:
        yield watcher


@pytest.fixture
def impatient(port: int) -> Iterator[DeckWatcher]:
    """A watcher for which a device is gone after a second of silence."""
    with closing(
        DeckWatcher([LOOPBACK], port=port, patience=replace(QUICK, silence_s=1.0))
    ) as watcher:
        yield watcher


@pytest.fixture
def start(port: int) -> Iterator[Start]:
    started = []

    def start(address: str = "127.0.0.2", **more: Any) -> DeckSimulator:
        started.append(DeckSimulator(address, port, **more).start())
        return started[-1]

    yield start
    for simulator in started:
        if simulator._thread.is_alive():
            simulator.stop()


def device(watcher: DeckWatcher, name: str = "sc6000") -> DeckDevice | None:
    return next((d for d in watcher.report().devices if d.name == name), None)


def deck(watcher: DeckWatcher, number: int, name: str = "sc6000") -> Deck:
    def find() -> Deck | None:
        found = device(watcher, name)
        return next((d for d in found.decks if d.number == number), None) if found else None

    found = wait_until(find, seen=watcher.report)
    assert isinstance(found, Deck)
    return found


@contextmanager
def sender_at(address: str) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        sender.bind((address, 0))
        yield sender


def wait_for(watcher: DeckWatcher, is_so: Callable[[], bool]) -> None:
    wait_until(is_so, seen=watcher.report)


def test_a_deck_tells_what_it_plays(watcher: DeckWatcher, start: Start) -> None:
    player = start()
    player.playing[2] = Playing(285.4148, 400.99, 124.0, 6_865_523.5)
    player.set("/Client/Preferences/Player", {"type": 4, "string": "3"})
    player.load(2, "Strings of Life", "Derrick May", key=1)
    player.set("/Engine/Deck2/DeckIsMaster", {"type": 1, "state": True})
    wait_for(watcher, lambda: deck(watcher, 2).is_master and deck(watcher, 2).bar is not None)
    found = deck(watcher, 2)
    assert (found.title, found.artist) == ("Strings of Life", "Derrick May")
    assert (found.key, found.camelot, found.fader) == ("A minor", "8A", 0.75)
    assert (found.tempo_bpm, found.track_tempo_bpm) == (126.5, 124)
    assert (found.bar, found.beat_in_bar) == (72, 2)
    assert found.position_s == pytest.approx(155.68, abs=0.01)
    assert found.is_playing
    assert found.path == "net://x/USB 1/Strings of Life.mp3"
    assert deck(watcher, 1) == Deck(number=1)
    whole = device(watcher)
    assert whole
    assert (whole.player, whole.address, whole.state) == (3, "127.0.0.2", DeviceState.CONNECTED)
    assert whole.services == ["BeatInfo", "FileTransfer", "StateMap"]
    wait_for(watcher, lambda: bool(watcher.report().played))
    (played,) = watcher.report().played
    assert (played.title, played.deck, played.device_id) == ("Strings of Life", 2, whole.id)


def test_an_ejected_track_is_not_shown(watcher: DeckWatcher, start: Start) -> None:
    """The names of the last track stay behind in the states of a player."""
    player = start()
    player.load(1, "Gone", "Somebody")
    wait_for(watcher, lambda: deck(watcher, 1).title == "Gone")
    player.set("/Engine/Deck1/Track/SongLoaded", {"type": 2, "state": False})
    wait_for(watcher, lambda: not deck(watcher, 1).is_loaded)
    found = deck(watcher, 1)
    assert (found.title, found.is_playing) == (None, False)


def test_several_players_come_and_go(watcher: DeckWatcher, start: Start) -> None:
    first = start()
    second = start("127.0.0.3", token=bytes(15) + b"2", name="prime4")
    first.load(1, "One", "A")
    second.load(1, "Two", "B")
    wait_for(
        watcher,
        lambda: (deck(watcher, 1).title, deck(watcher, 1, "prime4").title) == ("One", "Two"),
    )
    second.stop()  # it says good-bye
    wait_for(watcher, lambda: device(watcher, "prime4") is None)
    assert deck(watcher, 1).title == "One"


def test_a_killed_player_is_found_again(watcher: DeckWatcher, start: Start) -> None:
    player = start()
    player.load(1, "Before", "A")
    wait_for(watcher, lambda: deck(watcher, 1).title == "Before")
    player.kill()
    wait_for(watcher, lambda: not (found := device(watcher)) or not found.decks)
    again = start()  # with the same token, and other ports
    again.load(1, "After", "A")
    wait_for(watcher, lambda: deck(watcher, 1).title == "After")


def test_a_silent_player_is_gone_until_it_speaks(impatient: DeckWatcher, start: Start) -> None:
    """Without power it closes no connection, and its last track was shown for ever."""
    player = start()
    player.load(1, "Before", "A")
    wait_for(impatient, lambda: deck(impatient, 1).title == "Before")
    player.is_frozen = True
    wait_for(impatient, lambda: device(impatient) is None)
    player.is_frozen = False
    wait_for(impatient, lambda: deck(impatient, 1).title == "Before")


@pytest.mark.parametrize(
    ("service", "garbage"),
    [
        ("StateMap", b"\xff" * 100),
        ("StateMap", b"\x00\x00\x00\x08garbage!"),
        (
            "StateMap",
            (b"smaa" + bytes(4) + utf16("/x") + utf16("[" * 5000)).join([b"\0\0'\x1e", b""]),
        ),
        ("BeatInfo", b"\x00\x00\x00\x10\x00\x00\x00\x02" + bytes(8) + b"\xff\xff\xff\xff"),
        ("BeatInfo", b"\x00\x00\x00\x04\x00\x00\x00\x09" * 3000),
        ("directory", b"GET / HTTP/1.1\r\n\r\nand so on"),
    ],
    ids=["length", "no state", "deep", "decks", "flood", "http"],
)
def test_garbage_of_a_player_ends_its_connection_alone(
    watcher: DeckWatcher, start: Start, service: str, garbage: bytes
) -> None:
    player = start()
    other = start("127.0.0.3", token=bytes(15) + b"2", name="prime4")
    player.load(1, "Before", "A")
    other.load(1, "Beside", "B")
    wait_for(watcher, lambda: deck(watcher, 1).title == "Before")
    wait_for(watcher, lambda: deck(watcher, 1, "prime4").title == "Beside")
    player.send(service, garbage)
    wait_for(watcher, lambda: player.n_visits > 1)
    player.set("/Engine/Deck1/Track/SongName", {"type": 8, "string": "After"})
    wait_for(watcher, lambda: deck(watcher, 1).title == "After")
    assert deck(watcher, 1, "prime4").title == "Beside"


def howdy(address: str, port: int, token: bytes) -> bytes:
    return DeckSimulator(address, port, token, "none").announcement("DISCOVERER_HOWDY_", 9)


def test_garbage_on_the_port_is_ignored(impatient: DeckWatcher, start: Start, port: int) -> None:
    """Anybody may send to it: too many players, and what is no announcement."""
    said = howdy("127.0.0.9", port, b"1" * 16)
    garbage = [b"", b"airD", b"x" * 1400, said[:-3], b"airD" + b"\xff" * 40, said[:-2] + bytes(2)]
    crowd = [howdy("127.0.0.9", port, bytes(15) + bytes([n])) for n in range(2 * MAX_DEVICES)]
    with sender_at("127.0.0.9") as sender:

        def shout() -> int:
            for data in garbage + crowd:
                sender.sendto(data, (BROADCAST, port))
            return len(impatient.report().devices)

        n_met = wait_until(lambda: (n := shout()) >= MAX_DEVICES and n, seen=impatient.report)
        assert n_met == MAX_DEVICES
    wait_for(impatient, lambda: not impatient.report().devices)  # nobody is there
    start().load(1, "Here", "A")
    wait_for(impatient, lambda: deck(impatient, 1).title == "Here")


def test_players_of_other_networks_are_not_called(port: int) -> None:
    with (
        closing(DeckWatcher(["127.0.0.1/30"], port=port, patience=QUICK)) as watcher,
        sender_at("127.0.0.77") as far,
        sender_at("127.0.0.2") as near,
    ):

        def shout() -> list[str]:
            far.sendto(howdy("127.0.0.77", port, b"F" * 16), ("127.0.0.3", port))
            near.sendto(howdy("127.0.0.2", port, b"N" * 16), ("127.0.0.3", port))
            return [device.address for device in watcher.report().devices]

        assert wait_until(shout, seen=watcher.report) == ["127.0.0.2"]


def test_the_watcher_ends_at_once(port: int) -> None:
    """It waited for ever when it was closed before its thread had begun."""
    DeckWatcher([LOOPBACK], port=port).close()
