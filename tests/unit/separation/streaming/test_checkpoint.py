"""A killed separation goes on after its last chunk, and ends with the same stems."""

import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from bench.processes import running
from core.separation.models.base import SeparatorModel
from core.separation.models.factory import SeparatorFactory
from core.separation.streaming.checkpoint import ChunkCheckpoint
from core.separation.streaming.effort import Effort
from tests.conditions import wait_until
from tests.models import SEGMENT, write_tiny_htdemucs
from tests.unit.separation.measure import RATE, make_noise

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[4]
N_SAMPLES = int(6 * SEGMENT * RATE)


def stream(
    model: SeparatorModel, mixture: NDArray[np.float32], folder: Path | None, **options: Any
) -> Any:
    n_channels, n_samples = mixture.shape
    return model.stream(
        lambda start, stop: mixture[:, start:stop],
        n_channels,
        n_samples,
        RATE,
        checkpoint=folder,
        **options,
    )


def join(blocks: Any) -> dict[Any, Any]:
    blocks = list(blocks)
    return {stem: np.concatenate([b[stem] for b in blocks], axis=1) for stem in blocks[0]}


def count_runs(module: Any) -> list[int]:
    runs = []
    module.register_forward_hook(lambda *_: runs.append(1))
    return runs


def test_kept_chunks_come_back(tmp_path: Path) -> None:
    checkpoint = ChunkCheckpoint(tmp_path, "a", {"n": 1})
    chunks = [np.full((2, 3, n), n, np.float32) for n in (5, 0, 7)]
    for i, chunk in enumerate(chunks):
        checkpoint.append(chunk, {"tail": np.array([i])})
    again = ChunkCheckpoint(tmp_path, "a", {"n": 1})
    assert again.n_chunks == 3
    for chunk, expected in zip(again.chunks(), chunks, strict=True):
        np.testing.assert_array_equal(chunk, expected)
    assert again.state["tail"].tolist() == [2]


def test_a_chunk_that_the_index_does_not_list_does_not_count(tmp_path: Path) -> None:
    """A kill between data and index would shift everything behind it."""
    ChunkCheckpoint(tmp_path, "a", {}).append(np.ones((1, 4), np.float32), {})
    (tmp_path / "a.1.f32").write_bytes(b"torn")
    again = ChunkCheckpoint(tmp_path, "a", {})
    again.append(np.full((1, 2), 2, np.float32), {})
    joined = np.concatenate(list(ChunkCheckpoint(tmp_path, "a", {}).chunks()), axis=1)
    assert joined.tolist() == [[1, 1, 1, 1, 2, 2]]


def test_a_stale_process_cannot_damage_what_its_successor_adopted(tmp_path: Path) -> None:
    """A paused process went on with the chunks that another one had taken over."""
    stale = ChunkCheckpoint(tmp_path / "1", "a", {})
    stale.append(np.ones((1, 4), np.float32), {})
    (tmp_path / "1").rename(tmp_path / "2")
    successor = ChunkCheckpoint(tmp_path / "2", "a", {})
    successor.append(np.full((1, 2), 2, np.float32), {})
    stale.append(np.full((1, 2), 3, np.float32), {})

    adopted = ChunkCheckpoint(tmp_path / "2", "a", {})
    assert np.concatenate(list(adopted.chunks()), axis=1).tolist() == [[1, 1, 1, 1, 2, 2]]
    assert ChunkCheckpoint(tmp_path / "1", "a", {}).n_chunks == 0


@pytest.mark.parametrize("damage", ["identity", "data"])
def test_chunks_that_do_not_fit_are_discarded(tmp_path: Path, damage: str) -> None:
    ChunkCheckpoint(tmp_path, "a", {"model": 1}).append(
        np.ones((1, 4), np.float32), {"x": np.ones(1)}
    )
    if damage == "data":
        (tmp_path / "a.0.f32").write_bytes(b"")
    again = ChunkCheckpoint(tmp_path, "a", {"model": 2 if damage == "identity" else 1})
    assert again.n_chunks == 0
    assert again.state == {}
    assert list(again.chunks()) == []


@pytest.mark.parametrize("effort", [Effort(), Effort(shifts=2)])
def test_demucs_goes_on_where_it_was(tmp_path: Path, effort: Any) -> None:
    weights = [[1.0, 0.5, 0.0, 1.0], [0.0, 0.5, 2.0, 1.0]]
    write_tiny_htdemucs(tmp_path, n_networks=2, weights=weights)
    model: Any = SeparatorFactory.create("htdemucs", device="cpu", model_dir=tmp_path)
    mixture = make_noise(N_SAMPLES)
    runs = [count_runs(network.encoder[0]) for network in model._bag.models]
    whole = join(stream(model, mixture, None, effort=effort))
    n_whole = sum(map(len, runs))
    interrupted = stream(model, mixture, tmp_path / "chunks", effort=effort)
    for _ in range(3):
        next(interrupted)
    interrupted.close()
    n_before = sum(map(len, runs)) - n_whole
    resumed = join(stream(model, mixture, tmp_path / "chunks", effort=effort))
    n_after = sum(map(len, runs)) - n_whole - n_before
    # The chunk that was being computed when the work was given up may have been lost.
    n_streams = 2 * effort.shifts
    assert n_whole <= n_before + n_after <= n_whole + n_streams
    assert n_after < n_whole
    for stem, samples in whole.items():
        np.testing.assert_array_equal(resumed[stem], samples)


def test_spleeter_goes_on_where_it_was(tmp_path: Path, spleeter: Any) -> None:
    mixture = make_noise(30 * RATE)
    runs = count_runs(spleeter._networks[0])
    whole = join(stream(spleeter, mixture, None))
    n_whole = len(runs)
    interrupted = stream(spleeter, mixture, tmp_path)
    next(interrupted)
    interrupted.close()
    n_before = len(runs) - n_whole
    resumed = join(stream(spleeter, mixture, tmp_path))
    assert len(runs) - n_whole - n_before < n_whole
    for stem, samples in whole.items():
        np.testing.assert_array_equal(resumed[stem], samples)


PROGRAM = """
    import sys
    import time
    from pathlib import Path
    from tests.unit.separation.streaming.test_checkpoint import N_SAMPLES, join, stream
    from tests.unit.separation.measure import make_noise
    from core.separation.models.factory import SeparatorFactory

    folder = Path(sys.argv[1])
    model = SeparatorFactory.create("htdemucs", device="cpu", model_dir=folder)

    def wait_in_the_middle(fraction):
        if fraction > 0.3:
            time.sleep(600)

    mixture = make_noise(2 * N_SAMPLES)
    for _ in stream(model, mixture, folder / "chunks", progress=wait_in_the_middle):
        pass
"""


def test_a_killed_process_loses_a_chunk_at_most(tmp_path: Path) -> None:
    """SIGKILL in the middle: nothing that was computed before is computed again."""
    write_tiny_htdemucs(tmp_path)
    index = tmp_path / "chunks" / "0" / "network.npz"
    program = textwrap.dedent(PROGRAM)
    with running([sys.executable, "-c", program, tmp_path], cwd=ROOT):
        wait_until(lambda: index.exists() and _n_chunks(index) >= 3)
    n_kept = _n_chunks(index)
    model: Any = SeparatorFactory.create("htdemucs", device="cpu", model_dir=tmp_path)
    runs = count_runs(model._bag.models[0].encoder[0])
    mixture = make_noise(2 * N_SAMPLES)
    resumed = join(stream(model, mixture, tmp_path / "chunks"))
    n_resumed = len(runs)
    whole = join(stream(model, mixture, None))
    assert n_resumed == len(runs) - n_resumed - n_kept
    for stem, samples in whole.items():
        np.testing.assert_array_equal(resumed[stem], samples)


def _n_chunks(index: Any) -> int:
    with np.load(index) as arrays:
        return len(arrays["lengths"])
