"""Several passes, wanted stems, and what is done to spectra on the way."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import InvalidOption
from core.separation.models.base import SeparatorModel
from core.separation.models.factory import SeparatorFactory
from core.separation.streaming.effort import PRESETS, Effort
from core.separation.streaming.passes import list_views
from core.separation.streaming.run import Run
from core.separation.streaming.spectral import map_spectra
from tests.models import STEMS, write_tiny_htdemucs
from tests.unit.separation.measure import RATE, make_noise, snr_db
from tests.unit.separation.models.test_base import Halves


class LeftOnly(Halves):
    """Believes that everything on the left belongs to its first stem: swapping shows."""

    def stream_stereo(self, mixture: Any, run: Run) -> Iterator[NDArray[Any]]:
        for start in range(0, mixture.n_samples, 7000):
            block = mixture.read(start, min(start + 7000, mixture.n_samples))
            left = block * np.array([[1], [0]], np.float32)
            yield np.stack([left, block - left])


@pytest.mark.parametrize("effort", [Effort(shifts=3), Effort(augment=True), PRESETS["best"]])
@pytest.mark.parametrize("rate", [44100, 48000])
def test_passes_come_back_in_time_channel_and_sign(effort: Any, rate: int) -> None:
    """A pass that is not undone to the sample would comb-filter the stems."""
    mixture = make_noise(60_000)
    plain = Halves().separate(mixture, rate)
    for stem, samples in Halves().separate(mixture, rate, effort=effort).items():
        np.testing.assert_allclose(samples, plain[stem], atol=1e-6)


def test_swapped_channels_take_part_in_the_mean() -> None:
    mixture = make_noise(20_000)
    stems = LeftOnly().separate(mixture, 44100, effort=Effort(augment=True))
    expected = mixture * np.array([[2 / 3], [1 / 3]], np.float32)
    np.testing.assert_allclose(stems["left"], expected, atol=1e-6)


def test_views_of_an_effort() -> None:
    assert [view.delay for view in list_views(Effort(shifts=2), 44100)] == [0, 11025]
    assert len(list_views(Effort(shifts=2, augment=True), 44100)) == 4


@pytest.mark.slow
def test_shifted_passes_make_another_estimate_and_are_repeatable(tmp_path: Path) -> None:
    write_tiny_htdemucs(tmp_path)
    model = SeparatorFactory.create("htdemucs", device="cpu", model_dir=tmp_path)
    mixture = make_noise(60_000)
    best = [model.separate(mixture, RATE, effort=PRESETS["best"]) for _ in range(2)]
    plain = model.separate(mixture, RATE)
    np.testing.assert_array_equal(best[0]["vocals"], best[1]["vocals"])
    assert snr_db(plain["vocals"], best[0]["vocals"]) < 60


@pytest.mark.slow
def test_only_the_network_of_the_wanted_stem_runs(tmp_path: Path) -> None:
    """Three quarters of the work of a bag like htdemucs_ft would be thrown away."""
    write_tiny_htdemucs(tmp_path, n_networks=4, weights=np.eye(4).tolist())
    model: Any = SeparatorFactory.create("htdemucs", device="cpu", model_dir=tmp_path)
    mixture = make_noise(30_000)
    whole = model.separate(mixture, RATE)
    runs = []
    for i, network in enumerate(model._bag.models):
        network.encoder[0].register_forward_hook(lambda *_, i=i: runs.append(i))
    vocals = model.separate(mixture, RATE, stems=["vocals"])
    assert set(runs) == {STEMS.index("vocals")}
    assert list(vocals) == ["vocals"]
    np.testing.assert_array_equal(vocals["vocals"], whole["vocals"])


@pytest.mark.slow
def test_stems_come_in_the_models_order_and_unknown_ones_are_refused(
    spleeter: SeparatorModel, clip: NDArray[np.float32]
) -> None:
    short = clip[:, :RATE]
    stems = spleeter.separate(short, RATE, stems=["accompaniment", "vocals"])
    assert list(stems) == ["vocals", "accompaniment"]
    with pytest.raises(InvalidOption, match="kazoo"):
        spleeter.separate(short, RATE, stems=["kazoo"])


@pytest.mark.parametrize(
    "cuts", [[], [1], [5000], [3, 4096, 4097, 20_000], range(100, 30_000, 700)]
)
@pytest.mark.parametrize("n_samples", [1, 1023, 4096, 30_000])
def test_spectra_left_alone_give_the_stream_back(cuts: Any, n_samples: int) -> None:
    """A join that shows, or a sample more or less, would break the null test."""
    samples = make_noise(n_samples)
    blocks = np.split(samples, [cut for cut in cuts if cut < n_samples], axis=1)
    joined = np.concatenate(list(map_spectra(iter(blocks), lambda s: s)), axis=1)
    assert joined.shape == samples.shape
    np.testing.assert_allclose(joined, samples, atol=2e-6)


@pytest.mark.slow
def test_the_wiener_filter_does_not_depend_on_blocks_and_keeps_the_sum(
    spleeter: SeparatorModel, clip: NDArray[np.float32]
) -> None:
    """Stems that add up to the mixture must do so after it, too."""
    mixture = clip[:, : 4 * RATE]
    refined = spleeter.separate(mixture, RATE, effort=Effort(wiener=True))
    plain = spleeter.separate(mixture, RATE)
    assert snr_db(mixture, refined["vocals"] + refined["accompaniment"]) > 80
    assert 5 < snr_db(plain["vocals"], refined["vocals"]) < 60
