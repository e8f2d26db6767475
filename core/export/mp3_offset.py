"""Time offsets of other programs in MP3 files.

Times count from the first sample after the encoder's delay, as soundfile and FFmpeg decode.
Programs that play the delay, or the frame that describes it, start earlier, so their cues and
grids are shifted later by that amount. Only MP3 differs: other formats store their length.

rekordbox and Traktor agree with us on files with a complete LAME header, which is what our encoder
writes; Serato counts one frame (1152 samples) more, as Mixxx corrects it (26 ms at 44.1 kHz, 24 ms
at 48 kHz). Files of other encoders can differ by a frame: the offset is an option.

References: digital-dj-tools/dj-data-converter issue 3 ("26 ms problem"); Mixxx pull request 2119.
"""

from collections.abc import Mapping
from typing import Literal, get_args

from core.export.model import CrateTrack, FileKind

Program = Literal["rekordbox", "traktor", "serato"]

_MIXXX_MS = {44_100: 26.0, 48_000: 24.0}
_FRAME_SAMPLES = 1152


def default_mp3_offset_ms(program: Program, sample_rate: int) -> float:
    """Return a program's offset in MP3 files of this sample rate, in milliseconds."""
    if program != "serato":
        return 0.0
    return _MIXXX_MS.get(sample_rate, round(1000 * _FRAME_SAMPLES / sample_rate, 1))


def default_mp3_offsets_ms(sample_rate: int) -> dict[str, float]:
    """Return every program's offset in MP3 files, in milliseconds by name."""
    return {p: default_mp3_offset_ms(p, sample_rate) for p in get_args(Program)}


def offset_ms(track: CrateTrack, program: Program, chosen: Mapping[Program, float]) -> float:
    """Return a track's offset for a program in milliseconds; 0 unless it is an MP3."""
    if track.file is not FileKind.MP3:
        return 0.0
    if program in chosen:
        return chosen[program]
    return default_mp3_offset_ms(program, track.sample_rate)
