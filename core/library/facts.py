"""Everything that the library wants to know of a file, found in one decode; runs in a process pool.

The one place that asks the analysis: whatever it finds is kept as it is, under its own names.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.audio.buffer import Samples
from core.audio.decode import DecodedAudio, SourceFormat, decode
from core.audio.loudness import LoudnessMeter
from core.audio.packets import hash_packets
from core.audio.resample import StreamResampler
from core.audio.tags import Tags, read_tags
from core.audio.wavefile import AudioReader
from core.library.fingerprint import Fingerprint, make_fingerprinter

_RATE_HZ = 22_050


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What was found in a file."""

    source: SourceFormat
    duration_s: float
    tags: Tags
    packet_sha256: str | None
    fingerprint: Fingerprint
    facts: dict[str, Any]
    descriptors: tuple[str, dict[str, NDArray[np.float32]]] | None


@dataclass(frozen=True, slots=True)
class FileIdentity:
    """What tells whether two files hold the same recording."""

    packet_sha256: str | None
    fingerprint: Fingerprint


def find_identity(path: Path, *, name: str) -> FileIdentity:
    """Decode a file for its fingerprint alone. Raises `InvalidAudio`, `StorageFull`."""
    with _decoded(path, name, None) as (_, reader):
        fingerprinter = make_fingerprinter(reader.sample_rate, reader.n_channels)
        for block in reader.blocks():
            fingerprinter.add(block)
    return FileIdentity(hash_packets(path), fingerprinter.finish())


def find_facts(path: Path, *, name: str, max_duration_s: float | None) -> FileFacts:
    """Decode a file once and find everything.

    Raises
    ------
    InvalidAudio : its subclasses tell what is wrong with the file, called ``name``.
    StorageFull : no room for decoding.
    """
    with _decoded(path, name, max_duration_s) as (decoded, reader):
        fingerprinter = make_fingerprinter(reader.sample_rate, reader.n_channels)
        loudness = LoudnessMeter(reader.sample_rate, reader.n_channels)
        low = StreamResampler(reader.sample_rate, _RATE_HZ, 1)
        parts: list[Samples] = []
        for block in reader.blocks():
            fingerprinter.add(block)
            loudness.add(block)
            parts.append(low.add(block.mean(axis=0, keepdims=True)))
        mono = np.concatenate([*parts, low.flush()], axis=1)[0]
    return FileFacts(
        source=decoded.source,
        duration_s=round(decoded.n_samples / decoded.sample_rate, 6),
        tags=read_tags(path),
        packet_sha256=hash_packets(path),
        fingerprint=fingerprinter.finish(),
        facts=_analyse(mono, loudness),
        descriptors=None,
    )


@contextmanager
def _decoded(
    path: Path, name: str, max_duration_s: float | None
) -> Iterator[tuple[DecodedAudio, AudioReader]]:
    with tempfile.TemporaryDirectory() as folder:
        wav = Path(folder, "mixture.wav")
        decoded = decode(path, wav, name=name, max_duration_s=max_duration_s)
        with AudioReader(wav) as reader:
            yield decoded, reader


def _analyse(mono: NDArray[np.float32], loudness: LoudnessMeter) -> dict[str, Any]:
    from core.analysis.key import estimate_key
    from core.analysis.spectra import measure_spectra
    from core.analysis.tempo import estimate_tempo

    tempo = estimate_tempo(mono, _RATE_HZ)
    key = estimate_key(measure_spectra([mono]))
    lufs = loudness.integrated_lufs()
    return {
        "tempo_bpm": tempo.tempo_bpm,
        "tempo_confidence": tempo.confidence,
        "beats_s": list(tempo.beats_s),
        "downbeats_s": list(tempo.downbeats_s),
        "key": key.key,
        "camelot": key.camelot,
        "open_key": key.open_key,
        "key_confidence": key.confidence,
        "integrated_loudness_lufs": lufs,
        "true_peak_dbtp": loudness.true_peak_dbtp(),
    }
