"""The figures that the benchmark of the analysis prints, and the programs it asks."""

import sys
from pathlib import Path
from typing import Any

import pytest

from bench.analysis import flatten, score_all, tabulate
from bench.music_scores import calibration
from bench.peers import ask_peer, has_peer

ROW = {
    "true_bpm": "120",
    "true_key": "A minor",
    "downbeat0": "0.5",
    "beats_per_bar": "4",
    "dur": "30",
}
BEATS_S = [0.5 * beat for beat in range(60)]


def test_the_reliability_curve_compares_what_was_stated_with_what_was_right() -> None:
    """A curve that is off by a bin calls overconfidence sound."""
    error, curve = calibration([0.1, 0.1, 0.9, 0.9], [False, False, True, False])
    assert curve == "0.10→0.00(2) 0.90→0.50(2)"
    assert error == pytest.approx(0.5 * 0.1 + 0.5 * 0.4)
    assert calibration([1.0, 0.0], [True, False]) == (0, "0.00→0.00(1) 1.00→1.00(1)")


def test_every_score_that_is_asked_for_is_given() -> None:
    """Names that change, or a score that is left out, break who reads the JSON."""
    facts = {
        "tempo_bpm": 120.02,
        "beats_s": BEATS_S,
        "downbeats_s": BEATS_S[1::4],
        "key": "E minor",
    }
    assert score_all([ROW], [facts]) == {
        "acc1": 1,
        "acc2": 1,
        "within_0_05_bpm": 1,
        "tempo_half": 0,
        "tempo_double": 0,
        "tempo_other": 0,
        "beat_f": 1,
        "half_beat_off": 0,
        "downbeat_f": 1,
        "key_exact": 0,
        "key_weighted": 0.5,
        "key_compatible": 1,
    }


def test_nothing_found_is_wrong_and_not_left_out() -> None:
    """Means over what was found alone would reward silence."""
    nothing: dict[str, Any] = {"tempo_bpm": None, "beats_s": [], "downbeats_s": [], "key": None}
    scores = score_all([ROW], [nothing])
    assert scores.pop("tempo_other") == 1
    assert set(scores.values()) == {0}


def test_who_looks_for_no_bars_is_not_judged_by_them() -> None:
    """librosa gives beats alone: 0 for its bars would be a made-up figure."""
    facts = {"tempo_bpm": 120.0, "beats_s": BEATS_S, "key": "A minor"}
    assert "downbeat_f" not in score_all([ROW], [facts])


def test_programs_that_are_not_there_are_named() -> None:
    """A column that is missing leaves open whether it was asked."""
    columns = {"ours": {"acc1": 0.9, "downbeat_f": 0.7}, "librosa": {"acc1": 0.5}}
    figures = flatten({**columns, "mixxx": {"acc1": 0.6}})
    assert figures["acc1"] == 0.9
    assert figures["librosa_acc1"] == 0.5
    assert figures["mixxx_acc1"] == 0.6
    assert figures["essentia"] == "not installed"
    head, first, second = tabulate(columns)
    assert head.split() == ["ours", "librosa", "essentia", "mixxx"]
    assert first.split() == ["acc1", "0.900", "0.500", *["not", "installed"] * 2]
    assert second.split()[:3] == ["downbeat_f", "0.700", "—"]


def test_an_environment_without_a_peer_says_so() -> None:
    """Asked without it, a peer gives no answers, and not a table of zeros."""
    python = Path(sys.executable)
    assert not has_peer(python, "essentia")
    with pytest.raises(RuntimeError, match=r"(?s)0 of 1.*No module named 'essentia'"):
        ask_peer(python, "essentia", [Path("a.wav")])
