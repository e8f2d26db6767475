"""Benchmarks run by hand, and rarely: that they can still be started is looked at here."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from bench.peers import PEERS

FOLDER = Path(__file__).parents[2] / "bench"
# Those of peers run in the peers' environment.
NAMES = {path.stem for path in FOLDER.glob("*.py")} - {f"{peer}_facts" for peer in PEERS}


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_benchmark_finds_what_it_imports(name: Any) -> None:
    """A function renamed for one benchmark is missed by the next, months later."""
    assert import_module(f"bench.{name}").__doc__
