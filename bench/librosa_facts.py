"""Analysis by librosa's own functions, the baseline of `bench.analysis`."""

from pathlib import Path
from typing import Any

import librosa
import numpy as np
from librosa.beat import beat_track
from librosa.segment import agglomerative
from numpy.typing import NDArray

_NAMES = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
# Krumhansl & Kessler, 1982
_MAJOR = np.array([6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88])
_MINOR = np.array([6.33, 2.68, 3.52, 5.38, 2.6, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17])


def find_facts(path: Path) -> dict[str, Any]:
    """Find tempo, beats, key, energy, sections, timbre and rhythm with librosa's defaults.

    Covers every fact that librosa has a function for: like ours, the key comes from the harmonic
    part alone. It has no functions for loudness, true peak, bars and chords.
    """
    mono, rate = librosa.load(path)
    tempo, beats_s = beat_track(y=mono, sr=rate, units="time")
    chroma = librosa.feature.chroma_cqt(y=librosa.effects.harmonic(mono), sr=rate)
    n_sections = max(2, round(len(mono) / rate / 20))
    agglomerative(chroma, n_sections)
    librosa.feature.rms(y=mono)
    librosa.feature.mfcc(y=mono, sr=rate)
    librosa.feature.spectral_contrast(y=mono, sr=rate)
    librosa.feature.spectral_centroid(y=mono, sr=rate)
    librosa.feature.spectral_rolloff(y=mono, sr=rate)
    librosa.feature.tempogram(y=mono, sr=rate)
    return {
        "tempo_bpm": float(np.atleast_1d(tempo)[0]),
        "beats_s": [float(time) for time in beats_s],
        "key": _match_key(chroma.mean(axis=1)),
    }


def _match_key(chroma: NDArray[np.float64]) -> str:
    scores = {
        f"{name} {mode}": float(np.corrcoef(np.roll(profile, tonic), chroma)[0, 1])
        for tonic, name in enumerate(_NAMES)
        for mode, profile in (("major", _MAJOR), ("minor", _MINOR))
    }
    return max(scores, key=scores.__getitem__)
