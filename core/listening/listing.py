"""Which lanes a track has: from its manifest, its upload and its delivered files."""

import math
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from core.artifacts.cache import make_key
from core.artifacts.store import JobStore
from core.errors import ArtefactNotFound, JobNotFinished
from core.listening.lanes import SEGMENT_FRAMES, Access, Lane, LanePart, TrackLanes
from core.pipeline.results import (
    CompositeResult,
    DecodeResult,
    NormalizationResult,
    SeparationResult,
    StageResult,
)
from core.rendering.sources import AUDIBLE, percussive_labels
from stemcrate.schemas.facts import LoudnessFacts
from stemcrate.schemas.manifest import Artefact, ProcessingManifest, StageState, TrackRecord
from stemcrate.schemas.player import ORIGINAL
from stemcrate.schemas.waveforms import Waveforms

ResultT = TypeVar("ResultT", bound=StageResult)

_KEY_LENGTH = 16  # hexadecimal digits
_RENDITION = "1"  # raise it when the content of segments or pictures changes
_SEEKABLE = {"wav", "wavex", "rf64", "w64", "aiff", "flac"}


@dataclass(frozen=True, slots=True)
class LevelRules:
    """How far a lane that is not limited to full scale is lowered for FLAC.

    Parameters
    ----------
    lossy_margin : factor on the peak before encoding: lossy codecs overshoot, seldom by 6 dB.
    rounding_margin : factor on peaks that are rounded to 4 decimals.
    unknown_peak : peak of a lane without a waveform: 12 dB above full scale.
    """

    lossy_margin: float = 2.0
    rounding_margin: float = 1.001
    unknown_peak: float = 4.0


LEVEL_RULES = LevelRules()


def find_track(manifest: ProcessingManifest, index: int) -> TrackRecord:
    """Return a track that has ended. Raises `ArtefactNotFound` and `JobNotFinished`."""
    if not 0 <= index < len(manifest.tracks):
        raise ArtefactNotFound(
            f"Job '{manifest.job_id}' has no track {index}: it has {len(manifest.tracks)}, "
            "counted from 0."
        )
    track = manifest.tracks[index]
    if not (track.state.is_final or manifest.state.is_final):
        raise JobNotFinished(
            f"Track {index} of job '{manifest.job_id}' is {track.state}.",
            hint="Wait for it: GET /job/{id}/events, or poll the job.",
        )
    return track


def measured_loudness(track: TrackRecord) -> LoudnessFacts:
    """Return the loudness and peaks of the recording, from whichever stage measured them."""
    if track.analysis.integrated_loudness_lufs is not None:
        return track.analysis
    normalization = _result(track, NormalizationResult)
    return track.analysis if normalization is None else normalization.mixture


def list_lanes(store: JobStore, manifest: ProcessingManifest, index: int) -> TrackLanes:
    """List the lanes of a track: the original, the stems, composites, and parts.

    Raises
    ------
    ArtefactNotFound : there is no such track, or it was not decoded, or nothing of it is left.
    JobNotFinished : the track has not ended.
    """
    track = find_track(manifest, index)
    decoded = _result(track, DecodeResult)
    if decoded is None:
        raise ArtefactNotFound(
            f"Track {index} of job '{manifest.job_id}' was not decoded: there is nothing to play."
        )
    peaks = _read_peaks(store, manifest.job_id, track)
    paths = {a.name: store.artefact_path(manifest.job_id, a) for a in track.artefacts}
    percussive = percussive_labels(track)
    labels = {artefact.name: artefact.label for artefact in track.artefacts}
    outputs = [
        replace(
            _output(paths[artefact.name], artefact, decoded, peaks.get(artefact.label)),
            is_percussive=artefact.label in percussive,
            same_as=labels.get(artefact.same_as or ""),
        )
        for artefact in _ordered(track)
        if store.is_stored(paths[artefact.name])
    ]
    upload = store.upload_place(track.source.sha256)
    original = (
        original_lane(
            LanePart(upload, track.source.name, "whole"),
            track.source.sha256,
            decoded,
            measured_loudness(track).sample_peak_dbfs,
        )
        if store.is_uploaded(track.source.sha256)
        else _sum_of_stems(outputs, track, decoded)
    )
    lanes = [original, *outputs] if original is not None else outputs
    if not lanes:
        raise ArtefactNotFound(
            f"No file of track {index} of job '{manifest.job_id}' is left to play.",
            hint="Run the job again to recreate them.",
        )
    return TrackLanes(
        owner=manifest.job_id,
        index=index,
        sample_rate=decoded.sample_rate,
        n_channels=decoded.n_channels,
        n_frames=decoded.n_samples,
        lanes=tuple(lanes),
    )


def original_lane(
    part: LanePart, sha256: str, decoded: DecodeResult, peak_dbfs: float | None
) -> Lane:
    """Return the lane of a recording as it came in.

    Parameters
    ----------
    part : its file, which is read from anywhere where its format allows that.
    sha256 : hash of the file's bytes.
    decoded : its format.
    peak_dbfs : its sample peak; None: unknown.
    """
    is_integer = not (decoded.is_float or decoded.is_lossy or decoded.downmix)
    is_seekable = (
        decoded.decoder == "soundfile"
        and decoded.source.container in _SEEKABLE
        and not (decoded.is_lossy or decoded.downmix)
    )
    peak = None if peak_dbfs is None else 10 ** (peak_dbfs / 20)
    return _lane(
        decoded,
        label=ORIGINAL,
        role=ORIGINAL,
        name=part.name,
        content=[sha256],
        parts=(replace(part, access="seek" if is_seekable else "whole"),),
        bit_depth=16 if is_integer and (decoded.bit_depth or 24) <= 16 else 24,
        scale=1.0 if is_integer else _scale(peak, LEVEL_RULES.rounding_margin),
    )


def _sum_of_stems(outputs: list[Lane], track: TrackRecord, decoded: DecodeResult) -> Lane | None:
    """Return the original as the sum of the stems before gain; None if they lack some."""
    separation = _result(track, SeparationResult)
    stems = {lane.label: lane for lane in outputs if lane.role == "stem"}
    if separation is None or separation.closing_stem is None or {*separation.stems} != {*stems}:
        return None
    return _lane(
        decoded,
        label=ORIGINAL,
        role=ORIGINAL,
        name=track.source.name,
        content=[(lane.key, lane.gain_db) for lane in stems.values()],
        parts=tuple(
            replace(part, factor=10 ** (-lane.gain_db / 20))
            for lane in stems.values()
            for part in lane.parts
        ),
        source="stems",
        scale=1.0 if not (decoded.is_float or decoded.is_lossy) else LEVEL_RULES.unknown_peak,
    )


def _output(path: Path, artefact: Artefact, decoded: DecodeResult, peak: float | None) -> Lane:
    gain_db = artefact.gain_db or 0.0
    is_integer = artefact.bit_depth in ("16", "24")
    margin = LEVEL_RULES.rounding_margin if artefact.bit_depth else LEVEL_RULES.lossy_margin
    delivered_peak = None if peak is None else peak * 10 ** (gain_db / 20)
    access: Access = "packets" if artefact.format in ("m4a", "alac") else "seek"
    return _lane(
        decoded,
        label=artefact.label,
        role=artefact.role,
        name=artefact.name,
        content=[artefact.sha256],
        parts=(LanePart(path, artefact.name, access),),
        gain_db=gain_db,
        bit_depth=16 if artefact.bit_depth == "16" else 24,
        scale=1.0 if is_integer else _scale(delivered_peak, margin),
        download_name=artefact.name,
    )


def _lane(decoded: DecodeResult, *, content: list[Any], **fields: Any) -> Lane:
    """Make a lane; its key names its content, how that is rendered, and by what."""
    shape = (decoded.sample_rate, decoded.n_channels, decoded.n_samples, SEGMENT_FRAMES)
    rendition = (_RENDITION, version("soundfile"), fields["scale"])
    return Lane(key=make_key([content, shape, rendition])[:_KEY_LENGTH], **fields)


def _scale(peak: float | None, margin: float) -> float:
    """Return the power of two, 1 or more, that is not below a peak with its margin."""
    if peak is None:
        return LEVEL_RULES.unknown_peak
    return float(2 ** max(0, math.ceil(math.log2(max(peak * margin, 1.0)))))


def _ordered(track: TrackRecord) -> list[Artefact]:
    """List the audio files: stems, composites, then parts, each in the order of their stage."""
    separation = _result(track, SeparationResult)
    composite = _result(track, CompositeResult)
    labels = [*(separation.stems if separation else ()), *(composite.sums if composite else ())]
    rank = {label: place for place, label in enumerate(labels)}
    return sorted(
        (artefact for artefact in track.artefacts if artefact.role in AUDIBLE),
        key=lambda a: (AUDIBLE.index(a.role), rank.get(a.label, 0), a.label),
    )


def _result(track: TrackRecord, kind: type[ResultT]) -> ResultT | None:
    for record in track.stages:
        if record.name == kind.stage and record.state == StageState.COMPLETED:
            return kind.model_validate(record.result)
    return None


def _read_peaks(store: JobStore, job_id: str, track: TrackRecord) -> dict[str, float]:
    """Return the peak of each output before gain; empty if unknown, or if none needs it."""
    outputs = [a for a in track.artefacts if a.role in AUDIBLE]
    if all(artefact.bit_depth in ("16", "24") for artefact in outputs):
        return {}
    for artefact in track.artefacts:
        if artefact.role == "waveform" and artefact.label == "waveforms":
            with suppress(FileNotFoundError, ValidationError):
                path = store.fetch(store.artefact_path(job_id, artefact))
                found = Waveforms.model_validate_json(path.read_bytes())
                return {
                    label: max(map(abs, (*peaks.peaks_min, *peaks.peaks_max)))
                    for label, peaks in found.outputs.items()
                }
    return {}
