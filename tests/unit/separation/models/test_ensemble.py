from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from core.errors import InvalidOption
from core.separation.models.base import SeparatorModel
from core.separation.models.ensemble import EnsembleModel, split_name
from tests.unit.separation.measure import RATE, make_noise, snr_db
from tests.unit.separation.models.test_base import Halves


def make(*factors: Any, **options: Any) -> EnsembleModel:
    return EnsembleModel([Halves(factor) for factor in factors], **options)


def test_names() -> None:
    assert split_name("htdemucs") == ("htdemucs",)
    assert split_name("htdemucs_ft + mdx_extra") == ("htdemucs_ft", "mdx_extra")
    assert make(0.5, 0.3).name == "halves+halves"


@pytest.mark.parametrize(
    ("options", "factor"),
    [
        ({}, 0.4),
        ({"weights": (3, 1)}, 0.5),
        ({"combination": "min_spectrum"}, 0.2),
        ({"combination": "max_spectrum"}, 0.6),
    ],
)
@pytest.mark.parametrize("rate", [RATE, 48000])
def test_what_an_ensemble_makes_of_two_estimates(
    options: dict[str, Any], factor: float, rate: Any
) -> None:
    """Weights in the wrong order, or a least that is a most, would go unheard in a mean."""
    mixture = make_noise(50_000)
    stems = make(0.6, 0.2, **options).separate(mixture, rate)
    assert all(samples.shape == mixture.shape for samples in stems.values())
    reference = Halves(factor).separate(mixture, rate)
    assert snr_db(reference["left"], stems["left"]) > 90


def test_models_of_different_stems_give_those_in_common() -> None:
    vocals_only = Halves()
    vocals_only.stems = ("left", "right")
    both = EnsembleModel([Halves(), vocals_only])
    assert both.stems == ("left",)
    assert both.residual_stem is None
    vocals_only.stems = ("right",)
    with pytest.raises(InvalidOption, match="no stem in common"):
        EnsembleModel([Halves(), vocals_only])


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InvalidOption) as error:
        make(0.5, 0.5, weights=(1, 2, 3))
    assert error.value.field == "ensemble_weights"
    with pytest.raises(InvalidOption):
        make(0.5, 0.5, weights=(0, 0))
    other = Halves()
    other.sample_rate = 48000
    with pytest.raises(InvalidOption, match="rates"):
        EnsembleModel([Halves(), other])


@pytest.mark.slow
def test_an_ensemble_of_a_model_with_itself_is_the_model(
    spleeter: SeparatorModel, clip: NDArray[np.float32]
) -> None:
    mixture = clip[:, : 3 * RATE]
    alone = spleeter.separate(mixture, RATE)
    twice = EnsembleModel([spleeter, spleeter]).separate(mixture, RATE)
    np.testing.assert_array_equal(twice["vocals"], alone["vocals"])
