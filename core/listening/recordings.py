"""A track of the library for players: its file as it is, without a job."""

from pathlib import Path

from core.audio.reading.source import SourceFormat
from core.errors import ArtefactNotFound
from core.library.records.record import FileReference, LibraryRecord
from core.listening.lanes import LanePart, TrackLanes
from core.listening.listing import original_lane
from core.pipeline.results import DecodeResult
from stemcrate.schemas.manifest import SourceDetails


def list_recording(record: LibraryRecord, file: FileReference, found: SourceFormat) -> TrackLanes:
    """Return the track with its one lane, the original.

    The number of frames is the one that the analysis decoded. ``file`` is one of the record's, and
    ``found`` its format. Raises `ArtefactNotFound` if its length is not known.
    """
    n_frames = (
        found.n_samples
        if record.duration_s is None
        else round(record.duration_s * found.sample_rate)
    )
    if not n_frames:
        raise ArtefactNotFound(
            f"The length of '{record.title}' is not known.",
            hint="Add its file to the library again.",
        )
    decoded = DecodeResult(
        sample_rate=found.sample_rate,
        n_channels=min(found.n_channels, 2),
        n_samples=n_frames,
        bit_depth=found.bit_depth,
        is_float=found.is_float,
        is_lossy=found.is_lossy,
        downmix=f"{found.n_channels} channels" if found.n_channels > 2 else None,
        decoder=found.decoder,
        source=SourceDetails(container=found.container, codec=found.codec),
    )
    part = LanePart(Path(file.path), record.name, "whole", file=file)
    return TrackLanes(
        owner=record.id,
        index=0,
        sample_rate=decoded.sample_rate,
        n_channels=decoded.n_channels,
        n_frames=n_frames,
        lanes=(original_lane(part, record.id, decoded, record.facts.sample_peak_dbfs),),
    )
