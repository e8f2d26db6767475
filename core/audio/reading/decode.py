"""Decode any recording to float32: the entry point of the client's bytes.

`core.audio.reading.opening` chooses the decoder.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from core.audio.buffer import MAX_SAMPLE_RATE, Samples
from core.audio.reading.downmix import Downmix
from core.audio.reading.opening import check_bytes, open_sources, verdict
from core.audio.reading.source import AudioSource, SourceFormat
from core.audio.writing.wavefile import AudioWriter
from core.errors import (
    AudioTooLong,
    CorruptAudio,
    InvalidAudio,
    JobCancelled,
    ZeroDuration,
)

__all__ = ["DecodedAudio", "SourceFormat", "decode", "probe", "read_blocks", "read_through"]

MAX_CHANNELS = 8

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class DecodedAudio:
    """The decoded file: ``n_channels`` is 1 or 2; ``downmix`` holds the coefficients, if any."""

    source: SourceFormat
    sample_rate: int
    n_channels: int
    n_samples: int
    downmix: str | None
    warnings: tuple[str, ...]


def probe(
    path: Path, *, name: str | None = None, max_duration_s: float | None = None
) -> SourceFormat:
    """Return the format of a file; a little of its start, and where cheap its end, is decoded.

    Parameters
    ----------
    path : the file; its name and suffix are ignored.
    name : name for messages; default ``path.name``.
    max_duration_s : longest accepted recording, in seconds.

    Raises
    ------
    EmptyFile : no bytes.
    NotAudio : no decoder recognises the content, or it has no audio track.
    CorruptAudio : the audio file is damaged or shorter than its header says.
    ZeroDuration : a valid file without samples.
    AudioTooLong : longer than ``max_duration_s`` by its header.
    """
    name = name or path.name
    failures: list[InvalidAudio] = []
    check_bytes(path, name)
    with closing(open_sources(path, name, failures)) as sources:
        for source in sources:
            try:
                source.check_end()
            except CorruptAudio as error:
                failures.append(error)
                continue
            _check_format(source.format, name, max_duration_s)
            return source.format
    raise verdict(failures, path, name)


def decode(
    path: Path,
    destination: Path,
    *,
    name: str | None = None,
    max_duration_s: float | None = None,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> DecodedAudio:
    """Decode a file to float32 WAV at its own sample rate, block by block.

    Mono and stereo are kept; 3 to 8 channels are mixed down to stereo (`Downmix`). The level is
    never changed: samples may exceed ±1. Priming and padding declared by the container (LAME, MP4
    edit list, Opus pre-skip) are removed. 32-bit integers and doubles are rounded to float32, with
    a warning if that changes them.

    Parameters
    ----------
    path, name, max_duration_s : as for `probe`; the length is also checked while decoding.
    destination : file to write; removed if decoding fails.
    progress : called with the fraction done, 0 to 1, non-decreasing.
    cancelled : called once for each block.

    Raises
    ------
    JobCancelled : ``cancelled()`` was true.
    StorageFull : no space for ``destination``.
    EmptyFile, NotAudio, CorruptAudio, ZeroDuration, AudioTooLong : as for `probe`; `CorruptAudio`
        also for non-finite samples; it says how much could be decoded.
    """
    name = name or path.name
    failures: list[InvalidAudio] = []
    check_bytes(path, name)
    report = _Progress(progress)
    with closing(open_sources(path, name, failures)) as sources:
        for source in sources:
            _check_format(source.format, name, max_duration_s)
            try:
                return _write(source, destination, name, max_duration_s, report, cancelled)
            except CorruptAudio as error:
                failures.append(error)
    raise verdict(failures, path, name)


def read_through(
    path: Path,
    take: Callable[[int, int, Iterator[Samples]], T],
    *,
    name: str | None = None,
    max_duration_s: float | None = None,
    progress: Callable[[float], None] | None = None,
    cancelled: Callable[[], bool] | None = None,
) -> tuple[SourceFormat, T]:
    """Decode a file block by block for a single reader, without writing a file.

    Parameters
    ----------
    path, name, max_duration_s, progress, cancelled : as for `decode`.
    take : called with the sample rate in Hz, the number of channels (1 or 2) and an iterator of
        blocks, float32 ``(n_channels, n)``, the samples that `decode` writes; it must consume all.
        It is called again, from the first sample, if the first decoder fails.

    Returns
    -------
    The source format, and the result of ``take``.

    Raises
    ------
    JobCancelled, EmptyFile, NotAudio, CorruptAudio, ZeroDuration, AudioTooLong : as `decode`.
    """
    name = name or path.name
    failures: list[InvalidAudio] = []
    check_bytes(path, name)
    report = _Progress(progress)
    with closing(open_sources(path, name, failures)) as sources:
        for source in sources:
            _check_format(source.format, name, max_duration_s)
            blocks = _checked_blocks(
                source, _downmix(source), name, max_duration_s, report, cancelled
            )
            n_channels = min(source.format.n_channels, 2)
            try:
                return source.format, take(source.format.sample_rate, n_channels, blocks)
            except CorruptAudio as error:
                failures.append(error)
    raise verdict(failures, path, name)


def read_blocks(path: Path, *, name: str) -> Iterator[Samples]:
    """Yield the samples that `decode` writes, as they are taken; closing it releases the file.

    Where a decoder fails, the next one goes on from that sample.

    Raises
    ------
    EmptyFile, NotAudio, CorruptAudio, ZeroDuration : as `decode`.
    """
    failures: list[InvalidAudio] = []
    check_bytes(path, name)
    n_given = 0
    with closing(open_sources(path, name, failures)) as sources:
        for source in sources:
            _check_format(source.format, name, None)
            position = 0
            try:
                for block in _checked_blocks(
                    source, _downmix(source), name, None, _Progress(None), None
                ):
                    position += block.shape[1]
                    if position > n_given:
                        yield block[:, max(0, block.shape[1] - (position - n_given)) :]
                        n_given = position
            except CorruptAudio as error:
                failures.append(error)
            else:
                return
    raise verdict(failures, path, name)


def _write(
    source: AudioSource,
    destination: Path,
    name: str,
    max_duration_s: float | None,
    report: "_Progress",
    cancelled: Callable[[], bool] | None,
) -> DecodedAudio:
    downmix = _downmix(source)
    sample_rate, n_channels = source.format.sample_rate, min(source.format.n_channels, 2)
    with AudioWriter(destination, sample_rate=sample_rate, n_channels=n_channels) as writer:
        for block in _checked_blocks(source, downmix, name, max_duration_s, report, cancelled):
            writer.write(block)
    return DecodedAudio(
        source=source.format,
        sample_rate=sample_rate,
        n_channels=writer.n_channels,
        n_samples=writer.n_samples,
        downmix=downmix.description if downmix else None,
        warnings=tuple(source.warnings),
    )


def _downmix(source: AudioSource) -> Downmix | None:
    n_channels = source.format.n_channels
    return Downmix(n_channels, source.layout) if n_channels > 2 else None


def _checked_blocks(
    source: AudioSource,
    downmix: Downmix | None,
    name: str,
    max_duration_s: float | None,
    report: "_Progress",
    cancelled: Callable[[], bool] | None,
) -> Iterator[Samples]:
    """Yield a source's blocks in one or two channels; raise what `decode` raises."""
    sample_rate, n_samples = source.format.sample_rate, 0
    for block in source.blocks():
        if cancelled is not None and cancelled():
            raise JobCancelled(f"Decoding {name} was cancelled.")
        if not np.isfinite(block).all():
            raise CorruptAudio(
                f"{name} holds non-finite samples (NaN or infinite), first between "
                f"{n_samples / sample_rate:.2f} s and "
                f"{(n_samples + block.shape[1]) / sample_rate:.2f} s.",
                hint="Export the file again.",
            )
        n_samples += block.shape[1]
        yield block if downmix is None else downmix.apply(block)
        _check_length(n_samples / sample_rate, name, max_duration_s)
        report.at(n_samples, source.format)
    if not n_samples:
        raise ZeroDuration(f"{name} holds no samples.", hint="Choose a file with sound in it.")
    report.end()


class _Progress:
    """Reports fractions, never a smaller one than before."""

    def __init__(self, report: Callable[[float], None] | None) -> None:
        self._report = report
        self._last = 0.0

    def at(self, n_done: int, source: SourceFormat) -> None:
        total = source.n_samples or (source.duration_s or 0.0) * source.sample_rate
        fraction = min(n_done / total, 1.0) if total else 0.0
        if self._report is not None and fraction > self._last:
            self._last = fraction
            self._report(fraction)

    def end(self) -> None:
        if self._report is not None and self._last < 1.0:
            self._last = 1.0
            self._report(1.0)


def _check_format(source: SourceFormat, name: str, max_duration_s: float | None) -> None:
    if source.n_samples == 0:
        raise ZeroDuration(f"{name} holds no samples.", hint="Choose a file with sound in it.")
    if source.n_channels > MAX_CHANNELS:
        raise InvalidAudio(
            f"{name} has {source.n_channels} channels; at most {MAX_CHANNELS} can be mixed down.",
            hint="Export it in stereo.",
        )
    if source.sample_rate > MAX_SAMPLE_RATE:
        raise InvalidAudio(
            f"{name} has a sample rate of {source.sample_rate} Hz; "
            f"at most {MAX_SAMPLE_RATE} Hz can be processed.",
            hint="Export it at 48000 Hz; if it does not sound, its header is damaged.",
        )
    _check_length(source.duration_s, name, max_duration_s)


def _check_length(duration_s: float | None, name: str, max_duration_s: float | None) -> None:
    if duration_s is not None and max_duration_s is not None and duration_s > max_duration_s:
        raise AudioTooLong(
            f"{name} lasts {duration_s:.1f} s or more; the limit is {max_duration_s:g} s.",
            hint="Cut it into parts, or raise the limit.",
        )
