"""Writes a track's facts into the tags of its exported copy, including Serato's.

The original is never modified: use these functions on copies. Loudness is ReplayGain 2.0;
Opus has its own gain (RFC 7845, section 5.2.1), in 1/256 dB relative to -23 LUFS.
"""

from pathlib import Path

from core.audio.metering.replaygain import REPLAYGAIN_REFERENCE_LUFS
from core.audio.tagging.serato_tags import (
    AUTOTAGS,
    BEAT_GRID,
    MARKERS,
    SeratoCue,
    autotags,
    beat_grid,
    markers,
    write_serato_tags,
)
from core.audio.tagging.tag_writer import write_tags
from core.audio.tagging.tags import Tags
from core.export.format import ExportOptions
from core.export.model import CrateTrack, FileKind
from core.export.mp3_offset import offset_ms

SERATO_KINDS = frozenset(
    {
        FileKind.MP3,
        FileKind.AIFF,
        FileKind.WAV,
        FileKind.FLAC,
        FileKind.M4A,
        FileKind.ALAC,
    }
)


def tag_copy(path: Path, track: CrateTrack, options: ExportOptions) -> None:
    """Write a track's tags, cover and Serato's grid, cues and gain into a copy of its file.

    Raises
    ------
    UnsupportedFormat : a WAV above 4 GiB.
    InvalidAudio : the file isn't what ``track.file`` says.
    """
    write_tags(path, track_to_tags(track, options), format=track.file, extra=_loudness(track))
    if track.file in SERATO_KINDS:
        write_serato_tags(path, serato_contents(track, options), format=track.file)


def track_to_tags(track: CrateTrack, options: ExportOptions) -> Tags:
    """Convert a track to tags."""
    return Tags(
        title=track.title,
        artist=track.artist,
        album=track.album,
        genre=track.genre,
        year=str(track.year) if track.year else None,
        track_number=track.track_number,
        comment=track.comment,
        isrc=track.isrc,
        bpm=track.tempo_bpm,
        key=track.key_text(options.key_notation),
        cover=track.cover,
    )


def serato_contents(track: CrateTrack, options: ExportOptions) -> dict[str, bytes]:
    """Build Serato's tags from hot cues and loops; they have no memory cues.

    `AUTOTAGS` cannot leave out its tempo, so a track of unknown tempo has none.
    """
    shift_ms = offset_ms(track, "serato", options.mp3_offset_ms)
    # Serato counts bars from the first marker.
    starts_s = [segment.start_s for segment in track.grid]
    starts_s[:1] = [segment.downbeat_s for segment in track.grid[:1]]
    segments = [
        (start_s + shift_ms / 1000, segment.tempo_bpm)
        for start_s, segment in zip(starts_s, track.grid, strict=True)
    ]
    cues = [
        SeratoCue(
            pad=cue.pad,
            start_ms=_milliseconds(cue.start_s, shift_ms),
            end_ms=None if cue.end_s is None else _milliseconds(cue.end_s, shift_ms),
            name=cue.name,
            rgb=bytes(cue.shown_colour),
        )
        for cue in track.cues
        if cue.pad is not None
    ]
    contents = {
        BEAT_GRID: beat_grid(segments, track.duration_s + shift_ms / 1000),
        MARKERS: markers(cues),
    }
    if track.tempo_bpm:
        contents[AUTOTAGS] = autotags(track.tempo_bpm, track.replaygain_db)
    return contents


def _milliseconds(time_s: float, shift_ms: float) -> int:
    return max(0, round(time_s * 1000 + shift_ms))


def _loudness(track: CrateTrack) -> dict[str, str]:
    if track.replaygain_db is None or track.integrated_loudness_lufs is None:
        return {}
    if track.file is FileKind.OPUS:
        gain = round((-23.0 - track.integrated_loudness_lufs) * 256)
        return {"R128_TRACK_GAIN": str(max(-32768, min(32767, gain)))}
    values = {
        "REPLAYGAIN_TRACK_GAIN": f"{track.replaygain_db:.2f} dB",
        "REPLAYGAIN_REFERENCE_LOUDNESS": f"{REPLAYGAIN_REFERENCE_LUFS:.2f} LUFS",
    }
    if track.true_peak_dbtp is not None:
        values["REPLAYGAIN_TRACK_PEAK"] = f"{10 ** (track.true_peak_dbtp / 20):.6f}"
    return values
