"""The network of bars: what is trained is what runs, and every input has a result."""

import numpy as np
import pytest
import torch

from bench.made_grooves import make_groove
from bench.train_bars import BarNet, list_grids
from core.analysis.rhythm.bar_net import MOST, run, score_beats
from core.analysis.rhythm.patterns import WIDTH, cut_beats, measure_strokes
from core.analysis.spectra import measure_spectra


@pytest.mark.parametrize("n_beats", [2, 3, 70])
def test_the_network_that_is_trained_is_the_one_that_runs(n_beats: int) -> None:
    torch.manual_seed(0)
    net = BarNet().eval()
    rows = np.random.default_rng(0).normal(size=(n_beats, WIDTH)).astype(np.float32)
    with torch.no_grad():
        trained = net(torch.from_numpy(rows)[None], torch.ones(1, n_beats))[0].numpy()
    found = run(net.arrays(), rows)
    np.testing.assert_allclose(np.stack([found.fit, found.downbeat], axis=1), trained, atol=1e-4)


@pytest.mark.parametrize("n_samples", [0, 1, 300, 22050])
def test_silence_has_finite_scores(n_samples: int) -> None:
    strokes = measure_strokes(measure_spectra([np.zeros(n_samples, dtype=np.float32)]))
    scores = score_beats(strokes, np.array([0.0, 0.5, 1.0]))
    assert np.abs(scores.fit).max() <= MOST
    assert np.abs(scores.downbeat).max() <= MOST


def test_beats_beyond_the_end_have_features() -> None:
    strokes = measure_strokes(measure_spectra([make_groove(3, 4.0).mono]))
    rows = cut_beats(strokes, np.array([3.0, 3.9, 4.8, 5.7]))
    assert rows.shape == (4, WIDTH)
    assert np.isfinite(rows).all()


def test_the_right_grid_of_a_song_comes_first_and_lies_on_its_beat() -> None:
    song = make_groove(1)
    example = list_grids(song, measure_spectra([song.mono]))
    beats = (example.grids[0].start_s - song.first_downbeat_s) / (60 / song.tempo_bpm)
    assert abs(beats - round(beats)) * 60 / song.tempo_bpm < 0.04
    assert example.grids[0].level == 1
    assert any(grid.level != 1 for grid in example.grids)
    assert 0.2 < example.is_downbeat.mean() < 0.4


def test_a_seed_makes_one_song() -> None:
    np.testing.assert_array_equal(make_groove(5, 6.0).mono, make_groove(5, 6.0).mono)
    assert not np.array_equal(make_groove(5, 6.0).mono, make_groove(36, 6.0).mono)
