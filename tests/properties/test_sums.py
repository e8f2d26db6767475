"""Sums on the delivery grid, for any stems at all."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from core.pipeline.outputs import Output, Outputs, close_sum
from core.pipeline.stages.normalization import find_gain_db
from stemcrate.schemas.options import ProcessingOptions

codes = arrays(np.float64, (2, 16), elements=st.integers(-(2**23), 2**23 - 1).map(float))


@given(codes, codes, codes, codes)
def test_the_closing_stem_closes_the_sum(
    mixture: np.ndarray, drums: np.ndarray, vocals: np.ndarray, other: np.ndarray
) -> None:
    """Whatever a model gives, even nonsense, the stems sum to the mixture to the last bit."""
    outputs = Outputs(
        files=(Output("main", "composite", ("drums", "vocals", "other")),),
        repeats=(),
        stems=("drums", "vocals", "other"),
        closing_stem="other",
        has_complements=False,
    )
    grid = {"mixture": mixture, "drums": drums, "vocals": vocals, "other": other}
    close_sum(grid, outputs)
    assert np.array_equal(grid["drums"] + grid["vocals"] + grid["other"], mixture)


@given(codes, codes)
def test_a_single_stem_is_the_mixture(mixture: np.ndarray, vocals: np.ndarray) -> None:
    grid = {"mixture": mixture, "vocals": vocals}
    close_sum(grid, Outputs((), (), ("vocals",), "vocals", has_complements=False))
    assert np.array_equal(grid["vocals"], mixture)


@given(
    st.one_of(st.none(), st.floats(-70, 5)),
    st.one_of(st.none(), st.floats(-70, 10)),
    st.floats(-40, 0),
    st.floats(-20, 0),
)
def test_normalising_twice_is_normalising_once(
    loudness: float | None, peak: float | None, target: float, ceiling: float
) -> None:
    """A gain moves loudness and peak by as much; a second pass then has nothing to do."""
    options = ProcessingOptions(target_lufs=target, true_peak_ceiling_dbtp=ceiling)
    gain = find_gain_db(loudness, peak, options)
    if loudness is None or peak is None:
        assert gain == 0.0
        return
    assert peak + gain <= ceiling + 1e-3
    assert loudness + gain <= target + 1e-3
    assert abs(find_gain_db(loudness + gain, peak + gain, options)) <= 2e-4
