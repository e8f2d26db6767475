"""Loudness as delivered, and why it is not the target."""

import pytest

from core.pipeline.loudness import DeliveredGain, describe_loudness
from stemcrate.schemas.facts import LoudnessFacts
from stemcrate.schemas.options import ProcessingOptions

SOURCE = LoudnessFacts(integrated_loudness_lufs=-20.0, true_peak_dbtp=-4.5)
OPTIONS = ProcessingOptions(target_lufs=-14.0, true_peak_ceiling_dbtp=-1.0)


@pytest.mark.parametrize(
    ("gain", "limit", "note"),
    [
        (DeliveredGain(6.0), None, None),
        (DeliveredGain(5.96), None, None),
        (
            DeliveredGain(3.5),
            "true_peak_ceiling",
            "target −14.0, reached −16.5 LUFS: a higher gain would exceed the ceiling of −1.0 dBTP",
        ),
        (
            DeliveredGain(4.0, rescaled_db=-2.0),
            "full_scale",
            "target −14.0, reached −16.0 LUFS: a higher gain would exceed full scale",
        ),
        (
            DeliveredGain(2.5, rescaled_db=-1.0),
            "true_peak_ceiling",
            "target −14.0, reached −17.5 LUFS: a higher gain would exceed the ceiling of −1.0 dBTP",
        ),
    ],
)
def test_a_missed_target_has_its_reason(
    gain: DeliveredGain, limit: str | None, note: str | None
) -> None:
    """Files of −17.5 LUFS were delivered with a target of −14 and no word about it."""
    delivered = describe_loudness(SOURCE, gain, OPTIONS)
    assert delivered.integrated_lufs == pytest.approx(-20.0 + gain.gain_db)
    assert delivered.true_peak_dbtp == pytest.approx(-4.5 + gain.gain_db)
    assert (delivered.limit, delivered.note) == (limit, note)


def test_silence_misses_no_target() -> None:
    silence = LoudnessFacts(integrated_loudness_lufs=None, true_peak_dbtp=None)
    delivered = describe_loudness(silence, DeliveredGain(0.0), OPTIONS)
    assert (delivered.integrated_lufs, delivered.limit, delivered.note) == (None, None, None)


def test_a_clamped_file_has_no_known_true_peak() -> None:
    """The sum of peak and gain lies above full scale, where nothing of the file is left."""
    delivered = describe_loudness(SOURCE, DeliveredGain(6.0, is_clamped=True), None)
    assert delivered.true_peak_dbtp is None
    assert delivered.target_lufs is None
