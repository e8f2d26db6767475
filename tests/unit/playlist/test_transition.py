"""Rating and explaining one transition."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from core.playlist.rating import STEP_RULES, WEIGHTS, StepRule
from core.playlist.track import PlaylistTrack
from core.playlist.transition import rate_transition
from stemcrate.schemas.transitions import DroppedStem, Transition

NUMBERS: dict[str, Any] = {rule.fact: 0.5 for rule in STEP_RULES.values()}
OUTGOING = replace(
    PlaylistTrack("out", **NUMBERS),
    tempo_bpm=120.0,
    camelot="8A",
    energy=5,
    integrated_loudness_lufs=-9.0,
    duration_s=240.0,
    timbre=np.array([1.0, 0.0], np.float32),
    vocals_s=(),
    mix_in_s=(0.0, 32.0),
    mix_out_s=(200.0, 232.0),
)
INCOMING = replace(OUTGOING, id="in")


def rate(outgoing: dict[str, Any] | None = None, **incoming: Any) -> Transition:
    return rate_transition(replace(OUTGOING, **outgoing or {}), replace(INCOMING, **incoming))


def test_weights_are_the_whole() -> None:
    assert sum(WEIGHTS.values()) == pytest.approx(1.0)


def test_a_twin_is_perfect() -> None:
    step = rate()
    assert (step.from_id, step.to_id) == ("out", "in")
    assert step.score == pytest.approx(1.0)
    assert (step.mix_out_s, step.mix_in_s, step.overlap_s, step.overlap_bars) == (200, 0, 32, 16)
    assert (step.vocal_clash_s, step.drops) == (0.0, ())


@pytest.mark.parametrize(
    ("change", "part", "score"),
    [
        ({"camelot": "9A"}, "harmony", 0.9),
        ({"camelot": "2A"}, "harmony", 0.0),
        ({"tempo_bpm": 120 / 1.03}, "tempo", 0.5),
        ({"tempo_bpm": 140.0}, "tempo", 0.0),
        ({"energy": 6}, "energy", 1.0),
        ({"energy": 3.5}, "energy", 1 - 0.5 / 3),
        ({"energy": 10}, "energy", 0.0),
        ({"integrated_loudness_lufs": -12.0}, "loudness", 0.5),
        ({"integrated_loudness_lufs": -20.0}, "loudness", 0.0),
        ({"integrated_loudness_lufs": -np.inf}, "loudness", 0.5),
        ({"timbre": np.array([0.0, 3.0], np.float32)}, "timbre", 0.5),
        ({"timbre": np.array([-2.0, 0.0], np.float32)}, "timbre", 0.0),
        ({"camelot": None}, "harmony", 0.5),
        ({"tempo_bpm": 0.0}, "tempo", 0.5),
        ({"energy": None}, "energy", 0.5),
        ({"integrated_loudness_lufs": None}, "loudness", 0.5),
        ({"timbre": None}, "timbre", 0.5),
        ({"timbre": np.zeros(2, np.float32)}, "timbre", 0.5),
    ],
)
def test_each_part_counts_by_its_weight_alone(
    change: dict[str, Any], part: str, score: float
) -> None:
    """A part that leaks into another one, or a fact that is missing and counts as bad."""
    step = rate(**change)
    assert getattr(step, part) == pytest.approx(score)
    assert step.score == pytest.approx(1.0 - WEIGHTS[part] * (1.0 - score))


@pytest.mark.parametrize(("part", "rule"), STEP_RULES.items())
def test_a_step_counts_from_its_free_size_to_its_limit(part: str, rule: StepRule) -> None:
    """A rule that is declared and not rated."""
    for step, score in ((rule.free, 1.0), (rule.limit, 0.0), ((rule.free + rule.limit) / 2, 0.5)):
        rated = rate(**{rule.fact: getattr(OUTGOING, rule.fact) + step})
        assert getattr(rated, part) == pytest.approx(score)
        assert rated.score == pytest.approx(1.0 - rule.weight * (1.0 - score))


def test_vocals_clash_for_as_long_as_both_sing() -> None:
    """The incoming track runs slower here: its vocals come later than its own clock says."""
    step = rate(
        {"vocals_s": ((190.0, 206.0), (220.0, 230.0))},
        tempo_bpm=120 * 1.05,
        vocals_s=((2.0, 5.0), (20.0, 60.0)),
    )
    # 2–5 s at 1/1.05 is 2.1–5.25 s, inside 200–206; 20 s is 21 s, inside 220–230 until 230.
    assert step.vocal_clash_s == pytest.approx(3.15 + 9.0)
    assert step.vocals == 0.0
    assert "12.2 s of both vocals at once" in step.reasons


@pytest.mark.parametrize(
    ("outgoing", "incoming", "clash_s"),
    [
        (None, ((0.0, 9.0),), None),
        (((200.0, 209.0),), None, None),
        ((), None, 0.0),
        (None, (), 0.0),
    ],
)
def test_who_sings_alone_clashes_with_nobody(
    outgoing: Any, incoming: Any, clash_s: float | None
) -> None:
    """An instrumental is safe to mix with a track of which nothing is known."""
    step = rate({"vocals_s": outgoing}, vocals_s=incoming)
    assert step.vocal_clash_s == clash_s
    assert step.vocals == (0.5 if clash_s is None else 1.0)


def test_the_outgoing_vocals_are_dropped_from_the_first_clash_on() -> None:
    step = rate({"vocals_s": ((204.0, 240.0),), "stems": ("vocals",)}, vocals_s=((1.0, 10.0),))
    assert step.vocal_clash_s == pytest.approx(6.0)
    assert step.drops == (DroppedStem(track_id="out", stem="vocals", start_s=204.0, end_s=232.0),)
    assert step.reasons[-1] == "drop the outgoing vocals from 3:24.0 to 3:52.0"


def test_without_outgoing_stems_the_incoming_vocals_wait() -> None:
    step = rate({"vocals_s": ((204.0, 240.0),)}, vocals_s=((1.0, 10.0),), stems=("vocals",))
    assert step.drops == (DroppedStem(track_id="in", stem="vocals", start_s=0.0, end_s=10.0),)


def test_a_stem_that_is_not_there_is_not_named() -> None:
    step = rate({"vocals_s": ((204.0, 240.0),)}, camelot="2A", vocals_s=((1.0, 10.0),))
    assert step.drops == ()
    assert not any("drop" in reason for reason in step.reasons)


def test_where_keys_clash_the_incoming_harmony_waits() -> None:
    step = rate(camelot="2A", stems=("drums", "other"))
    assert step.drops == (DroppedStem(track_id="in", stem="other", start_s=0.0, end_s=32.0),)


def test_the_mix_is_whole_bars_of_the_shorter_window() -> None:
    step = rate(mix_in_s=(0.0, 15.0))
    assert (step.overlap_s, step.overlap_bars) == (14.0, 7)
    assert "mix out at 3:20.0, in at 0:00.0, 7 bars together" in step.reasons


def test_reasons_are_sentences() -> None:
    step = rate(camelot="9A", tempo_bpm=126.0, energy=8, integrated_loudness_lufs=-6.0)
    assert step.reasons == (
        "8A → 9A: adjacent keys",
        "120.0 → 126.0 BPM: play the incoming track at −4.8 %",
        "energy 5 → 8",
        "incoming track 3.0 LU louder (source files): trim its gain by −3.0 dB",
        "mix out at 3:20.0, in at 0:00.0, 16 bars together",
    )


def test_half_time_and_too_far_are_said() -> None:
    assert rate(tempo_bpm=240.0).reasons[1].endswith("half time")
    assert rate(tempo_bpm=60.0).reasons[1].endswith("double time")
    assert rate(tempo_bpm=140.0).reasons[1].endswith("beyond ±6 %")


def test_the_pitch_is_that_of_the_incoming_track() -> None:
    """ "105.0 → 128.0 BPM: -18.0 %" read as if the set became slower."""
    faster = rate({"tempo_bpm": 105.0}, tempo_bpm=128.0)
    assert faster.reasons[1].startswith("105.0 → 128.0 BPM: play the incoming track at −18.0 %")
    slower = rate({"tempo_bpm": 128.0}, tempo_bpm=126.0)
    assert slower.reasons[1] == "128.0 → 126.0 BPM: play the incoming track at +1.6 %"
    assert rate(tempo_bpm=120.04).reasons[1] == "120.0 → 120.0 BPM: no pitch change"


@pytest.mark.parametrize(
    ("outgoing", "incoming", "basis", "words"),
    [
        (True, True, "delivered", "delivered files"),
        (False, False, "source", "source files"),
        (True, False, "mixed", "a delivered against a source file"),
    ],
)
def test_a_step_of_loudness_names_what_it_compares(
    outgoing: bool, incoming: bool, basis: str, words: str
) -> None:
    """ "15.7 LU louder" stood between two delivered files that differed by 5.4 LU."""
    step = rate(
        {"integrated_loudness_lufs": -14.0, "is_delivered": outgoing},
        integrated_loudness_lufs=-19.4,
        is_delivered=incoming,
    )
    assert (step.loudness_step_lu, step.loudness_of) == (pytest.approx(-5.4), basis)
    expected = f"incoming track 5.4 LU quieter ({words}): trim its gain by +5.4 dB"
    assert expected in step.reasons
    unknown = rate(integrated_loudness_lufs=None, is_delivered=incoming)
    assert (unknown.loudness_step_lu, unknown.loudness_of) == (None, None)


def test_nothing_known_is_neutral_and_said() -> None:
    step = rate_transition(PlaylistTrack("1"), PlaylistTrack("2"))
    assert step.score == pytest.approx(0.5)
    assert (step.pitch_change_percent, step.overlap_s, step.vocal_clash_s) == (None, None, None)
    assert step.reasons == (
        "key unknown: harmony not rated",
        "tempo unknown: pitch change not rated",
    )
