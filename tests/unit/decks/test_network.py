"""Loss and return of a real network, between two network namespaces of the kernel."""

import subprocess
import sys

import pytest

from tests.programs import requires


@requires("networks")
@pytest.mark.slow
def test_players_are_found_again_when_the_network_is_back() -> None:
    """Sockets of an interface that went away stayed deaf when it came back."""
    command = ("unshare", "-rn", sys.executable, "-m", "tests.deck_network")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split("\n")[:3] == [
        "found",
        "found after the cable",
        "found from another address",
    ]
