"""Interface of decoders: a format, and blocks of float32."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, Protocol

from core.audio.buffer import Samples

Decoder = Literal["soundfile", "pyav"]


@dataclass(frozen=True, slots=True)
class SourceFormat:
    """Format of a source file.

    ``n_samples`` and ``duration_s`` are None if the container has no length (a stream that was
    never closed); ``bit_depth`` is None for lossy codecs; ``container`` and ``codec`` are
    lower-case words of the decoder (``wav``, ``pcm_24``; ``mov``, ``aac``).
    """

    container: str
    codec: str
    sample_rate: int
    n_channels: int
    n_samples: int | None
    duration_s: float | None
    bit_depth: int | None
    is_float: bool
    is_lossy: bool
    decoder: Decoder


class AudioSource(Protocol):
    """A file opened by one of the two decoders."""

    format: SourceFormat
    layout: tuple[str, ...] | None
    """Channel names in FFmpeg's notation (``FL FR FC LFE BL BR``); None if unknown."""
    warnings: list[str]
    """Warnings as sentences; complete once `blocks` has ended."""

    def blocks(self) -> Iterator[Samples]:
        """Yield the file from its first sample to its last, ``(n_channels, n)``; once.

        Raises
        ------
        CorruptAudio : the data are broken, or end before the header says.
        """

    def check_end(self) -> None:
        """Check the end of the file where that is cheap; call it instead of `blocks`.

        Raises
        ------
        CorruptAudio : the end can't be decoded.
        """

    def close(self) -> None:
        """Release the file."""


def cut_short(name: str, n_decoded: int, sample_rate: int, n_promised: int | None) -> str:
    """Return a sentence on how much of a file could be decoded."""
    decoded = f"only {n_decoded / sample_rate:.2f} s" if n_decoded else "nothing"
    if n_promised is not None:
        decoded += f" of {n_promised / sample_rate:.2f} s"
    return f"{name} is damaged or cut short: {decoded} can be decoded."


def rounded(name: str, what: str) -> str:
    """Return a warning that samples were rounded to the 24-bit precision of float32."""
    return f"{name} is finer than 32-bit float: its {what} were rounded to that."


RESEND_HINT = "Copy or export the file again."
