"""Every channel reaches the side it belongs to, and the text says how."""

from typing import Any

import numpy as np
import pytest

from core.audio.reading.downmix import Downmix

S = 0.7071


@pytest.mark.parametrize(
    ("layout", "left", "right"),
    [
        ("FL FR FC", [1, 0, S], [0, 1, S]),
        ("FL FR BL BR", [1, 0, S, 0], [0, 1, 0, S]),
        ("FL FR FC BC", [1, 0, S, 0.5], [0, 1, S, 0.5]),
        ("FL FR FC LFE BL BR", [1, 0, S, 0, S, 0], [0, 1, S, 0, 0, S]),
        ("FL FC FR SL SR LFE", [1, S, 0, S, 0, 0], [0, S, 1, 0, S, 0]),
        ("FL FR FC LFE BL BR SL SR", [1, 0, S, 0, S, 0, S, 0], [0, 1, S, 0, 0, S, 0, S]),
    ],
)
def test_coefficients_follow_the_layout(layout: str, left: list[Any], right: list[Any]) -> None:
    downmix = Downmix(len(left), tuple(layout.split()))
    np.testing.assert_allclose(downmix.matrix, [left, right], atol=1e-7)
    np.testing.assert_allclose(downmix.apply(np.eye(len(left), dtype=np.float32)), [left, right])
    assert "assumed" not in downmix.description


@pytest.mark.parametrize("n_channels", range(3, 9))
def test_unknown_layouts_get_the_usual_one_and_say_so(n_channels: int) -> None:
    for layout in (None, ("NONE",) * n_channels):
        downmix = Downmix(n_channels, layout)
        assert downmix.matrix.shape == (2, n_channels)
        assert "assumed" in downmix.description


def test_the_description_names_the_coefficients() -> None:
    text = Downmix(6, ("FL", "FR", "FC", "LFE", "SL", "SR")).description
    assert "left = FL + 0.7071 FC + 0.7071 SL" in text
    assert "LFE left out" in text


@pytest.mark.parametrize("n_channels", [1, 2, 9])
def test_other_counts_are_mistakes(n_channels: int) -> None:
    with pytest.raises(ValueError, match="channels"):
        Downmix(n_channels)
