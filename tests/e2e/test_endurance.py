"""Real processes, killed, stopped, paused, and without disk or database: nothing is lost.

`python -m bench.endurance` does the same for longer.
"""

from pathlib import Path

import pytest

from bench.endurance import EXPERIMENTS, run_experiment
from bench.ground import SHORT
from tests.postgres import BOTH_DATABASES
from tests.programs import REASON

N_DISTURBANCES = {
    "kills": SHORT.n_kills,
    "restarts": SHORT.n_restarts,
    "pause": SHORT.n_pauses,
    "disk": SHORT.n_fills,
    "database": SHORT.n_outages,
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The experiments share what their jobs give undisturbed."""
    return tmp_path_factory.mktemp("endurance")


@pytest.mark.parametrize("database", BOTH_DATABASES)
@pytest.mark.parametrize("name", EXPERIMENTS)
def test_nothing_is_lost_done_twice_or_different(name: str, database: str, folder: Path) -> None:
    """Tracks were lost to restarts, workers wrote over each other, jobs never ended."""
    try:
        verdict = run_experiment(name, database, SHORT, folder)
    except FileNotFoundError as missing:
        pytest.skip(f"{REASON}{missing.filename}")
    except PermissionError as refused:
        pytest.skip(str(refused))

    assert verdict.faults == []
    assert verdict.n_disturbances == N_DISTURBANCES[name]
    assert verdict.n_completed == verdict.n_tracks > 0
    assert verdict.n_artefacts > 0
