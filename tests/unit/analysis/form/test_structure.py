"""Structure: sections of synthesised tracks, at the bar."""

from typing import Any

import numpy as np
import pytest

from core.analysis.form.structure import MAX_CUES, MAX_WINDOW_BARS, Structure, find_structure
from core.analysis.spectra import Spectra, measure_spectra
from tests.unit.analysis.songs import BAR_S, CLUB_TRACK, RATE, make_track


def _bar_lines(n_bars: int, lead_in_s: float = 0.0) -> list[Any]:
    return [lead_in_s + bar * BAR_S for bar in range(n_bars)]


@pytest.fixture(scope="module")
def club_track() -> Structure:
    n_bars = sum(bars for _, bars in CLUB_TRACK)
    spectra = measure_spectra([make_track(lead_in_s=0.7)])
    return find_structure(spectra, _bar_lines(n_bars, 0.7))


@pytest.mark.slow
def test_sections_are_found_and_named(club_track: Any) -> None:
    found = [(section.label.value, section.n_bars) for section in club_track.sections]
    assert found == list(CLUB_TRACK)


def test_borders_lie_on_the_bar_lines_and_tile_the_track(club_track: Any) -> None:
    starts = [section.start_s for section in club_track.sections]
    expected = 0.7 + BAR_S * np.cumsum([bars for _, bars in CLUB_TRACK[:-1]])
    np.testing.assert_allclose(starts[1:], expected, atol=1e-6)
    ends = [section.end_s for section in club_track.sections]
    assert starts[0] == 0.0
    assert starts[1:] == ends[:-1]


def test_what_comes_again_has_the_same_letter(club_track: Any) -> None:
    letters = {}
    for section in club_track.sections:
        letters.setdefault(section.label, set()).add(section.letter)
    assert letters["drop"] != letters["break"]
    assert len(letters["drop"]) == len(letters["build"]) == 1
    assert letters["intro"] == letters["outro"]


def test_windows_and_cues_follow_the_sections(club_track: Any) -> None:
    assert club_track.first_downbeat_s == pytest.approx(0.7)
    assert club_track.mix_in.n_bars == club_track.mix_out.n_bars == 16
    assert club_track.mix_in.end_s == pytest.approx(0.7 + 16 * BAR_S)
    assert club_track.mix_out.start_s == pytest.approx(0.7 + 80 * BAR_S)
    names = [cue.name for cue in club_track.cues]
    assert names[0] == "Start"
    assert names[-1] == "Mix out"
    assert names.count("Drop") == 2
    times = [cue.time_s for cue in club_track.cues]
    assert times == sorted(times)
    assert len(times) <= MAX_CUES


@pytest.mark.slow
def test_a_sung_part_that_comes_again_is_a_chorus() -> None:
    """A drop is where the bass comes back; what is sung there makes it a chorus."""
    spectra = measure_spectra([make_track()])
    bars = _bar_lines(96)
    sung = [(24 * BAR_S, 40 * BAR_S), (64 * BAR_S, 80 * BAR_S)]
    labels = [str(s.label) for s in find_structure(spectra, bars, vocals_s=sung).sections]
    assert labels.count("chorus") == 2
    assert "drop" not in labels


def test_one_loop_has_one_section_and_windows_of_a_quarter() -> None:
    spectra = measure_spectra([make_track((("drop", 32),))])
    structure = find_structure(spectra, _bar_lines(32))
    assert [section.label for section in structure.sections] == ["body"]
    assert structure.mix_in.n_bars == structure.mix_out.n_bars == 8


@pytest.mark.parametrize("n_downbeats", [0, 1])
def test_without_bars_there_are_no_sections(n_downbeats: int) -> None:
    """A section that isn't on a bar line would be of no use to a DJ."""
    noise = np.random.default_rng(0).normal(0, 0.1, 4 * RATE).astype(np.float32)
    structure = find_structure(measure_spectra([noise]), [0.5][:n_downbeats])
    assert structure.sections == ()
    assert structure.mix_in is None
    assert structure.audible_s == pytest.approx((0, 4), abs=0.02)


@pytest.mark.parametrize("n_samples", [0, 1, RATE])
def test_silence_has_no_structure(n_samples: Any) -> None:
    silence = measure_spectra([np.zeros(n_samples, np.float32)])
    assert find_structure(silence, [0.0, 0.5]) == Structure()


@pytest.mark.parametrize("n_bars", [1, 2, 3, 5, 9])
def test_short_tracks_have_a_structure(n_bars: int) -> None:
    spectra = measure_spectra([make_track((("drop", n_bars),))])
    structure = find_structure(spectra, _bar_lines(n_bars))
    assert sum(section.n_bars for section in structure.sections) == (n_bars if n_bars > 1 else 0)


def _random_spectra(seed: int) -> Any:
    """Passages of random length, level, bass and colour: what no plan of a test thinks of."""
    rng = np.random.default_rng(seed)
    n_bars = int(rng.integers(2, 90))
    mel = np.full((round(n_bars * BAR_S * RATE / 256) + 1, 40), 1e-3)
    pitches = np.full((round(n_bars * BAR_S * RATE / 4096) + 1, 207), 1e-3)
    borders = np.sort(rng.integers(0, n_bars, rng.integers(1, 9))) / n_bars
    for start in borders:
        colour = 10 ** rng.uniform(-3, 0, 40) * np.repeat(10 ** rng.uniform(-2, 0, 2), (6, 34))
        mel[int(start * len(mel)) :] = colour * 10 ** rng.uniform(-1.5, 0)
        pitches[int(start * len(pitches)) :] = 10 ** rng.uniform(-3, 0, 207)
    return n_bars, Spectra(
        n_samples=(len(mel) - 1) * 256,
        peak=1.0,
        mel=mel.astype(np.float32),
        pitches=pitches.astype(np.float32),
        tuning_cents=0.0,
    )


@pytest.mark.parametrize("seed", [*range(30), 1157, 1161])
def test_whatever_is_played_sections_windows_and_cues_are_in_order(seed: Any) -> None:
    """A mix-out before the mix-in, or a window past the end, breaks every planned transition."""
    n_bars, spectra = _random_spectra(seed)
    found = find_structure(spectra, [0.3 + bar * BAR_S for bar in range(n_bars)])
    duration_s = spectra.duration_s
    borders = [found.sections[0].start_s, *(section.end_s for section in found.sections)]
    assert borders == sorted(set(borders))
    assert (borders[0], borders[-1]) == (0.0, pytest.approx(duration_s))
    assert [section.start_s for section in found.sections] == borders[:-1]
    assert all(section.n_bars >= 1 for section in found.sections)
    for window in (found.mix_in, found.mix_out):
        assert 0 <= window.start_s < window.end_s <= duration_s
        assert 1 <= window.n_bars <= MAX_WINDOW_BARS
    if len(found.sections) > 1:
        assert found.mix_in.end_s <= found.mix_out.start_s
    times = [cue.time_s for cue in found.cues]
    assert times == sorted(set(times))
    assert times[-1] < duration_s
    assert len(times) <= MAX_CUES


@pytest.mark.slow
def test_bars_that_do_not_hold_carry_no_claims() -> None:
    """Free piano playing was labelled intro, drop and break, in bars of four."""
    spectra = measure_spectra([make_track()])
    bars = _bar_lines(96)
    sure = find_structure(spectra, bars, grid_confidence=0.6)
    unsure = find_structure(spectra, bars, grid_confidence=0.2)
    assert sure == find_structure(spectra, bars)
    assert {section.label for section in unsure.sections} == {"body"}
    assert all(section.confidence <= 0.2 for section in unsure.sections)
    assert [s.start_s for s in unsure.sections] == [s.start_s for s in sure.sections]
    assert (unsure.mix_in, unsure.mix_out, unsure.cues) == (None, None, ())
