"""Train the network of bars: core/analysis/weights/bars.npz.

    python -m bench.train_bars [--songs 2000] [--epochs 11] [--left-out house,swing] [--save FILE]

The data are songs made by rule, without recordings: two in five are of `bench.made_songs`, the
others of `bench.made_grooves`. Each song gives the grid of its beat
and wrong ones: other phases, and other levels. The network learns to prefer the right grid (a
softmax over the grids of a song) and to tell which beats begin a bar. It is never told the tempo.
Bands are made louder and softer, or left out, at random. ``--left-out`` names families that are not
trained on; the scores printed at the end are theirs, else those of all songs.
"""

import argparse
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from bench.made_grooves import make_groove
from bench.made_songs import MadeSong, make_song
from core.analysis.rhythm import bar_net, phase
from core.analysis.rhythm.grid import lay_even
from core.analysis.rhythm.onset import LATENCY_S, OnsetBands, onset_bands
from core.analysis.rhythm.patterns import (
    BANDS,
    N_TICK,
    TICKS,
    WIDTH,
    cut_beats,
    measure_strokes,
)
from core.analysis.spectra import Spectra, measure_spectra

WEIGHTS = Path(bar_net.__file__).parents[1] / "weights" / "bars.npz"
LEVELS = (1, 2, 1 / 2, 3 / 2, 2 / 3, 4 / 3, 3 / 4, 3, 1 / 3)
RANGE_BPM = (45.0, 260.0)
BEATS = 40
"""Beats of a grid that are seen at once in training."""
SONG_S = 26.0
"""Length in seconds of a song of `bench.made_songs`: that of a groove."""
NEAR_S = 0.04
"""Distance in seconds within which a grid is on the beat."""
N_GRIDS = 5
"""Grids of a song in one step of training: the right one and some wrong ones."""
CHANNELS = 40

_Matrix = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Grid:
    """Features of the beats of one grid, ``(n_beats, WIDTH)``, its level and its first beat."""

    rows: NDArray[np.float16]
    level: float
    start_s: float


@dataclass(frozen=True, slots=True)
class Example:
    """The grids of a song, the right one first, and which of its beats begin bars."""

    family: str
    beats_per_bar: int
    grids: tuple[Grid, ...]
    is_downbeat: NDArray[np.bool_]


class BarNet(nn.Module):
    """`core.analysis.rhythm.bar_net` in torch, for training."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv1d(WIDTH, CHANNELS, 3, padding=1)
        self.taps = nn.ModuleList(
            nn.Conv1d(CHANNELS, CHANNELS, 3, padding=d, dilation=d) for d in bar_net.DILATIONS
        )
        self.out = nn.Linear(CHANNELS, 2)
        self.drop = nn.Dropout(0.15)
        self.blind = nn.Dropout(0.3)

    def forward(self, rows: Tensor, mask: Tensor) -> Tensor:
        """Return fit and downbeat of ``(n, n_beats, WIDTH)``: ``(n, n_beats, 2)``."""
        rows = rows * mask[..., None]
        hidden = self.drop(functional.relu(self.first(self.blind(rows).transpose(1, 2))))
        for taps in self.taps:
            hidden = (hidden + self.drop(functional.relu(taps(hidden)))) * mask[:, None]
        return bar_net.MOST * torch.tanh(self.out(hidden.transpose(1, 2)) / bar_net.MOST)

    def arrays(self) -> dict[str, _Matrix]:
        """Return the weights by the names of `core.analysis.rhythm.bar_net`."""
        arrays: dict[str, Tensor] = {}
        layers = {"first": self.first} | {f"taps_{i}": taps for i, taps in enumerate(self.taps)}
        for name, layer in layers.items():
            arrays |= {name: layer.weight.permute(2, 1, 0), f"{name}_bias": layer.bias}
        arrays |= {"out": self.out.weight.T, "out_bias": self.out.bias}
        return {name: array.detach().numpy() for name, array in arrays.items()}


def main() -> None:
    """Make the songs, train, save, score."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--songs", type=int, default=2000)
    parser.add_argument("--epochs", type=int, default=11)
    parser.add_argument("--left-out", default="", help="families, separated by commas")
    parser.add_argument("--save", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    examples = list(make_examples(range(options.songs)))
    left_out = set(filter(None, options.left_out.split(",")))
    net = train([e for e in examples if e.family not in left_out], options.epochs)
    save(net, options.save)
    print(rate(net, [e for e in examples if e.family in left_out] or examples))


def make_examples(seeds: Iterable[int]) -> Iterable[Example]:
    """Make the songs of seeds, with their grids."""
    for seed in seeds:
        is_groove = seed % 5 < 3
        song = make_groove(seed) if is_groove else make_song(seed, SONG_S, is_dressed=seed % 2 == 0)
        yield list_grids(song, measure_spectra([song.mono]))


def list_grids(song: MadeSong, spectra: Spectra) -> Example:
    """Lay the right grid of a song, then others at its phases and at its levels."""
    onsets, strokes = onset_bands(spectra), measure_strokes(spectra)
    period_s, duration_s = 60 / song.tempo_bpm, spectra.duration_s
    first_s = song.first_downbeat_s % period_s
    found: list[Grid] = []
    for level in LEVELS:
        beat_s = period_s / level
        if not RANGE_BPM[0] <= 60 / beat_s <= RANGE_BPM[1]:
            continue
        starts_s = list_phases(onsets, beat_s)
        if level == 1:
            away = [abs((s - first_s + beat_s / 2) % beat_s - beat_s / 2) for s in starts_s]
            # Grids are laid on what is heard: the right one, too, where it is among them.
            nearest = int(np.argmin(away))
            right_s = starts_s[nearest] if away[nearest] < NEAR_S else first_s
            others = [s for s, far_s in zip(starts_s, away, strict=True) if far_s > 1.5 * NEAR_S]
            starts_s = [right_s, *others]
        for start_s in starts_s[: 6 if level == 1 else 3]:
            beats_s = lay_even(beat_s, start_s, duration_s)
            rows = cut_beats(strokes, beats_s)
            found.append(Grid(rows.astype(np.float16), level, float(beats_s[0])))
    right = found[0]
    numbers = np.arange(len(right.rows)) + round((right.start_s - song.first_downbeat_s) / period_s)
    is_downbeat = numbers % song.beats_per_bar == 0
    return Example(song.style, song.beats_per_bar, tuple(found), is_downbeat)


def list_phases(onsets: OnsetBands, beat_s: float) -> list[float]:
    """Return the candidate phases of a tempo, in seconds."""
    times_s = np.arange(onsets.strength.shape[1]) / onsets.frame_rate_hz
    folded = phase.fold_beats(onsets, times_s / beat_s)
    return [
        float((bin_ + 0.5) / phase.N_BINS * beat_s + LATENCY_S)
        for bin_ in phase.find_phases(folded)
    ]


def train(examples: Sequence[Example], epochs: int, *, seed: int = 0) -> BarNet:
    """Train a network; the same examples give the same weights."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    net = BarNet()
    batch = 16
    n_steps = epochs * (len(examples) // batch)
    optimiser = torch.optim.AdamW(net.parameters(), lr=3e-3, weight_decay=0.02)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, total_steps=n_steps)
    for step in range(n_steps):
        if step % (len(examples) // batch) == 0:
            order, total = rng.permutation(len(examples)), 0.0
        place = step % (len(examples) // batch) * batch
        chosen = [examples[i] for i in order[place : place + batch]]
        loss = _find_loss(net, *_draw(rng, chosen))
        optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        schedule.step()
        total += loss.item()
        if place + 2 * batch > len(examples):
            print(f"{step}/{n_steps}: loss {total / (len(examples) // batch):.3f}", flush=True)
    net.eval()
    return net


def _draw(rng: np.random.Generator, examples: Sequence[Example]) -> tuple[Tensor, ...]:
    """Draw excerpts of the right grid and of wrong ones, with bands louder, softer or left out."""
    rows = np.zeros((len(examples), N_GRIDS, BEATS, WIDTH), dtype=np.float32)
    mask = np.zeros((len(examples), N_GRIDS, BEATS), dtype=np.float32)
    downbeats = np.zeros((len(examples), BEATS), dtype=np.float32)
    for index, example in enumerate(examples):
        wrong = rng.permutation(np.arange(1, len(example.grids)))
        # Half of the wrong grids are at the right level: there the phase alone tells.
        same = [i for i in wrong if example.grids[i].level == 1][: N_GRIDS // 2]
        others = [i for i in wrong if i not in same]
        where = rng.random()
        for place, grid in enumerate([0, *same, *others][:N_GRIDS]):
            every = example.grids[grid].rows
            start = int(where * max(0, len(every) - BEATS))
            part = every[start : start + BEATS]
            rows[index, place, : len(part)] = part
            mask[index, place, : len(part)] = 1
            if not place:
                downbeats[index, : len(part)] = example.is_downbeat[start : start + BEATS]
        rows[index, ..., : TICKS * N_TICK] *= np.tile(_draw_gains(rng), 2 * TICKS)
    # What is played by others at the same time, and noise.
    share = rng.uniform(0, 0.5, size=(len(examples), 1, 1, 1)) * (rng.random() < 0.5)
    rows += np.roll(rows, 1, axis=0) * share.astype(np.float32)
    rows += rng.normal(scale=0.2, size=rows.shape).astype(np.float32)
    return tuple(torch.from_numpy(array) for array in (rows, mask, downbeats))


def _draw_gains(rng: np.random.Generator) -> _Matrix:
    gains = rng.uniform(0.3, 1.6, size=len(BANDS))
    if rng.random() < 0.25:
        gains[rng.integers(0, len(BANDS))] = 0
    if rng.random() < 0.1:
        gains[: rng.integers(1, 4)] = 0
    return gains.astype(np.float32)


def _find_loss(net: BarNet, rows: Tensor, mask: Tensor, downbeats: Tensor) -> Tensor:
    """Return the loss of the grids' ranks and of the downbeats."""
    found = net(rows.flatten(0, 1), mask.flatten(0, 1)).unflatten(0, mask.shape[:2])
    counts = mask.sum(dim=2)
    fit = (found[..., 0] * mask).sum(dim=2) / counts.clamp(min=1)
    fit = fit.masked_fill(counts == 0, -30.0)
    right = torch.zeros(len(fit), dtype=torch.long)
    ranks = functional.cross_entropy(fit, right, label_smoothing=0.03)
    bars = (
        functional.binary_cross_entropy_with_logits(
            found[:, 0, :, 1], downbeats, weight=mask[:, 0], reduction="sum"
        )
        / mask[:, 0].sum()
    )
    return ranks + 2 * bars


def rate(net: BarNet, examples: Sequence[Example]) -> dict[str, float]:
    """Return the shares of right grids, right phases at the right level, and right bars."""
    right: dict[str, list[bool]] = {"grid": [], "phase": [], "bar": []}
    with torch.no_grad():
        for example in examples:
            fits, bars = [], np.zeros(0)
            for grid in example.grids:
                rows = torch.from_numpy(grid.rows.astype(np.float32))[None]
                out = net(rows, torch.ones(rows.shape[:2]))[0].numpy()
                fits.append(float(out[:, 0].mean()))
                bars = out[:, 1] if not len(bars) else bars
            same = [fit for fit, grid in zip(fits, example.grids, strict=True) if grid.level == 1]
            right["grid"].append(int(np.argmax(fits)) == 0)
            right["phase"].append(int(np.argmax(same)) == 0)
            n = example.beats_per_bar
            means = [float(bars[start::n].mean()) for start in range(n)]
            right["bar"].append(bool(example.is_downbeat[int(np.argmax(means))]))
    return {name: float(np.mean(hits)) for name, hits in right.items()}


def save(net: BarNet, path: Path) -> None:
    """Write the weights as float16."""
    arrays = {name: array.astype(np.float16) for name, array in net.arrays().items()}
    np.savez_compressed(path, allow_pickle=False, **arrays)


if __name__ == "__main__":
    main()
