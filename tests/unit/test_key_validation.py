"""Songs made in a key, and the choice of settings that never sees what it is scored on."""

import numpy as np
import pytest

from bench.key_validation import SETTINGS, Heard, choose, cross_validate, score_rule
from bench.made_harmony import make_harmony
from core.analysis.harmony.chroma import measure_chroma
from core.analysis.harmony.key_windows import RULE, KeyRule
from core.analysis.spectra import measure_spectra

pytestmark = pytest.mark.slow

AS_TONAL = KeyRule(moving=1.1, steady=1.2)


@pytest.fixture(scope="module")
def songs() -> list[Heard]:
    """Four of each kind that has chords or a melody: bass alone leaves the mode open."""
    made = [make_harmony(seed) for seed in range(1000, 1036)]
    return [
        Heard(measure_chroma(measure_spectra([song.mono])), song.key, song.kind)
        for song in made
        if not song.kind.startswith("bass")
    ]


def test_keys_of_electronic_songs_are_found(songs: list[Heard]) -> None:
    """Kicks with a pitch, glides and pumping pads must not hide a key that is there."""
    exact, _, compatible = score_rule(RULE, songs).mean(axis=0)
    assert exact >= 0.75
    assert compatible >= 0.85


def test_steady_harmony_is_heard_by_the_electronic_profiles(songs: list[Heard]) -> None:
    """Profiles of songs and sonatas take the relative major of a loop in minor."""
    by_rule, as_tonal = (score_rule(rule, songs)[:, 1].sum() for rule in (RULE, AS_TONAL))
    assert by_rule > as_tonal


def test_a_song_is_the_same_each_time_and_ends_in_its_range() -> None:
    """Scores of songs that change from run to run compare with nothing."""
    first, second = make_harmony(5), make_harmony(5)
    assert first.key == second.key
    assert np.array_equal(first.mono, second.mono)
    assert np.abs(first.mono).max() == pytest.approx(0.7, abs=0.01)


def test_the_choice_prefers_a_plateau_to_a_peak() -> None:
    """A setting that wins alone among bad neighbours wins by chance."""
    means = np.zeros((len(SETTINGS), 3))
    means[0] = 1.0  # a corner of the grid
    plateau = [
        index
        for index, rule in enumerate(SETTINGS)
        if rule.gate in (0.1, 0.2) and rule.doubt in (5.0, 8.0) and rule.minor_lead > 0
    ]
    means[plateau] = 0.8
    assert choose(means) in plateau


def test_each_group_is_scored_by_a_setting_that_was_chosen_without_it() -> None:
    """A choice that has seen what it is scored on flatters itself."""
    scores = np.zeros((len(SETTINGS), 4, 3))
    is_loud_gate = np.array([rule.gate == 0.3 for rule in SETTINGS])
    scores[is_loud_gate, :2] = 1.0  # right on one group only where the gate is high
    scores[~is_loud_gate, 2:] = 1.0  # and on the other only where it is not
    figures = cross_validate(scores, ["one", "one", "two", "two"])
    assert "gate 0.3" in figures["chosen_without_two"]
    assert "gate 0.3" not in figures["chosen_without_one"]
    assert figures["cross_validated_exact"] == 0
