"""Converts facts of the analysis to a track of a crate.

Any fact may be unknown.
"""

from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from core.audio.tagging.tags import name_track, read_tags
from core.export.model import Colour, CrateTrack, Cue, FileKind, GridMarker
from stemcrate.schemas.facts import TrackFacts

N = TypeVar("N", int, float)
_BEATS_PER_BAR = 4  # if the metre is unknown
_CODECS = {
    "aac": FileKind.M4A,
    "alac": FileKind.ALAC,
    "vorbis": FileKind.OGG,
    "opus": FileKind.OPUS,
    "flac": FileKind.FLAC,
    "mp3": FileKind.MP3,
}
_CONTAINERS = {
    "wav": FileKind.WAV,
    "wavex": FileKind.WAV,
    "rf64": FileKind.WAV,
    "aiff": FileKind.AIFF,
    "mp3": FileKind.MP3,
    "mpeg": FileKind.MP3,
}
_HOUSES = {
    FileKind.M4A: {"mov"},
    FileKind.ALAC: {"mov"},
    FileKind.OGG: {"ogg"},
    FileKind.OPUS: {"ogg"},
    FileKind.FLAC: {"flac"},
    FileKind.MP3: {"mp3"},
}


def find_kind(container: str | None, codec: str | None) -> FileKind:
    """Return the kind of a file from its decoder's names
    (`core.audio.reading.source.SourceFormat`).

    A codec in an unusual container (AAC in Matroska) is `FileKind.OTHER`: tags
    depend on the container.
    """
    kind = _CODECS.get(codec or "")
    if kind is not None and container in _HOUSES[kind]:
        return kind
    return _CONTAINERS.get(container or "", FileKind.OTHER)


def describe_file(path: Path, facts: TrackFacts, *, id: str) -> CrateTrack:
    """Make a track of a file on this machine.

    Raises
    ------
    InvalidAudio : the file is empty, damaged, or is not audio.
    """
    # Here, and not above: the API knows this module, and loads no decoder.
    from core.audio.reading.decode import probe

    source, tags = probe(path), read_tags(path)
    title, artist = name_track(tags, path.name)
    size_bytes = path.stat().st_size
    duration_s = facts.duration_s or source.duration_s or 0.0
    track = CrateTrack(
        id=id,
        path=str(path.resolve()),
        file=find_kind(source.container, source.codec),
        title=facts.title or title,
        duration_s=duration_s,
        artist=facts.artist or artist,
        album=tags.album,
        genre=tags.genre,
        year=read_year(tags.year),
        isrc=tags.isrc,
        comment=tags.comment,
        track_number=tags.track_number,
        sample_rate=source.sample_rate,
        n_channels=source.n_channels,
        bit_rate=round(size_bytes * 8 / duration_s) if duration_s else None,
        bit_depth=source.bit_depth,
        size_bytes=size_bytes,
        cover=tags.cover,
    )
    return add_facts(track, facts)


def read_year(text: object) -> int | None:
    """Read the year of a tag such as ``2019-05-03``; None if it holds none."""
    digits = str(text or "")[:4]
    return int(digits) if digits.isdigit() else None


def add_facts(track: CrateTrack, facts: TrackFacts) -> CrateTrack:
    """Fill a track with known facts; unknown facts leave its fields unchanged.

    Cues without a hot cue number, and the mixing points, are memory cues.
    """
    return replace(
        track,
        tempo_bpm=facts.tempo_bpm or track.tempo_bpm,
        key=facts.key or track.key,
        energy=facts.energy or track.energy,
        rating=_or(facts.rating, track.rating),
        grid=_grid(facts) or track.grid,
        cues=_cues(facts) or track.cues,
        integrated_loudness_lufs=_or(
            facts.integrated_loudness_lufs, track.integrated_loudness_lufs
        ),
        true_peak_dbtp=_or(facts.true_peak_dbtp, track.true_peak_dbtp),
        vocals_s=tuple((start, end) for start, end in facts.vocals_s or ()),
    )


def _or(value: N | None, own: N | None) -> N | None:
    return own if value is None else value


def _grid(facts: TrackFacts) -> tuple[GridMarker, ...]:
    beats_per_bar = _beats_per_bar(facts.time_signature)
    return tuple(
        GridMarker(
            segment.start_s,
            segment.tempo_bpm,
            beats_per_bar,
            (segment.first_beat_in_bar - 1) % beats_per_bar + 1,
        )
        for segment in facts.beat_grid
    )


def _beats_per_bar(time_signature: str | None) -> int:
    return int(time_signature.split("/")[0]) if time_signature else _BEATS_PER_BAR


def _cues(facts: TrackFacts) -> tuple[Cue, ...]:
    cues = [
        Cue(
            max(0.0, cue.time_s),
            cue.name,
            pad=None if cue.hot_cue is None else cue.hot_cue - 1,
            colour=None if cue.colour is None else Colour(*bytes.fromhex(cue.colour[1:])),
            end_s=cue.end_s,
        )
        for cue in sorted(facts.cues, key=lambda cue: cue.time_s)
    ]
    windows = (("Mix in", facts.mix_in_s), ("Mix out", facts.mix_out_s))
    cues += [Cue(max(0.0, window[0]), name) for name, window in windows if window]
    return tuple(cues)
