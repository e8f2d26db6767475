"""From the facts of the analysis, as manifests and library hold them, to a track of a crate.

The names are those of `core.analysis.facts`; any of them may be absent or None. Manifests of
earlier versions hold beats without the grid through them, which then is made here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from core.export.model import MAX_HOT_CUES, CrateTrack, Cue, FileKind, GridSegment

_BEATS_PER_BAR = 4  # where the metre isn't known
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
    """Name a file by what its decoder says (`core.audio.reading.source.SourceFormat`).

    A codec in a container that isn't its usual one (AAC in Matroska) is `FileKind.OTHER`: tags are
    a matter of the container.
    """
    kind = _CODECS.get(codec or "")
    if kind is not None and container in _HOUSES[kind]:
        return kind
    return _CONTAINERS.get(container or "", FileKind.OTHER)


def add_facts(track: CrateTrack, facts: Mapping[str, Any]) -> CrateTrack:
    """Fill a track with what the analysis found; what it didn't find stays as it is.

    The first eight cues, in time, lie on the pads; further ones, and where to mix in and out, are
    memory cues.
    """
    return replace(
        track,
        tempo_bpm=facts.get("tempo_bpm") or track.tempo_bpm,
        key=facts.get("key") or track.key,
        energy=facts.get("energy") or track.energy,
        grid=_grid(facts) or track.grid,
        cues=_cues(facts) or track.cues,
        integrated_loudness_lufs=_or(facts, "integrated_loudness_lufs", track),
        true_peak_dbtp=_or(facts, "true_peak_dbtp", track),
        vocals_s=tuple((start, end) for start, end in facts.get("vocals_s") or ()),
    )


def _or(facts: Mapping[str, Any], name: str, track: CrateTrack) -> float | None:
    value: float | None = facts.get(name)
    own: float | None = getattr(track, name)
    return own if value is None else value


def _grid(facts: Mapping[str, Any]) -> tuple[GridSegment, ...]:
    beats_per_bar = _beats_per_bar(facts.get("time_signature"))
    segments: Sequence[Mapping[str, Any]] = facts.get("beat_grid") or ()
    return tuple(
        GridSegment(
            segment["start_s"],
            segment["tempo_bpm"],
            beats_per_bar,
            (segment["first_beat_in_bar"] - 1) % beats_per_bar + 1,
        )
        for segment in segments
    )


def _beats_per_bar(time_signature: str | None) -> int:
    return int(time_signature.split("/")[0]) if time_signature else _BEATS_PER_BAR


def _cues(facts: Mapping[str, Any]) -> tuple[Cue, ...]:
    found = sorted((cue["time_s"], cue["name"]) for cue in facts.get("cues") or ())
    cues = [
        Cue(max(0.0, time_s), name, pad=pad if pad < MAX_HOT_CUES else None)
        for pad, (time_s, name) in enumerate(found)
    ]
    windows = (("Mix in", facts.get("mix_in_s")), ("Mix out", facts.get("mix_out_s")))
    cues += [Cue(max(0.0, window[0]), name) for name, window in windows if window]
    return tuple(cues)
