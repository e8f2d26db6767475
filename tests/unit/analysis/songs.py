"""Songs in sections with known borders, for the tests of structure and of the whole analysis."""

import numpy as np
from numpy.typing import NDArray

RATE = 22050
TEMPO_BPM = 128.0
BEAT_S = 60 / TEMPO_BPM
BAR_S = 4 * BEAT_S

CHORDS = ((57, 61, 64), (54, 57, 61), (50, 54, 57), (52, 56, 59))
"""A, F♯m, D and E, as MIDI pitches."""
CLUB_TRACK = (
    ("intro", 16),
    ("build", 8),
    ("drop", 16),
    ("break", 16),
    ("build", 8),
    ("drop", 16),
    ("outro", 16),
)


def make_track(
    plan: tuple[tuple[str, int], ...] = CLUB_TRACK,
    *,
    lead_in_s: float = 0.0,
    sample_rate: int = RATE,
) -> NDArray[np.float32]:
    """Synthesise sections at 128 BPM in A major, a chord a bar, mono float32 ``(n_samples,)``.

    ``plan`` lists sections with their bars; the first downbeat lies at ``lead_in_s``.
    """
    rng = np.random.default_rng(0)
    parts = [np.zeros(round(lead_in_s * sample_rate))]
    position_s = 0.0
    for name, n_bars in plan:
        start, stop = (
            round(time * sample_rate) for time in (position_s, position_s + n_bars * BAR_S)
        )
        parts.append(_make_section(name, np.arange(start, stop) / sample_rate, rng))
        position_s += n_bars * BAR_S
    signal = np.concatenate(parts)
    return (0.8 * signal / np.abs(signal).max()).astype(np.float32)


def _make_section(
    name: str, time: NDArray[np.float64], rng: np.random.Generator
) -> NDArray[np.float64]:
    rise = np.linspace(0, 1, len(time))
    kick = np.sin(2 * np.pi * 55 * time) * np.exp(-14 * (time % BEAT_S))
    hats = 0.15 * rng.standard_normal(len(time)) * np.exp(-60 * (time % (BEAT_S / 2)))
    chords = np.array(CHORDS)[(time / BAR_S + 1e-9).astype(int) % len(CHORDS)].T
    notes_hz = 440 * 2 ** ((chords - 69) / 12)
    pad = 0.1 * np.sin(2 * np.pi * notes_hz * time).sum(axis=0)
    lead = 0.08 * np.sin(8 * np.pi * notes_hz * time).sum(axis=0)
    lead = lead * (np.sin(4 * np.pi * time / BEAT_S) > 0)
    bass = 0.3 * np.sin(np.pi * notes_hz[0] * time)
    noise = 0.05 * rng.standard_normal(len(time))
    return {
        "intro": 0.8 * kick + hats,
        "build": pad + hats * (0.2 + 2 * rise) + rise * noise,
        "drop": kick + bass + hats + lead + pad,
        "break": 1.2 * pad,
        "outro": 0.8 * kick + hats,
    }[name]
