"""Combines a track's delivered stems, in any format, into one NI STEM file."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from core.audio.buffer import BLOCK_SIZE, Samples
from core.audio.reading.decode import read_through
from core.audio.writing.stem_mp4 import write_stem_mp4
from core.audio.writing.wavefile import AudioReader, AudioWriter
from core.errors import ArtefactNotFound
from stemcrate.schemas.manifest import Artefact
from stemcrate.schemas.playlists import StemFormat


def make_stem_file(
    stems: Sequence[Artefact],
    paths: Mapping[str, Path],
    destination: Path,
    stem_format: StemFormat = StemFormat.ALAC_24,
) -> None:
    """Write the ``.stem.mp4`` of a track.

    Its mixture is the sum of the stems, so that they hold together after lossy delivery, too. Gains
    that delivery applied are undone: with ``normalization=per_track`` they differ.

    Parameters
    ----------
    stems : artefacts of one track whose role is ``stem``, at least one.
    paths : of their files, by their names.

    Raises
    ------
    ArtefactNotFound : a stem is gone.
    InvalidAudio : a stem cannot be read.
    UnsupportedFormat : the stems have several sample rates, or one that AAC has not.
    StorageFull : the disk is full. No file is left in any of these cases.
    """
    for stem in stems:
        if not paths[stem.name].is_file():
            raise ArtefactNotFound(f"The file of the stem '{stem.label}' no longer exists.")
    destination.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=destination.parent) as work:
        decoded = {stem.label: Path(work, f"{i}.wav") for i, stem in enumerate(stems)}
        for stem in stems:
            _decode(paths[stem.name], decoded[stem.label], -(stem.gain_db or 0.0))
        mixture = Path(work, "mixture.wav")
        _add_up(list(decoded.values()), mixture)
        write_stem_mp4(
            destination,
            mixture,
            decoded,
            codec="aac" if stem_format is StemFormat.AAC else "alac",
            bit_depth="16" if stem_format is StemFormat.ALAC_16 else "24",
        )


def _decode(source: Path, destination: Path, gain_db: float) -> None:
    factor = np.float32(10 ** (gain_db / 20))

    def take(sample_rate: int, n_channels: int, blocks: Iterator[Samples]) -> None:
        with AudioWriter(destination, sample_rate=sample_rate, n_channels=n_channels) as writer:
            for block in blocks:
                writer.write(block * factor)

    read_through(source, take)


def _add_up(paths: Sequence[Path], destination: Path) -> None:
    """Write the sum of files; shorter ones (a lossy format's padding) are padded with silence."""
    with ExitStack() as stack:
        readers = [stack.enter_context(AudioReader(path)) for path in paths]
        n_samples = max(reader.n_samples for reader in readers)
        n_channels = max(reader.n_channels for reader in readers)
        writer = stack.enter_context(
            AudioWriter(destination, sample_rate=readers[0].sample_rate, n_channels=n_channels)
        )
        for start in range(0, n_samples, BLOCK_SIZE):
            total = np.zeros((n_channels, min(BLOCK_SIZE, n_samples - start)), dtype=np.float64)
            for reader in readers:
                if start < reader.n_samples:
                    block = reader.read(start, start + BLOCK_SIZE)
                    total[:, : block.shape[1]] += block
            writer.write(total.astype(np.float32))
