"""Train the harmony network (`core.analysis.harmony.network`) on music made by rule.

    OMP_NUM_THREADS=1 python -m bench.train_harmony [--pieces N] [--left-out IDIOMS] [--out FILE]

Makes N pieces (`bench.made_pieces`), measures them as recordings are measured, and trains. Every
tenth piece is kept for validation, and all pieces of the idioms left out, such as
``jazz,folk``; the shares of right keys and chords on both are printed. No recording is used.
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from bench.harmony_net import HarmonyNet
from bench.made_pieces import make_piece
from bench.made_scores import IDIOMS
from core.analysis.harmony.chroma import measure_chroma
from core.analysis.harmony.network import (
    CHORD_QUALITIES,
    N_CHORDS,
    level_frames,
    n_opening_frames,
)
from core.analysis.spectra import PITCH_HOP_S, measure_spectra

DESTINATION = Path(__file__).parents[1] / "core/analysis/weights/harmony.npz"
RATE_HZ = 5512
"""Rate at which pieces are made: nothing above 2 kHz counts as pitch."""
SIZES = (40, 56, 56)
"""Features of a root alone, of the roots together, and hidden ones of the key."""
N_FRAMES = 112
"""Frames of a training example; longer stretches are thinned out."""
N_BATCH = 32

_Matrix = NDArray[np.float32]
_Labels = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Example:
    """A piece as the network sees it.

    Parameters
    ----------
    idiom : of the piece.
    levels : levelled pitches, float32 ``(n_frames, 57)``; ``weights`` of the frames.
    chords, bass, keys : of each frame; -1 where they are not known.
    key : of the piece.
    """

    idiom: str
    levels: _Matrix
    weights: _Matrix
    chords: _Labels
    bass: _Labels
    keys: _Labels
    key: int


def main() -> None:
    """Make, train, validate and store."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=2800)
    parser.add_argument("--epochs", type=int, default=12)
    parser.add_argument("--left-out", default="", help="idioms to leave out, for validation")
    parser.add_argument("--out", type=Path, default=DESTINATION)
    options = parser.parse_args()
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    left_out = options.left_out.split(",")
    examples = [make_example(seed) for seed in range(options.pieces)]
    kept = [e for index, e in enumerate(examples) if index % 10 == 9]
    others = [e for index, e in enumerate(examples) if index % 10 != 9]
    net = HarmonyNet(SIZES)
    train(net, [e for e in others if e.idiom not in left_out], rng, n_epochs=options.epochs)
    print("validation", *validate(net, [e for e in kept if e.idiom not in left_out]))
    for idiom in set(left_out) & set(IDIOMS):
        print(f"{idiom}, left out", *validate(net, [e for e in examples if e.idiom == idiom]))
    weights: dict[str, Any] = net.weights()
    np.savez_compressed(options.out, **weights)


def make_example(seed: int) -> Example:
    """Make and measure the piece of a seed, 14 to 44 s long."""
    duration_s = float(np.random.default_rng([seed, 99]).uniform(14, 44))
    piece = make_piece(seed, duration_s, rate_hz=RATE_HZ)
    pitches = measure_chroma(measure_spectra([piece.mono], RATE_HZ)).pitches
    levels, weights = level_frames(pitches)
    beats = np.arange(len(pitches)) * PITCH_HOP_S / piece.beat_s
    chords = piece.score.chords
    starts = np.array([chord.start for chord in chords])
    at = np.clip(np.searchsorted(starts, beats, "right") - 1, 0, len(chords) - 1)
    # A frame is longer than half a second: near a change it holds both chords.
    ends = np.append(starts, np.inf)[at + 1]
    is_near = np.minimum(beats - starts[at], ends - beats) * piece.beat_s < PITCH_HOP_S
    is_known = piece.has_chords & ~is_near
    numbers = [12 * CHORD_QUALITIES.index(chord.quality) + chord.root for chord in chords]
    named = np.where(weights < 0.15, N_CHORDS, np.array(numbers)[at])
    return Example(
        idiom=piece.score.idiom,
        levels=levels,
        weights=weights,
        chords=np.where(is_known, named, -1),
        bass=np.where(is_known & (weights >= 0.15), np.array([c.bass for c in chords])[at], -1),
        keys=np.array([_number(chord.key) for chord in chords])[at],
        key=_number(piece.score.key),
    )


def train(
    net: HarmonyNet, examples: Sequence[Example], rng: np.random.Generator, *, n_epochs: int
) -> None:
    """Train on random stretches in random colours."""
    rate = 3e-3
    optimizer = torch.optim.AdamW(net.parameters(), lr=rate, weight_decay=1e-2)
    n_steps = n_epochs * (len(examples) // N_BATCH)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, rate, total_steps=n_steps + 1, pct_start=0.15
    )
    net.train()
    for epoch in range(n_epochs):
        order = rng.permutation(len(examples))
        losses = []
        for first in range(0, len(order) - N_BATCH + 1, N_BATCH):
            batch = _Batch([examples[i] for i in order[first : first + N_BATCH]], rng)
            loss = _loss(net, batch)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimizer.step()
            schedule.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {np.mean(losses):.3f}", flush=True)


def validate(net: HarmonyNet, examples: Sequence[Example]) -> tuple[str, str]:
    """Return the shares of right keys and chords, as text."""
    net.eval()
    keys, chords = [], []
    with torch.no_grad():
        for example in examples:
            batch = _Batch([example], None)
            features = net.hear(batch.levels)
            key = net.keys(*batch.means(features)).argmax(-1)
            keys.append(float((key == batch.key).float().mean()))
            found, is_known = net.chords(features).argmax(-1), batch.chords >= 0
            if is_known.any():
                chords.append(float((found == batch.chords)[is_known].float().mean()))
    net.train()
    return f"key {np.mean(keys):.3f}", f"chords {np.mean(chords or [0]):.3f}"


class _Batch:
    """Stretches of examples; whole ones without a generator."""

    def __init__(self, examples: Sequence[Example], rng: np.random.Generator | None) -> None:
        shape = (len(examples), N_FRAMES)
        levels = np.zeros((*shape, examples[0].levels.shape[1]), dtype=np.float32)
        weights, openings = np.zeros((2, *shape), dtype=np.float32)
        chords, bass = np.full((2, *shape), -1, dtype=np.int64)
        keys = np.zeros(len(examples), dtype=np.int64)
        for row, example in enumerate(examples):
            at, keys[row] = _cut(example, rng)
            n = len(at)
            levels[row, :n] = (
                example.levels[at] if rng is None else _colour(example.levels[at], rng)
            )
            weights[row, :n] = example.weights[at]
            n_opening = n_opening_frames(n)
            openings[row, :n_opening] = weights[row, :n_opening]
            chords[row, :n], bass[row, :n] = example.chords[at], example.bass[at]
        self.levels, self.key = torch.from_numpy(levels), torch.from_numpy(keys)
        self.weights, self.openings = torch.from_numpy(weights), torch.from_numpy(openings)
        self.chords, self.bass = torch.from_numpy(chords), torch.from_numpy(bass)

    def means(self, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return the features averaged over the stretches, and over their openings."""

        def mean(weights: Tensor) -> Tensor:
            total = weights.sum(1)[:, None, None] + 1e-6
            return (features * weights[..., None, None]).sum(1) / total

        return mean(self.weights), mean(self.openings)


def _loss(net: HarmonyNet, batch: _Batch) -> Tensor:
    features = net.hear(batch.levels)
    keys = net.keys(*batch.means(features))
    has_chord, has_bass = batch.chords >= 0, batch.bass >= 0
    key = functional.cross_entropy(keys, batch.key, label_smoothing=0.05)
    chords = functional.cross_entropy(net.chords(features)[has_chord], batch.chords[has_chord])
    bass = functional.cross_entropy(net.bass(features)[has_bass][..., 0], batch.bass[has_bass])
    return key + 0.7 * chords + 0.2 * bass


def _cut(example: Example, rng: np.random.Generator | None) -> tuple[_Labels, int]:
    """Return the frames of a stretch, and its key: from the start, or a short one from anywhere."""
    n_frames = len(example.levels)
    if rng is not None and rng.random() < 0.4:
        length = min(int(rng.integers(20, 90)), n_frames)
        first = int(rng.integers(0, n_frames - length + 1))
        at = np.arange(first, first + length)
        return at, int(np.bincount(example.keys[at]).argmax())
    length = n_frames
    if rng is not None and n_frames > 60:
        length = int(rng.integers(max(60, 2 * n_frames // 3), n_frames + 1))
    return np.arange(0, length, -(-length // N_FRAMES)), example.key


def _colour(levels: _Matrix, rng: np.random.Generator) -> _Matrix:
    """Filter at random, at times without bass, and add noise."""
    n_pitches = levels.shape[1]
    knots = np.exp(rng.normal(scale=0.35, size=6))
    gains = np.interp(np.arange(n_pitches), np.linspace(0, n_pitches - 1, 6), knots)
    if rng.random() < 0.15:
        gains *= np.arange(n_pitches) >= rng.integers(0, 16)
    noise = np.abs(rng.normal(scale=rng.uniform(0, 0.04), size=levels.shape))
    coloured: _Matrix = (levels * gains + noise).astype(np.float32)
    return coloured


def _number(key: tuple[int, str]) -> int:
    return key[0] + 12 * (key[1] == "minor")


if __name__ == "__main__":
    main()
