"""The floor under the quality of what is separated: real weights, a real song with true stems."""

import pytest

from bench.quality import score, separate
from bench.sdr import null_db, sdr_db
from bench.true_stems import falcon
from core.separation.models.factory import SeparatorFactory
from core.separation.streaming.effort import Effort


@pytest.mark.slow
def test_spleeter_on_falcon_69() -> None:
    """A wrong window, a lost bin or a shifted block still gives stems; only worse ones."""
    song = falcon()
    if song is None:
        pytest.skip("the stempeg package, which carries the song, is not installed")
    model = SeparatorFactory.create("spleeter", device="cpu")
    estimates = separate(model, song, Effort())
    scores = score(song, estimates, plain=True)
    assert scores["vocals"]["sdr_db"] >= 4.5
    assert scores["accompaniment"]["sdr_db"] >= 11.5
    assert null_db(song.mixture, list(estimates.values())) > 100
    # What the gate would say of no separation at all.
    assert sdr_db(song.stems["vocals"], song.mixture) < -5
