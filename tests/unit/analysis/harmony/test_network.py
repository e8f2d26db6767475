"""The harmony network: alike in every key, and the same with numpy as in training."""

import numpy as np
import pytest
import torch

from bench.harmony_net import HarmonyNet
from core.analysis.harmony.chroma import measure_chroma
from core.analysis.harmony.network import (
    CHORD_QUALITIES,
    N_CHORDS,
    hear_harmony,
    lay_out,
    level_frames,
    n_opening_frames,
)
from core.analysis.spectra import measure_spectra
from tests.progressions import play, play_chord

N_PITCHES = 57


@pytest.mark.parametrize("tonic", [0, 5, 11])
@pytest.mark.parametrize("mode", ["major", "minor"])
def test_a_cadence_is_heard_in_its_key(tonic: int, mode: str) -> None:
    """Weights turned by a semitone, or modes that are swapped, name another key."""
    signal = np.tile(play(tonic, "major" if mode == "major" else "minor"), 2).astype(np.float32)
    heard = measure_chroma(measure_spectra([signal])).harmony
    key = heard.key(0, len(heard.chords))
    assert np.exp(key).sum() == pytest.approx(1, abs=1e-4)
    assert int(key.argmax()) == tonic + 12 * (mode == "minor")


def test_a_seventh_is_heard_on_its_root() -> None:
    """Chords are ordered by quality, then by root."""
    signal = play_chord(7, (0, 4, 7, 10), 2)
    heard = measure_chroma(measure_spectra([signal.astype(np.float32)])).harmony
    assert heard.chords[3:8].mean(axis=0).argmax() == 12 * CHORD_QUALITIES.index("7") + 7


def test_numpy_and_training_agree() -> None:
    """Two descriptions of one network drift apart."""
    torch.manual_seed(1)
    net = HarmonyNet((6, 7, 5)).eval()
    layers = lay_out({name: value.astype(np.float32) for name, value in net.weights().items()})
    with torch.no_grad():
        for value in net.parameters():
            value.copy_(value.half().float())  # as stored
    pitches = np.random.default_rng(0).random((4, N_PITCHES)).astype(np.float32)
    with torch.no_grad():
        features = net.hear(torch.from_numpy(pitches))
        chords = net.chords(features).numpy()
        means, openings = features.mean(0), features[:2].mean(0)
        keys = net.keys(means, openings).log_softmax(-1).numpy()
    found = layers.hear(pitches)
    np.testing.assert_allclose(found, features.flatten(-2).numpy(), atol=1e-4)
    np.testing.assert_allclose(found @ layers.chord + layers.chord_bias, chords, atol=1e-4)
    both = torch.cat([means, openings], dim=-1).numpy()
    np.testing.assert_allclose(layers.key(both.ravel().astype(np.float64)), keys, atol=1e-2)


@pytest.mark.parametrize("n_frames", [1, 2, 1025])
def test_silence_of_any_length_is_heard_without_numbers_that_are_none(n_frames: int) -> None:
    """Division by the loudest of nothing; a part of one frame."""
    heard = hear_harmony(np.zeros((n_frames, N_PITCHES), dtype=np.float32))
    assert heard.chords.shape == (n_frames, N_CHORDS + 1)
    assert np.isfinite(heard.chords).all()
    assert np.isfinite(heard.key(0, n_frames)).all()


def test_faint_frames_count_less_than_loud_ones() -> None:
    """The tail of a reverberation must not weigh as much as the music."""
    pitches = np.ones((2, N_PITCHES), dtype=np.float32)
    pitches[1] *= 0.01
    levels, weights = level_frames(pitches)
    assert weights[0] > 0.9 > 0.2 > weights[1]
    assert levels.max() <= 1


def test_the_opening_is_a_third_within_limits() -> None:
    """An opening of the whole would count everything twice."""
    assert [n_opening_frames(n) for n in (3, 60, 900)] == [8, 20, 54]
