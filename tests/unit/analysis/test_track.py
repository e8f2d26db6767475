"""The whole analysis of a recording: what must not change it, and what must not break it."""

import tracemalloc

import av
import numpy as np
import pytest
import soundfile

from core.analysis.file import analyse_file
from core.analysis.track import TrackAnalysis, analyse_track
from core.audio.resample import resample
from tests.unit.analysis.songs import TEMPO_BPM, make_track

RATE = 44100


def _analyse(samples, sample_rate=RATE) -> TrackAnalysis:
    samples = np.atleast_2d(np.asarray(samples, dtype=np.float32))
    return analyse_track([samples], sample_rate, len(samples))


@pytest.fixture(scope="module")
def song():
    """Intro, drop, break, drop, outro: 45 s, mono."""
    plan = (("intro", 4), ("drop", 8), ("break", 4), ("drop", 4), ("outro", 4))
    return make_track(plan, lead_in_s=0.2, sample_rate=RATE)


@pytest.fixture(scope="module")
def facts(song):
    return _analyse(song).facts()


def _assert_same(changed, facts, *, shift_s=0.0):
    """Tempo within 0.01 BPM, the same key, the grid within 2 ms."""
    assert changed["tempo_bpm"] == pytest.approx(facts["tempo_bpm"], abs=0.01)
    assert changed["key"] == facts["key"]
    for name in ("beats_s", "downbeats_s"):
        times, expected = np.array(changed[name]), np.array(facts[name]) + shift_s
        common = times[(times > expected[0] - 0.1) & (times < expected[-1] + 0.1)]
        nearest = np.abs(common[:, None] - expected).min(axis=1)
        assert nearest.max() < 0.002, name


def test_a_song_has_the_facts_that_it_was_made_with(facts):
    assert facts["tempo_bpm"] == pytest.approx(TEMPO_BPM, abs=0.01)
    assert facts["key"] == "A major"
    assert facts["duration_s"] == pytest.approx(45.2, abs=0.01)
    assert np.abs(np.array(facts["downbeats_s"][1]) - 0.2 - 1.875) < 0.01
    assert facts["sections"][0]["label"] == "intro"
    assert facts["vocals_s"] is None


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("gain", lambda song: 0.2 * song),
        ("polarity", lambda song: -song),
        ("stereo", lambda song: np.stack([song, song])),
    ],
)
def test_what_ears_do_not_hear_changes_nothing(song, facts, name, change):
    _assert_same(_analyse(change(song)).facts(), facts)


@pytest.mark.parametrize("sample_rate", [22050, 48000])
def test_the_sample_rate_changes_nothing(song, facts, sample_rate):
    converted = resample(song[None], RATE, sample_rate)
    _assert_same(_analyse(converted, sample_rate).facts(), facts)


def test_leading_silence_moves_the_grid_and_nothing_else(song, facts):
    silence = np.zeros(round(1.3 * RATE), np.float32)
    _assert_same(_analyse(np.concatenate([silence, song])).facts(), facts, shift_s=1.3)


def test_the_blocks_change_nothing(song, facts):
    blocks = [part[None] for part in np.array_split(song, 37)]
    assert analyse_track(blocks, RATE, 1).facts() == facts


@pytest.mark.parametrize(
    ("container", "codec"), [("flac", None), ("ogg", None), ("mp3", None), ("m4a", "aac")]
)
def test_the_container_changes_nothing(tmp_path, song, facts, container, codec):
    path = tmp_path / f"song.{container}"
    if codec is None:
        soundfile.write(path, song, RATE)
    else:
        _write_aac(path, song)
    _assert_same(analyse_file(path)[1], facts)


def _write_aac(path, song):
    with av.open(str(path), "w", format="mp4") as file:
        stream = file.add_stream("aac", rate=RATE)
        stream.layout = "mono"
        for start in range(0, len(song), 1024):
            frame = av.AudioFrame.from_ndarray(song[None, start : start + 1024], "fltp", "mono")
            frame.sample_rate, frame.pts = RATE, start
            file.mux(stream.encode(frame))
        file.mux(stream.encode(None))


def _noise(seconds):
    return 0.1 * np.random.default_rng(0).normal(size=round(seconds * RATE))


def _click(seconds):
    click = np.zeros(round(seconds * RATE))
    click[len(click) // 2] = 1
    return click


def _sine(seconds):
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
        ("two seconds", make_track((("drop", 2),), sample_rate=RATE)[: 2 * RATE]),
        ("a tenth of a second", _noise(0.1)),
        ("direct current", np.full(5 * RATE, 0.5)),
        ("full scale square", np.sign(_sine(3) + 1e-9)),
    ],
)
def test_every_sound_has_a_result_and_none_is_made_up(name, samples):
    """A BPM of noise, told as if it were sure, ends up in somebody's library."""
    facts = _analyse(samples).facts()
    assert _is_finite(facts)
    assert facts["tempo_bpm"] == 0 or 20 <= facts["tempo_bpm"] <= 300
    assert 1 <= facts["energy"] <= 10
    if name != "two seconds":
        assert facts["tempo_confidence"] < 0.5
        assert facts["key_confidence"] < 0.6
        assert facts["tempo_bpm"] > 0 or not facts["sections"]


def _is_finite(value):
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, list):
        return all(map(_is_finite, value))
    return not isinstance(value, float) or np.isfinite(value)


def test_a_rate_that_loudness_is_not_defined_for_has_the_other_facts():
    facts = _analyse(_noise(3)[::8], sample_rate=RATE // 8).facts()
    assert facts["integrated_loudness_lufs"] is None
    assert facts["energy"] >= 1


@pytest.mark.slow
def test_memory_grows_slowly_with_length():
    """Three hours must fit into a gigabyte with all that Python needs beside it."""
    part = _noise(6).astype(np.float32)[None]
    minutes = 12

    tracemalloc.start()
    analyse_track((part for _ in range(10 * minutes)), RATE, 1)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak * 180 / minutes < 700e6
