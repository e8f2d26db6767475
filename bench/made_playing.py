"""Players of made scores: melodies, voices, accompaniments, basses and their rhythms.

Each player adds notes to a `bench.made_scores.Score`; idioms choose among them.
"""

from collections.abc import Callable, Sequence

import numpy as np

from bench.made_scores import Harmony, Note, Score

_Player = Callable[[np.random.Generator, Score], None]

_BASS_CENTRE = 40
_CHORD_CENTRE = 60


def play(rng: np.random.Generator, score: Score) -> None:
    """Let the players of the score's idiom play, some of them, at least one."""
    if score.idiom == "voice":
        play_melody(rng, score, centre=float(rng.uniform(52, 72)))
        if rng.random() < 0.4:
            play_drone(rng, score)
        return
    chances = _BANDS[score.idiom]
    players = [player for player, chance in chances if rng.random() < chance]
    for player in players or [chances[0][0]]:
        player(rng, score)


def play_melody(rng: np.random.Generator, score: Score, *, centre: float = 0.0) -> None:
    """Walk through the scale; long and accented notes prefer those of the chord."""
    centre = centre or float(rng.uniform(64, 80))
    values = [(0.5, 1.0), (0.25, 0.5), (1.0, 2.0), (0.5, 0.5, 1.0)][int(rng.integers(4))]
    colour, rests, leaps = rng.uniform(0, 0.15), rng.uniform(0, 0.3), rng.uniform(0.05, 0.4)
    pitch, now = centre, 0.0
    end = score.chords[-1].start + score.chords[-1].length
    riff: dict[float, tuple[float, bool]] = {}
    repeats = float(rng.choice([0.0, 4.0, 8.0, 16.0])) if score.idiom != "classical" else 0.0
    index = 0
    while now < end:
        while index + 1 < len(score.chords) and score.chords[index + 1].start <= now + 1e-6:
            index += 1
        chord = score.chords[index]
        length = float(rng.choice(values))
        is_accent = now % 1 < 1e-6
        place = now % repeats if repeats else now
        rest = rng.random() < rests
        if repeats and place in riff and chord.key == score.key:
            target, rest = riff[place]
        else:
            step = rng.choice([-4, -3, 3, 4, 5, -5, 7]) if rng.random() < leaps else 0
            target = pitch + float(step or rng.choice([-2, -1, 1, 2]))
            target += 0.15 * (centre - pitch)
        allowed: Sequence[int] = chord.pitch_classes
        if not is_accent or rng.random() < 0.25:
            allowed = _scale_at(score, chord)
        if rng.random() < colour and not is_accent:
            allowed = range(12)
        if is_accent and chord.root == score.key[0] and rng.random() < rests:
            allowed, length = (score.key[0],), 2 * length
        pitch = _nearest(target, allowed)
        riff.setdefault(place, (pitch, rest))
        if not rest:
            played = length * float(rng.uniform(0.7, 1.05))
            score.notes.append(Note("melody", pitch, now, played, float(rng.uniform(0.6, 1.0))))
        now += length


def play_voices(rng: np.random.Generator, score: Score) -> None:
    """Play two to four voices at their own pace, as in fugues and quartets."""
    for centre in ((48, 67), (45, 60, 72), (43, 55, 62, 70))[int(rng.integers(3))]:
        play_melody(rng, score, centre=centre + float(rng.uniform(-4, 4)))


def play_block(rng: np.random.Generator, score: Score) -> None:
    """Strike each chord whole, once or on a rhythm."""
    rhythm = (
        [0.0], [0.0], [0.0, 1.0], [0.0, 0.5], [0.5], [0.0, 0.75, 1.5],
    )[int(rng.integers(6))]  # fmt: skip
    is_held = rng.random() < 0.6
    centre = _CHORD_CENTRE + float(rng.uniform(-6, 8))
    for chord in score.chords:
        for first in np.arange(0, chord.length, 2.0):
            for offset in rhythm:
                start = first + offset
                if start >= chord.length or (rhythm == [0.0] and start > 0 and is_held):
                    continue
                length = chord.length if rhythm == [0.0] and is_held else 0.45
                for pitch in _voicing(rng, chord, centre):
                    score.notes.append(Note("chords", pitch, chord.start + start, length, 0.5))


def play_broken(rng: np.random.Generator, score: Score) -> None:
    """Break the chords: Alberti figures, arpeggios over one or two octaves."""
    step = float(rng.choice([0.25, 0.5, 0.5]))
    octaves = int(rng.choice([1, 1, 2]))
    centre = _CHORD_CENTRE + float(rng.uniform(-8, 8))
    order = rng.permutation(4) if rng.random() < 0.5 else np.array([0, 2, 1, 2])
    for chord in score.chords:
        tones = sorted(_voicing(rng, chord, centre, doubles=False))
        tones += [tone + 12 for tone in tones[: len(tones) * (octaves - 1)]]
        for index, start in enumerate(np.arange(0, chord.length - 1e-6, step)):
            pitch = tones[int(order[index % len(order)]) % len(tones)]
            length = step * float(rng.choice([1.0, 2.0]))
            score.notes.append(Note("chords", pitch, chord.start + start, length, 0.6))


def play_chorale(rng: np.random.Generator, score: Score) -> None:
    """Lead four voices from chord to chord, with passing notes."""
    voices = [48.0, 55.0, 62.0, 69.0]
    for chord in score.chords:
        for index, before in enumerate(voices):
            allowed = (chord.bass,) if index == 0 else chord.pitch_classes
            pitch = _nearest(before + float(rng.uniform(-2, 2)), allowed)
            voices[index] = float(np.clip(pitch, 36 + 7 * index, 60 + 7 * index))
            voices[index] = _nearest(voices[index], allowed)
            halves = 2 if rng.random() < 0.25 and chord.length >= 1 else 1
            length = chord.length / halves
            score.notes.append(Note("chords", voices[index], chord.start, length, 0.7))
            if halves == 2:
                passing = _nearest(
                    voices[index] + float(rng.choice([-2, 2])), _scale_at(score, chord)
                )
                score.notes.append(Note("chords", passing, chord.start + length, length, 0.7))


def play_bass(rng: np.random.Generator, score: Score) -> None:
    """Play the chord's bass: held, on beats, or with fifths, octaves and passing notes."""
    rhythms = ([0.0], [0.0, 2.0], [0.0, 1.0, 2.0, 3.0], [0.0, 1.5, 2.5], [0.5, 1.5, 2.5, 3.5])
    rhythm = [*rhythms, list(np.arange(0, 4, 0.5))][int(rng.integers(6))]
    wanders = rng.uniform(0, 0.4)
    centre = _BASS_CENTRE + float(rng.uniform(-6, 6))
    for chord in score.chords:
        for first in np.arange(0, chord.length, 4.0):
            for index, offset in enumerate(rhythm):
                start = first + offset
                if start >= chord.length:
                    continue
                pitch = _nearest(centre, (chord.bass,))
                if index and rng.random() < wanders:
                    pitch += float(
                        rng.choice([12, 7, -5, *np.subtract(_scale_at(score, chord), chord.bass)])
                    )
                length = chord.length if rhythm == [0.0] else 0.8
                score.notes.append(Note("bass", pitch, chord.start + start, length, 1.0))


def play_walking_bass(rng: np.random.Generator, score: Score) -> None:
    """Walk in quarters from root to root, by scale and chromatic approach."""
    for chord in score.chords:
        pitch = _nearest(_BASS_CENTRE + float(rng.uniform(-3, 3)), (chord.bass,))
        for beat in np.arange(0, chord.length):
            score.notes.append(Note("bass", pitch, chord.start + beat, 0.95, 1.0))
            tones: Sequence[int] = chord.pitch_classes
            if rng.random() >= 0.6:
                tones = _scale_at(score, chord)
            if rng.random() < 0.15:
                tones = range(12)
            pitch = _nearest(pitch + float(rng.choice([-4, -3, -2, -1, 1, 2, 3, 4])), tones)
            pitch = float(np.clip(pitch, 28, 52))


def play_riff(rng: np.random.Generator, score: Score) -> None:
    """Repeat a bar of one or two bars on the scale, whatever the chord, as loops do."""
    n_steps = int(rng.choice([8, 16, 32]))
    plays = rng.random(n_steps) < rng.uniform(0.3, 0.8)
    plays[0] = True
    favourites = [0, 0, 0, *rng.choice(len(score.scale), size=4)]
    tune = [score.scale[int(rng.choice(favourites)) % len(score.scale)] for _ in range(n_steps)]
    tune[0] = 0 if rng.random() < 0.7 else tune[0]
    is_low = rng.random() < 0.5
    base = (36 if is_low else int(rng.choice([48, 60, 72]))) + score.key[0] - 6
    follows = rng.random() < 0.5
    for chord in score.chords:
        shift = (chord.root - score.key[0]) % 12 if follows else 0
        shift -= 12 * (shift > 6)
        for start in np.arange(0, chord.length, 0.25):
            index = round((chord.start + start) * 4) % n_steps
            if plays[index]:
                pitch = float(base + tune[index] + shift)
                part = "bass" if is_low else "melody"
                score.notes.append(Note(part, pitch, chord.start + start, 0.3, 0.8))


def play_stabs(rng: np.random.Generator, score: Score) -> None:
    """Move one chord in parallel, as samplers do."""
    shape = [(0, 3, 7), (0, 3, 7, 10), (0, 4, 7), (0, 3, 7, 14)][int(rng.integers(4))]
    if score.key[1] == "major" and rng.random() < 0.7:
        shape = (0, 4, 7)
    steps = sorted(rng.choice(16, size=int(rng.integers(2, 6)), replace=False))
    for chord in score.chords:
        root = _nearest(_CHORD_CENTRE, (chord.root,))
        for first in np.arange(0, chord.length, 4.0):
            for step in steps:
                if first + step / 4 < chord.length:
                    for interval in shape:
                        start = chord.start + first + step / 4
                        score.notes.append(Note("stabs", root + interval, start, 0.3, 0.5))


def play_drone(rng: np.random.Generator, score: Score) -> None:
    """Hold the tonic, with or without its fifth."""
    end = score.chords[-1].start + score.chords[-1].length
    base = float(rng.choice([36, 48])) + score.key[0]
    for pitch in (base, base + 7)[: int(rng.integers(1, 3))]:
        for start in np.arange(0, end, 8.0):
            score.notes.append(Note("chords", pitch, start, 8.0, 0.5))


_BANDS: dict[str, tuple[tuple[_Player, float], ...]] = {
    "classical": (
        (play_broken, 0.45), (play_melody, 0.6), (play_voices, 0.35), (play_chorale, 0.3),
        (play_bass, 0.4), (play_block, 0.2),
    ),
    "folk": ((play_melody, 0.9), (play_block, 0.6), (play_bass, 0.5), (play_broken, 0.2)),
    "pop": (
        (play_block, 0.7), (play_bass, 0.85), (play_melody, 0.8), (play_broken, 0.4),
        (play_riff, 0.2),
    ),
    "jazz": ((play_block, 0.8), (play_walking_bass, 0.85), (play_melody, 0.8)),
    "dance": (
        (play_riff, 0.7), (play_bass, 0.6), (play_block, 0.5), (play_stabs, 0.35),
        (play_melody, 0.3), (play_broken, 0.2),
    ),
    "ambient": ((play_block, 0.8), (play_drone, 0.4), (play_melody, 0.4), (play_bass, 0.3)),
}  # fmt: skip


def _scale_at(score: Score, chord: Harmony) -> tuple[int, ...]:
    """Return the scale of the key around a chord, bent to the chord's notes."""
    steps = score.scale
    if chord.key != score.key:
        steps = (0, 2, 4, 5, 7, 9, 11) if chord.key[1] == "major" else (0, 2, 3, 5, 7, 8, 10)
    tones = set(chord.pitch_classes)
    scale = {(chord.key[0] + step) % 12 for step in steps}
    bent = {
        pc for pc in scale if pc in tones or not {(pc + 1) % 12, (pc - 1) % 12} & (tones - scale)
    }
    return tuple(sorted(bent | tones))


def _voicing(
    rng: np.random.Generator, chord: Harmony, centre: float, *, doubles: bool = True
) -> list[float]:
    pitches = [_nearest(centre + 2 * i - 2, (pc,)) for i, pc in enumerate(chord.pitch_classes)]
    if doubles and rng.random() < 0.2:
        pitches.append(_nearest(centre - 12, (chord.root,)))
    return pitches


def _nearest(pitch: float, pitch_classes: Sequence[int]) -> float:
    """Return the pitch of one of some classes that is nearest."""
    low = np.floor(pitch) - 6
    return float(
        min(
            (low + (pc - low) % 12 for pc in pitch_classes),
            key=lambda other: abs(other - pitch),
        )
    )
