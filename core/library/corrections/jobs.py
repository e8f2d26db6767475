"""Corrections of what a job found: for its views, names, tags and playlist.

The manifest itself keeps what the analysis found.
"""

from collections.abc import Callable

from core.library.corrections.apply import apply
from core.library.corrections.record import CorrectionRecord
from stemcrate.schemas.manifest import ProcessingManifest, TrackRecord

FindCorrections = Callable[[str], CorrectionRecord]
"""Returns the corrections of a recording, by the SHA-256 of its bytes."""


def correct_track(track: TrackRecord, find: FindCorrections) -> TrackRecord:
    """Return a track of a job with corrected facts; never to be written."""
    corrections = find(track.source.sha256).corrections
    return track.model_copy(update={"analysis": apply(track.analysis, corrections)})


def correct_manifest(manifest: ProcessingManifest, find: FindCorrections) -> ProcessingManifest:
    """Return a manifest with corrected facts; never to be written."""
    tracks = [correct_track(track, find) for track in manifest.tracks]
    return manifest.model_copy(update={"tracks": tracks})
