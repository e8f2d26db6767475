"""A file analysed in one decode, with what its tags and its name say."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from core.analysis.rhythm.tempo import TEMPO_RANGE_BPM
from core.analysis.track import TrackAnalysis, analyse_track
from core.audio.buffer import Samples
from core.audio.metering.audiowaveform import encode_json
from core.audio.metering.waveform_data import WaveformData
from core.audio.reading.decode import SourceFormat, read_through
from core.audio.tagging.tags import name_track, read_tags
from core.system.threads import one_blas_thread

MAX_PIXELS = 1024
"""Length of the overview at most."""


def analyse_file(
    path: Path,
    *,
    tempo_range_bpm: tuple[float, float] = TEMPO_RANGE_BPM,
    max_duration_s: float | None = None,
) -> tuple[SourceFormat, dict[str, Any]]:
    """Analyse a file.

    Returns
    -------
    What the file says about itself, and the facts of its recording under the names of the manifest;
    ``waveform`` is an overview of at most `MAX_PIXELS` as peaks.js reads it.

    Raises
    ------
    InvalidAudio : its subclasses tell what is wrong with the file.
    """

    def analyse(sample_rate: int, n_channels: int, blocks: Iterator[Samples]) -> TrackAnalysis:
        return analyse_track(blocks, sample_rate, n_channels, tempo_range_bpm=tempo_range_bpm)

    with one_blas_thread():
        source, analysis = read_through(path, analyse, max_duration_s=max_duration_s)
    title, artist = name_track(read_tags(path), path.name)
    facts = {"title": title, "artist": artist, **analysis.facts().model_dump(mode="json")}
    return source, {**facts, "waveform": _overview(analysis.waveform)}


def _overview(waveform: WaveformData) -> dict[str, Any] | None:
    """Give the finest level that has not too many pixels; None for no samples."""
    for level in waveform.levels:
        if level.low.shape[1] <= MAX_PIXELS:
            return encode_json(level, waveform.sample_rate)
    return None
