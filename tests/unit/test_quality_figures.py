"""The figures of bench/quality.py, on signals whose ratios are known."""

import json
import math
import sys
from pathlib import Path

import numpy as np
import pytest

from bench.quality import main, medians, pair
from bench.sdr import bss_eval_db, null_db, sdr_db, si_sdr_db
from bench.true_stems import demo_songs, read_songs
from cli.demo_songs import DEMO_SONGS, synthesise
from tests.programs import requires
from tests.signals import write_song

RATE = 8000


def make(seed: int, seconds: float = 1.0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return rng.normal(0, 0.1, (2, round(seconds * RATE))).astype(np.float32)


def test_sdr_of_an_error_of_a_tenth_is_20_db() -> None:
    true = make(0)
    assert sdr_db(true, 1.1 * true) == pytest.approx(20, abs=1e-5)
    assert sdr_db(true, true) == math.inf
    assert math.isnan(sdr_db(0 * true, true))


def test_si_sdr_forgives_the_level_alone() -> None:
    true, noise = make(0), make(1)
    noise -= true * np.sum(true * noise) / np.sum(true * true)  # orthogonal
    noise *= 0.1 * np.linalg.norm(true) / np.linalg.norm(noise)
    for gain in (0.01, 1.0, -3.0):
        assert si_sdr_db(true, gain * (true + noise)) == pytest.approx(20, abs=1e-3)
    assert math.isnan(si_sdr_db(0 * true, true))


@requires("ffmpeg")  # a package that museval imports looks for it
def test_bss_eval_agrees_where_the_error_is_noise() -> None:
    """Transposed arrays or swapped arguments give figures, too; wrong ones."""
    true = [make(0, 3), make(1, 3)]
    estimates = [stem + 0.1 * make(seed, 3) for seed, stem in enumerate(true, start=5)]
    figures = bss_eval_db(true, estimates, RATE)
    assert figures == pytest.approx([20, 20], abs=1.0)  # 512 taps explain a little of the noise
    silent = bss_eval_db([0 * true[0], true[1]], estimates, RATE)
    assert silent is not None
    assert all(math.isnan(value) for value in silent)


def test_null_counts_what_no_stem_holds() -> None:
    a, b = make(0), make(1)
    assert null_db(a, [0.5 * a, 0.499 * a]) == pytest.approx(60, abs=0.01)
    assert null_db(a + b, [a, b]) > 130


def test_stems_of_different_names_are_put_side_by_side() -> None:
    """Compared name by name, a two-stem model would be scored on its vocals alone."""
    true = {name: make(seed) for seed, name in enumerate(("drums", "bass", "other", "vocals"))}
    two = pair(true, {"vocals": make(8), "accompaniment": make(9)})
    assert set(two) == {"vocals", "accompaniment"}
    truth, estimate = two["accompaniment"]
    np.testing.assert_allclose(truth, true["drums"] + true["bass"] + true["other"], atol=1e-6)
    np.testing.assert_array_equal(estimate, make(9))
    six = pair(true, {**true, "guitar": make(8), "piano": make(9)})
    assert set(six) == set(true)
    np.testing.assert_allclose(six["other"][1], true["other"] + make(8) + make(9), atol=1e-6)
    fewer = pair({**true, "guitar": make(8)}, true)
    np.testing.assert_allclose(fewer["other"][0], true["other"] + make(8), atol=1e-6)


def test_medians_leave_out_what_has_no_ratio() -> None:
    songs = [{"vocals": {"sdr_db": value}} for value in (1.0, math.nan, 3.0)]
    assert medians(songs) == {"vocals": {"sdr_db": 2.0}}
    assert math.isnan(medians(songs[1:2])["vocals"]["sdr_db"])


def write_stems(home: Path, *names: str, n_samples: int = RATE) -> None:
    home.mkdir(parents=True)
    for seed, name in enumerate(names):
        write_song(home / f"{name}.wav", make(seed)[:, :n_samples], RATE, "FLOAT")


def test_folders_as_musdb_and_simple_ones(tmp_path: Path) -> None:
    musdb = ("bass", "drums", "other", "vocals")
    write_stems(tmp_path / "hq" / "train" / "A - B", *musdb, "mixture")
    write_stems(tmp_path / "hq" / "test" / "C - D", *musdb, "mixture")
    songs = {song.name: song for song in read_songs(tmp_path / "hq")}
    assert set(songs) == {"train/A - B", "test/C - D"}
    song = songs["test/C - D"]
    assert (set(song.stems), song.sample_rate) == (set(musdb), RATE)
    np.testing.assert_array_equal(song.mixture, make(4))  # the file, not the sum
    write_stems(tmp_path / "simple" / "E", "guitar", "rest")
    (simple,) = read_songs(tmp_path / "simple")
    assert list(simple.stems) == ["guitar", "rest"]
    np.testing.assert_allclose(simple.mixture, make(0) + make(1), atol=1e-7)


def test_a_folder_without_songs_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="for each stem"):
        list(read_songs(tmp_path))
    write_stems(tmp_path / "mixed", "vocals")
    write_song(tmp_path / "mixed" / "drums.wav", make(1), 2 * RATE)
    with pytest.raises(ValueError, match="differ"):
        list(read_songs(tmp_path))


@pytest.mark.slow
def test_the_synthesised_songs_are_the_sum_of_their_stems() -> None:
    """Stems that were played apart from the song would make every figure meaningless."""
    for song, known in zip(demo_songs(), DEMO_SONGS, strict=True):
        np.testing.assert_allclose(song.mixture, synthesise(known), atol=1e-6)
        assert all(stem.any() for stem in song.stems.values())


@pytest.mark.slow
def test_json_is_json(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """NaN is none: a silent stem must not end the script that reads the figures."""
    write_stems(tmp_path / "songs" / "A", "vocals", "other")
    silence = np.zeros((2, RATE))
    write_song(tmp_path / "songs" / "A" / "vocals.wav", silence, RATE)
    asked = ["--model", "spleeter", "--plain", "--json"]
    monkeypatch.setattr(sys, "argv", ["quality", str(tmp_path / "songs"), *asked])
    main()
    figures = json.loads(capsys.readouterr().out)
    assert figures["songs"]["A"]["vocals"]["sdr_db"] is None
    assert figures["songs"]["A"]["accompaniment"]["sdr_db"] > 0
    assert figures["null_db"]["A"] > 100
