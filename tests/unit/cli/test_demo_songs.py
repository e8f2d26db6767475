"""The demo songs: what their score says is what the analysis finds."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cli.demo_songs import DEMO_SONGS, SAMPLE_RATE, demo_song, synthesise, write_demo_songs
from core.analysis.harmony.camelot import key_to_camelot, relation
from core.analysis.harmony.chroma import measure_chroma
from core.analysis.harmony.key import estimate_key
from core.analysis.rhythm.tempo import estimate_tempo
from core.analysis.signal import to_mono
from core.analysis.spectra import measure_spectra
from core.audio.resample import resample
from core.audio.tagging.tags import read_tags

RATE = 22050


@pytest.mark.parametrize("song", DEMO_SONGS, ids=lambda song: song.title)
def test_tempo_and_key_of_a_known_song_are_found(song: Any) -> None:
    samples = synthesise(song)
    mono = resample(to_mono(samples)[None], SAMPLE_RATE, RATE)[0]
    spectra = measure_spectra([mono])
    tempo = estimate_tempo(spectra)
    assert tempo.tempo_bpm == pytest.approx(song.tempo_bpm, abs=0.1)
    bars_s = np.arange(10) * 4 * 60 / song.tempo_bpm
    assert max(np.abs(np.array(tempo.downbeats_s) - bar_s).min() for bar_s in bars_s) < 0.03
    assert estimate_key(measure_chroma(spectra)).key == song.key
    assert 15 < samples.shape[1] / SAMPLE_RATE < 21
    assert 0.8 < np.abs(samples).max() < 0.9


def test_the_demo_set_mixes_harmonically() -> None:
    first, *rest = (key_to_camelot(song.key) for song in DEMO_SONGS)
    assert all(relation(first, other) != "clash" for other in rest)


@pytest.mark.slow
def test_the_same_songs_come_out_each_time(tmp_path: Path) -> None:
    first, second = write_demo_songs(tmp_path / "a"), write_demo_songs(tmp_path / "b")
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]
    assert [read_tags(path).title for path in first] == [song.title for song in DEMO_SONGS]


def test_the_real_song_carries_its_author_and_licence(tmp_path: Path) -> None:
    """CC BY asks for the credit to travel with every copy."""
    copy = demo_song(tmp_path)
    tags = read_tags(copy)
    assert tags.artist == "Steven M Bryant"
    assert "CC BY 3.0" in (tags.comment or "")
    assert demo_song().is_file()
