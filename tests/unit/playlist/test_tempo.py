"""Pitch changes after folding."""

import numpy as np
import pytest

from core.playlist.tempo import fold_octaves, log_tempo, pitch_change_percent


def change(outgoing_bpm: float, incoming_bpm: float) -> float:
    pair = log_tempo(np.array([outgoing_bpm, incoming_bpm]))
    return float(pitch_change_percent(pair[:1], pair[1:])[0])


@pytest.mark.parametrize(
    ("outgoing_bpm", "incoming_bpm", "percent"),
    [
        (126.0, 120.0, 5.0),
        (120.0, 126.0, -4.7619),
        (174.0, 87.0, 0.0),
        (87.0, 174.0, 0.0),
        (174.0, 88.0, -1.1364),
        (60.0, 240.0, -50.0),
        (120.0, 150.0, -20.0),
    ],
)
def test_the_incoming_track_moves_one_octave_at_most(
    outgoing_bpm: float, incoming_bpm: float, percent: float
) -> None:
    """A sign turned round, or a track at quarter time that counts as a match."""
    assert change(outgoing_bpm, incoming_bpm) == pytest.approx(percent, abs=1e-4)


def test_octaves_say_how_the_incoming_tempo_counts() -> None:
    logs = log_tempo(np.array([174.0, 87.0, 174.0]))
    np.testing.assert_array_equal(fold_octaves(logs[:2], logs[1:]), [1.0, -1.0])


@pytest.mark.parametrize("unknown", [0.0, -1.0, np.nan])
def test_a_tempo_that_is_not_known_gives_no_change(unknown: float) -> None:
    """Silence has 0 BPM: a division by it must not become an endless pitch change."""
    assert np.isnan(change(120.0, unknown))
    assert np.isnan(change(unknown, 120.0))
