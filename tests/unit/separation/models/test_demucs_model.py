from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from demucs.apply import BagOfModels, apply_model
from numpy.typing import NDArray

from core.errors import JobCancelled, UnsafeWeights
from core.separation.models.base import SeparatorModel
from core.separation.models.factory import SeparatorFactory
from tests.models import STEMS, make_tiny_htdemucs, write_tiny_htdemucs
from tests.unit.separation.measure import RATE, make_noise, snr_db

pytestmark = pytest.mark.slow

SEGMENT = int(0.6 * RATE)
STRIDE = int(0.75 * SEGMENT)
# Three segments; demucs runs the same three, as the last one is needed to reach the end.
N_SAME = 3 * STRIDE - 100


@pytest.fixture(autouse=True)
def same_attention() -> Iterator[Any]:
    """Have demucs take the same attention kernel as we do: the rest must then be equal."""
    before = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    yield
    torch.backends.mha.set_fastpath_enabled(before)


def separate_by_demucs(network: Any, mixture: Any) -> Any:
    """What demucs.api.Separator computes with shifts=0, shape (n_stems, 2, n_samples)."""
    samples = torch.from_numpy(mixture)
    mono = samples.mean(0)
    mean, std = mono.mean(), mono.std() + 1e-8
    with torch.inference_mode():
        stems = apply_model(network, ((samples - mean) / std)[None], shifts=0, overlap=0.25)
    return (stems * std + mean)[0].numpy()


def assert_same(stems: Any, expected: Any) -> None:
    """The same but for the last bits of the mixture's mean and deviation: we sum in float64."""
    assert snr_db(expected, stems) > 120


def stack(stems: Any) -> NDArray[Any]:
    return np.stack([stems[name] for name in STEMS])


@pytest.mark.parametrize("layout", ["th", "hub"])
def test_both_layouts_give_what_demucs_gives(tmp_path: Path, layout: Any) -> None:
    write_tiny_htdemucs(tmp_path, layout=layout)
    model = SeparatorFactory.create("htdemucs", device="cpu", model_dir=tmp_path)
    mixture = make_noise(N_SAME)
    stems = model.separate(mixture, RATE)
    assert model.stems == tuple(STEMS)
    assert (model.sample_rate, model.residual_stem, model.device) == (RATE, "other", "cpu")
    expected = separate_by_demucs(make_tiny_htdemucs(), mixture)
    assert_same(stack(stems), expected)


def test_a_redundant_last_segment_changes_the_last_overlap_alone(tiny: SeparatorModel) -> None:
    n_samples = 2 * STRIDE + 50  # demucs starts a third segment for samples that the second has
    mixture = make_noise(n_samples)
    stems = stack(tiny.separate(mixture, RATE))
    expected = separate_by_demucs(make_tiny_htdemucs(), mixture)
    assert_same(stems[..., : 2 * STRIDE], expected[..., : 2 * STRIDE])
    assert snr_db(expected[..., 2 * STRIDE :], stems[..., 2 * STRIDE :]) < 60


def test_a_bag_with_weights_and_segment(tmp_path: Path) -> None:
    weights = [[1.0, 0.5, 0.0, 1.0], [0.0, 0.5, 2.0, 1.0]]
    write_tiny_htdemucs(tmp_path, n_networks=2, weights=weights, segment_s=0.5)
    model = SeparatorFactory.create("htdemucs", device="cpu", model_dir=tmp_path)
    mixture = make_noise(int(0.95 * RATE))
    bag = BagOfModels([make_tiny_htdemucs(0), make_tiny_htdemucs(1)], weights, 0.5)
    assert_same(stack(model.separate(mixture, RATE)), separate_by_demucs(bag, mixture))


def test_a_network_without_weight_is_not_run(tmp_path: Path) -> None:
    """Three quarters of htdemucs_ft's work would be thrown away by asking all for every stem."""
    weights = [[1.0] * 4, [0.0] * 4]
    write_tiny_htdemucs(tmp_path, n_networks=2, weights=weights)
    model: Any = SeparatorFactory.create("htdemucs", device="cpu", model_dir=tmp_path)
    mixture, runs = make_noise(5000), []
    hooks = [
        network.encoder[0].register_forward_hook(lambda *_, i=i: runs.append(i))
        for i, network in enumerate(model._bag.models)
    ]
    stems = model.separate(mixture, RATE)
    assert runs == [0]
    assert len(hooks) == 2
    expected = separate_by_demucs(make_tiny_htdemucs(0), mixture)
    assert_same(stack(stems), expected)


def test_one_stem_from_each_network(tmp_path: Path) -> None:
    write_tiny_htdemucs(tmp_path, n_networks=4, weights=np.eye(4).tolist())
    model = SeparatorFactory.create("htdemucs", device="cpu", model_dir=tmp_path)
    mixture = make_noise(5000)
    stems = stack(model.separate(mixture, RATE))
    for i in range(4):
        alone = separate_by_demucs(make_tiny_htdemucs(i), mixture)
        assert_same(stems[i], alone[i])


def test_the_same_mixture_gives_the_same_stems(tiny: SeparatorModel) -> None:
    """demucs shifts at random by default: 30 dB between two runs, and no cache could hold."""
    mixture = make_noise(N_SAME)
    first, second = tiny.separate(mixture, RATE), tiny.separate(mixture, RATE)
    np.testing.assert_array_equal(stack(first), stack(second))


def test_the_attention_setting_is_put_back(tiny: SeparatorModel) -> None:
    torch.backends.mha.set_fastpath_enabled(True)
    tiny.separate(make_noise(1000), RATE)
    assert torch.backends.mha.get_fastpath_enabled()


@pytest.mark.parametrize("rate", [44100, 48000, 96000])
@pytest.mark.parametrize("n_channels", [1, 2])
@pytest.mark.parametrize("n_samples", [1, 2, 1000])
def test_short_mixtures_at_any_rate(
    tiny: SeparatorModel, rate: int, n_channels: int, n_samples: int
) -> None:
    mixture = make_noise(n_samples, n_channels=n_channels)
    stems = tiny.separate(mixture, rate)
    assert all(samples.shape == mixture.shape for samples in stems.values())


def test_a_constant_mixture_is_finite(tiny: SeparatorModel) -> None:
    stems = tiny.separate(np.full((2, 1000), 0.25, np.float32), RATE)
    assert np.isfinite(stack(stems)).all()


def test_progress_rises_to_one_and_cancel_ends_within_a_segment(tiny: SeparatorModel) -> None:
    mixture, seen = make_noise(4 * SEGMENT), []
    tiny.separate(mixture, RATE, progress=seen.append)
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert len(seen) > 5
    heard = []
    with pytest.raises(JobCancelled):
        tiny.separate(mixture, RATE, progress=heard.append, cancelled=lambda: len(heard) == 2)
    assert len(heard) == 2


def test_networks_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    write_tiny_htdemucs(tmp_path, n_networks=2, weights=[[1.0] * 3] * 2)
    with pytest.raises(UnsafeWeights):
        SeparatorFactory.create("htdemucs", device="cpu", model_dir=tmp_path)


def test_resampling_a_mixture_loses_little(tiny: SeparatorModel) -> None:
    """At 48 kHz the stems must be those of 44.1 kHz, in time and level."""
    time = np.arange(48000) / 48000
    at_48 = 0.3 * np.sin(2 * np.pi * 440 * time) * np.hanning(48000)
    time = np.arange(44100) / 44100
    at_44 = 0.3 * np.sin(2 * np.pi * 440 * time) * np.hanning(44100)
    high = tiny.separate(np.stack([at_48] * 2).astype(np.float32), 48000)["vocals"]
    low = tiny.separate(np.stack([at_44] * 2).astype(np.float32), 44100)["vocals"]
    spectrum_high, spectrum_low = np.fft.rfft(high), np.fft.rfft(low)
    bins = np.s_[:, 10:15000]
    assert snr_db(abs(spectrum_low[bins]) / 44100, abs(spectrum_high[bins]) / 48000) > 40
