"""Made pieces: scores (`bench.made_scores`) played and sounded, with key and chords as truth."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.made_playing import play
from bench.made_scores import IDIOMS, Score, write_harmony
from bench.made_sounds import (
    FAMILIES,
    draw_timbre,
    place_in_room,
    sound_drums,
    sound_notes,
)

DRUM_ODDS = {"pop": 0.8, "dance": 0.8, "jazz": 0.5, "folk": 0.1, "ambient": 0.05}


@dataclass(frozen=True, slots=True)
class MadePiece:
    """A piece, mono at its rate, with its truth.

    Parameters
    ----------
    mono : float32 ``(n_samples,)``.
    score : key, chords and notes; beats from the start of the signal.
    families : of the timbres.
    beat_s : length of a beat.
    """

    mono: NDArray[np.float32]
    score: Score
    families: tuple[str, ...]
    beat_s: float

    @property
    def has_chords(self) -> bool:
        """Whether chords are played: a melody or a riff alone leaves them open."""
        return any(note.part == "chords" for note in self.score.notes)


def make_piece(
    seed: int,
    duration_s: float = 40.0,
    *,
    rate_hz: int,
    idiom: str | None = None,
    families: tuple[str, ...] = FAMILIES,
) -> MadePiece:
    """Make the piece of a seed; idioms take turns unless one is given."""
    rng = np.random.default_rng([seed, 13])
    score = write_harmony(rng, idiom or IDIOMS[seed % len(IDIOMS)], duration_s)
    play(rng, score)
    beat_s = 60 / score.tempo_bpm
    n_samples = int(duration_s * rate_hz)
    tuning = float(rng.choice([0.0, 0.0, rng.uniform(-0.5, 0.5), rng.normal(scale=0.08)]))
    parts = sorted({note.part for note in score.notes})
    chosen = [str(rng.choice(families)) for _ in parts]
    if score.idiom == "voice":
        chosen[parts.index("melody")] = str(rng.choice(["voice", "voice", "blown", "bowed"]))
    elif len(parts) > 1 and score.idiom == "classical" and rng.random() < 0.6:
        chosen = [chosen[0]] * len(parts)
    mono = np.zeros(n_samples)
    for part, family in zip(parts, chosen, strict=True):
        sound = sound_notes(
            rng,
            draw_timbre(rng, family),
            [note for note in score.notes if note.part == part],
            beat_s=beat_s,
            n_samples=n_samples,
            rate_hz=rate_hz,
            tuning=tuning,
        )
        level = {"bass": 0.8, "chords": 0.8}.get(part, 0.8) * np.exp(rng.normal(scale=0.4))
        mono += level * sound / (np.sqrt(np.square(sound).mean()) + 1e-9)
    if rng.random() < DRUM_ODDS.get(score.idiom, 0.0):
        drums = sound_drums(rng, beat_s=beat_s, n_samples=n_samples, rate_hz=rate_hz)
        mono += rng.uniform(0.3, 1.8) * drums / (np.sqrt(np.square(drums).mean()) + 1e-9)
    mono = place_in_room(rng, mono, rate_hz)
    return MadePiece(mono.astype(np.float32), score, tuple(chosen), beat_s)
