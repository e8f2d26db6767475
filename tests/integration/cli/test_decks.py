"""``stemcrate decks`` with a simulated player."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conditions import wait_until
from tests.deck_simulator import DeckSimulator, free_udp_port
from tests.integration.cli.shell import Shell


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


@pytest.mark.slow
def test_decks_are_listed_without_a_server(shell: Shell) -> None:
    port = free_udp_port()
    network = {"DECK_INTERFACES": "127.0.0.1/8", "DECK_PORT": str(port)}
    player = DeckSimulator("127.0.0.2", port).start()
    player.load(1, "Strings of [Life]", "Derrick May")
    try:

        def listed() -> Any:
            found = shell.run("decks", "--json", **network)
            assert found.returncode == 0, found.stderr
            devices = json.loads(found.stdout)["devices"]
            return devices and devices[0]["decks"]

        (deck, _) = wait_until(listed)
        assert (deck["title"], deck["camelot"]) == ("Strings of [Life]", "8A")
        player.files = {"/USB 1/Engine Library/m.db": b"SQLite format 3\0" + bytes(9000)}
        found = shell.run("decks", "fetch", "sc6000", "--to", "engine", **network)
        assert found.stdout.split("\n")[0] == "engine/USB 1/m.db", found.stderr
        assert (shell.folder / "engine" / "USB 1" / "m.db").stat().st_size == 9016
        missing = shell.run("decks", "fetch", "prime4", "--to", "engine", **network)
        assert missing.returncode == 1
        assert "sc6000 (127.0.0.2)" in missing.stderr
    finally:
        player.kill()


def test_an_interface_that_is_no_network_is_wrong_usage(shell: Shell) -> None:
    found = shell.run("decks", DECK_INTERFACES="192.168.1.20")
    assert found.returncode == 2
    assert "192.168.1.20/24" in found.stderr
