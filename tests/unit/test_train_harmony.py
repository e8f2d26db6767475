"""Training of the harmony network, in small."""

import numpy as np
import pytest
import torch

from bench.harmony_net import HarmonyNet
from bench.train_harmony import N_BATCH, make_example, train, validate
from core.analysis.harmony.network import N_CHORDS, lay_out

pytestmark = pytest.mark.slow


def test_a_net_learns_the_pieces_that_it_is_shown() -> None:
    """Labels that are shifted in time or pitch, or stretches without labels, teach nothing."""
    torch.manual_seed(0)
    examples = [make_example(seed) for seed in (0, 1)]
    for example in examples:
        assert len(example.levels) == len(example.chords) == len(example.keys)
        assert example.chords.max() <= N_CHORDS
        assert 0 <= example.key < 24
    net = HarmonyNet((8, 8, 8), dropout=0.0)
    train(net, examples * (N_BATCH // 2), np.random.default_rng(0), n_epochs=60)
    key, chords = validate(net, examples)
    assert key == "key 1.000"
    assert float(chords.split()[1]) > 0.3
    layers = lay_out({name: value.astype(np.float32) for name, value in net.weights().items()})
    assert layers.pitch.shape == (71, 12 * 8)
