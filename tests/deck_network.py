"""A player at the other end of a cable that is pulled out and put in again; prints what is seen.

Runs in a network of its own, which ``unshare -rn`` makes; the player in another one.
"""

import subprocess
import sys
from contextlib import closing

from core.decks.discovery import PORT
from core.decks.watcher import DeckWatcher, Patience
from tests.conditions import wait_until
from tests.deck_simulator import DeckSimulator

TITLE = "Over the wire"
OWN, OTHER = "10.9.0.1/24", "10.9.0.2/24"


def run(*words: str) -> None:
    subprocess.run(("ip", *words), check=True)


def be_the_player() -> None:
    sys.stdin.readline()
    run("address", "add", OTHER, "broadcast", "+", "dev", "v1")
    run("link", "set", "v1", "up")
    player = DeckSimulator("10.9.0.2", PORT, broadcast="10.9.0.255").start()
    player.load(1, TITLE, "Nina")
    sys.stdin.read()
    player.kill()


def watch() -> None:
    command = ("unshare", "-n", sys.executable, "-m", __spec__.name, "player")
    player = subprocess.Popen(command, stdin=subprocess.PIPE, text=True)
    assert player.stdin is not None
    is_apart = f"/proc/{player.pid}/ns/net"
    own = subprocess.check_output(("readlink", "/proc/self/ns/net"))
    wait_until(lambda: subprocess.check_output(("readlink", is_apart)) != own)
    run("link", "add", "v0", "type", "veth", "peer", "name", "v1")
    run("link", "set", "v1", "netns", str(player.pid))
    run("link", "set", "v0", "up")
    run("address", "add", OWN, "broadcast", "+", "dev", "v0")
    print(file=player.stdin, flush=True)
    patience = Patience(announce_s=0.2, interfaces_s=0.2, silence_s=1.0)

    def title() -> str | None:
        devices = watcher.report().devices
        return next((deck.title for device in devices for deck in device.decks), None)

    def is_there() -> bool:
        return title() == TITLE

    def is_away() -> bool:
        return not watcher.report().devices

    def is_told() -> bool:
        return is_away() and watcher.report().error is not None

    with closing(DeckWatcher(patience=patience)) as watcher:
        wait_until(is_there, seen=watcher.report)
        print("found")
        run("link", "set", "v0", "down")
        wait_until(is_away, seen=watcher.report)
        run("link", "set", "v0", "up")
        wait_until(is_there, seen=watcher.report)
        print("found after the cable")
        run("address", "del", OWN, "dev", "v0")
        wait_until(is_told, seen=watcher.report)
        run("address", "add", "10.9.0.7/24", "broadcast", "+", "dev", "v0")
        wait_until(is_there, seen=watcher.report)
        print("found from another address")
    player.communicate()


if __name__ == "__main__":
    (be_the_player if sys.argv[1:] else watch)()
