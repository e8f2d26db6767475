"""Rating one transition."""

import pytest

from core.playlist.transition import PlaylistTrack, rate_transition


def rate(first, second):
    return rate_transition(
        PlaylistTrack("1", "", None, *first), PlaylistTrack("2", "", None, *second)
    )


def test_the_same_key_and_tempo_is_perfect():
    step = rate((124.0, "8A"), (124.0, "8A"))
    assert (step.from_id, step.to_id, step.score, step.pitch_change_percent) == ("1", "2", 1.0, 0.0)


def test_the_fader_moves_the_incoming_track_towards_the_outgoing_one():
    assert rate((126.0, "8A"), (120.0, "8A")).pitch_change_percent == pytest.approx(5.0)
    assert rate((120.0, "8A"), (126.0, "8A")).pitch_change_percent == pytest.approx(
        -4.7619, abs=1e-4
    )


def test_half_and_double_time_mix_and_say_so():
    step = rate((87.0, "8A"), (174.0, "8A"))
    assert step.tempo == 1.0
    assert "half time" in step.reasons[1]
    assert "double time" in rate((174.0, "8A"), (88.0, "8A")).reasons[1]


def test_beyond_the_fader_tempo_counts_nothing():
    step = rate((120.0, "8A"), (140.0, "8A"))
    assert step.tempo == 0.0
    assert "beyond ±6 %" in step.reasons[1]


def test_better_harmony_never_scores_less():
    codes = ["8A", "9A", "10A", "7B", "2A"]  # same, adjacent, boost, diagonal, clash
    scores = [rate((120.0, "8A"), (120.0, code)).score for code in codes]
    assert scores == sorted(scores, reverse=True)
    assert len(set(scores)) == len(scores)


@pytest.mark.parametrize("unknown", [(None, None), (0.0, None), (0.0, "")])
def test_silence_and_missing_facts_are_neutral_and_said(unknown):
    step = rate((120.0, "8A"), unknown)
    assert step.score == 0.5
    assert step.pitch_change_percent is None
    assert all("unknown" in reason for reason in step.reasons)
