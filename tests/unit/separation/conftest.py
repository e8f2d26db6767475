"""The real clip that ships with Spleeter's weights, and loaded models."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from numpy.typing import NDArray

from core.separation.models.base import SeparatorModel
from core.separation.models.factory import SeparatorFactory
from core.separation.weights.store import WeightsStore
from tests.models import write_tiny_htdemucs
from tests.unit.separation.measure import RATE, make_store


@pytest.fixture(scope="session", autouse=True)
def few_threads() -> None:
    torch.set_num_threads(min(2, torch.get_num_threads()))


@pytest.fixture(scope="session")
def clip() -> NDArray[np.float32]:
    """10.9 s of a song, stereo, 44.1 kHz; nobody sings in the first two seconds."""
    folder = WeightsStore().require("spleeter").files[0].parent
    samples, rate = soundfile.read(folder / "audio_example.mp3", dtype="float32", always_2d=True)
    assert rate == RATE
    return np.ascontiguousarray(samples.T)


@pytest.fixture(scope="session")
def spleeter() -> SeparatorModel:
    return SeparatorFactory.create("spleeter", device="cpu")


@pytest.fixture(scope="session")
def tiny_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_htdemucs(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def tiny(tiny_dir: Path) -> SeparatorModel:
    return SeparatorFactory.create("htdemucs", device="cpu", model_dir=tiny_dir)


@pytest.fixture
def store(tmp_path: Path) -> WeightsStore:
    """A store that sees no weights but Spleeter's, whatever this machine has."""
    return make_store(tmp_path)
