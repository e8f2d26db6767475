"""The whole analysis of a recording: what must not change it, and what must not break it."""

import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from core.analysis.blocks import analyse_blocks
from core.analysis.file import analyse_file
from core.audio.resample import resample
from stemcrate.schemas.facts import TrackFacts
from tests.unit.analysis.encoding import write_mp4
from tests.unit.analysis.songs import TEMPO_BPM, make_track

pytestmark = pytest.mark.slow

RATE = 44100


def _analyse(samples: Any, sample_rate: int = RATE) -> TrackFacts:
    samples = np.atleast_2d(np.asarray(samples, dtype=np.float32))
    return analyse_blocks([samples], sample_rate, len(samples))


@pytest.fixture(scope="module")
def song() -> NDArray[Any]:
    """Intro, drop, break, drop, outro: 45 s, mono."""
    plan = (("intro", 4), ("drop", 8), ("break", 4), ("drop", 4), ("outro", 4))
    return make_track(plan, lead_in_s=0.2, sample_rate=RATE)


@pytest.fixture(scope="module")
def facts(song: NDArray[np.float32]) -> dict[str, Any]:
    return _analyse(song).model_dump(mode="json")


def _assert_same(changed: Any, facts: Any, *, shift_s: float = 0.0) -> None:
    """Tempo within 0.01 BPM, the same key, the grid within 2 ms."""
    assert changed["tempo_bpm"] == pytest.approx(facts["tempo_bpm"], abs=0.01)
    assert changed["key"] == facts["key"]
    for name in ("beats_s", "downbeats_s"):
        times, expected = np.array(changed[name]), np.array(facts[name]) + shift_s
        common = times[(times > expected[0] - 0.1) & (times < expected[-1] + 0.1)]
        nearest = np.abs(common[:, None] - expected).min(axis=1)
        assert nearest.max() < 0.002, name
        assert len(common) >= len(expected) - 1, name


def test_a_song_has_the_facts_that_it_was_made_with(facts: Any) -> None:
    assert facts["tempo_bpm"] == pytest.approx(TEMPO_BPM, abs=0.01)
    assert facts["key"] == "A major"
    assert facts["duration_s"] == pytest.approx(45.2, abs=0.01)
    assert np.abs(np.array(facts["downbeats_s"][1]) - 0.2 - 1.875) < 0.01
    assert facts["sections"][0]["label"] == "intro"
    assert facts["vocals_s"] is None


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("gain", lambda song: 0.1 * song),
        ("polarity", lambda song: -song),
        ("stereo", lambda song: np.stack([song, song])),
        ("one channel in the other's shade", lambda song: np.stack([song, 0.7 * song])),
    ],
)
def test_what_ears_do_not_hear_changes_nothing(
    song: NDArray[np.float32], facts: Any, name: str, change: Callable[..., Any]
) -> None:
    _assert_same(_analyse(change(song)).model_dump(mode="json"), facts)


@pytest.mark.parametrize("sample_rate", [22050, 48000, 96000])
def test_the_sample_rate_changes_nothing(
    song: NDArray[np.float32], facts: Any, sample_rate: Any
) -> None:
    converted = resample(song[None], RATE, sample_rate)
    _assert_same(_analyse(converted, sample_rate).model_dump(mode="json"), facts)


@pytest.mark.parametrize("silence_s", [1.3, 5.0])
def test_leading_silence_moves_the_grid_and_nothing_else(
    song: NDArray[np.float32], facts: Any, silence_s: float
) -> None:
    silence = np.zeros(round(silence_s * RATE), np.float32)
    changed = _analyse(np.concatenate([silence, song])).model_dump(mode="json")
    _assert_same(changed, facts, shift_s=silence_s)


def test_the_blocks_change_nothing(song: NDArray[np.float32], facts: Any) -> None:
    blocks = [part[None] for part in np.array_split(song, 37)]
    assert analyse_blocks(blocks, RATE, 1).model_dump(mode="json") == facts


def _write(path: Path, song: NDArray[np.float32], codec: Any) -> None:
    if codec in ("aac", "alac"):
        write_mp4(path, song, RATE, codec)
        return
    rate = 48000 if codec == "OPUS" else RATE
    samples = resample(song[None], RATE, rate)[0]
    container = {"OPUS": "OGG", "VORBIS": "OGG"}.get(codec)
    soundfile.write(path, samples, rate, subtype=codec, format=container)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("song.wav", "PCM_16"),
        ("song.wav", "PCM_24"),
        ("song.wav", "FLOAT"),
        ("song.flac", "PCM_16"),
        ("song.flac", "PCM_24"),
        ("song.aiff", "PCM_16"),
        ("song.ogg", "VORBIS"),
        ("song.opus", "OPUS"),
        ("song.mp3", "MPEG_LAYER_III"),
        ("song.m4a", "aac"),
        ("song.m4a", "alac"),
    ],
)
def test_the_container_changes_nothing(
    tmp_path: Path, song: NDArray[np.float32], facts: Any, name: str, codec: str
) -> None:
    """A grid moved by an encoder's delay is heard as a flam when two copies are mixed."""
    path = tmp_path / name
    _write(path, song, codec)
    changed = analyse_file(path)
    _assert_same(changed, facts)
    assert changed["energy"] == facts["energy"]


def _noise(seconds: float) -> NDArray[Any]:
    return 0.1 * np.random.default_rng(0).normal(size=round(seconds * RATE))


def _click(seconds: float) -> NDArray[Any]:
    click = np.zeros(round(seconds * RATE))
    click[len(click) // 2] = 1
    return click


def _speech(seconds: float) -> NDArray[Any]:
    """Return voiced syllables of random length and pitch, with pauses."""
    rng = np.random.default_rng(1)
    mono = rng.normal(scale=1e-3, size=round(seconds * RATE))
    for start_s in np.cumsum(rng.uniform(0.12, 0.5, round(2.5 * seconds))):
        part = mono[round(start_s * RATE) :][: round(rng.uniform(0.08, 0.25) * RATE)]
        pitch_hz = rng.uniform(90, 180)
        voice = np.sin(2 * np.pi * pitch_hz * np.arange(len(part)) / RATE) ** 5
        part += (voice + 0.1 * rng.normal(size=len(part))) * np.hanning(len(part))
    return 0.5 * mono


def _sine(seconds: float) -> NDArray[Any]:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(seconds * RATE)) / RATE)


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        ("nothing", np.zeros(0)),
        ("one sample", np.ones(1)),
        ("silence", np.zeros(5 * RATE)),
        ("noise", _noise(20)),
        ("one click", _click(10)),
        ("a sine", _sine(20)),
        ("speech", _speech(20)),
        ("two seconds", make_track((("drop", 2),), sample_rate=RATE)[: 2 * RATE]),
        ("a tenth of a second", _noise(0.1)),
        ("direct current", np.full(5 * RATE, 0.5)),
        ("full scale square", np.sign(_sine(3) + 1e-9)),
    ],
)
def test_every_sound_has_a_result_and_none_is_made_up(name: str, samples: Any) -> None:
    """A confident BPM for noise ends up in somebody's library."""
    facts = _analyse(samples).model_dump(mode="json")
    assert _is_finite(facts)
    assert facts["tempo_bpm"] is None or 20 <= facts["tempo_bpm"] <= 300
    assert 1 <= facts["energy"] <= 10
    if name != "two seconds":
        assert facts["tempo_confidence"] < 0.5
        assert facts["key_confidence"] < 0.6
        assert facts["tempo_bpm"] is not None or not facts["sections"]


def _is_finite(value: Any) -> bool | bool | Any:
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or np.isfinite(value)


def test_levels_have_the_decimals_of_their_unit(facts: Any) -> None:
    """-14.237846374511719 LUFS in a table is thirteen digits of nothing."""
    levels = [value for name, value in facts.items() if name.endswith(("_lufs", "_lu", "_dbtp"))]
    levels += [facts["sample_peak_dbfs"], facts["replaygain_db"]]
    assert len(levels) == 7
    assert all(level == round(level, 3) for level in levels)
    assert facts["replaygain_peak"] == pytest.approx(10 ** (facts["true_peak_dbtp"] / 20), abs=1e-4)


def test_a_rate_that_loudness_is_not_defined_for_has_the_other_facts() -> None:
    facts = _analyse(_noise(3)[::8], sample_rate=RATE // 8).model_dump(mode="json")
    assert facts["integrated_loudness_lufs"] is None
    assert facts["energy"] >= 1


def test_memory_grows_slowly_with_length() -> None:
    """Three hours must fit into a gigabyte with all that Python needs beside it."""
    rate = 22050
    plan = (("intro", 8), ("build", 4), ("drop", 8), ("break", 4), ("drop", 8))
    song = make_track(plan, sample_rate=rate)[None]
    n_songs = 20

    tracemalloc.start()
    facts = analyse_blocks((song for _ in range(n_songs)), rate, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(facts.sections) > n_songs
    assert len(facts.chords) > n_songs
    assert facts.duration_s
    assert peak * 3 * 3600 / facts.duration_s < 600e6
