"""Converts a track's lanes and facts to what a player needs."""

from collections.abc import Mapping
from typing import Any

from api.links import artefact_path, lane_path, recording_path, stream_path
from core.library.records.record import LibraryRecord
from core.listening.lanes import SEGMENT_FRAMES, Lane, TrackLanes
from core.listening.listing import find_track, measured_loudness
from stemcrate.schemas.facts import TrackFacts
from stemcrate.schemas.manifest import Artefact, ProcessingManifest, TrackRecord
from stemcrate.schemas.player import PlayerGrid, PlayerLane, PlayerLoop, PlayerTrack


def player_view(manifest: ProcessingManifest, lanes: TrackLanes) -> PlayerTrack:
    """Return what a player needs to play, draw and mix a job's track."""
    track = find_track(manifest, lanes.index)
    delivered = track.analysis.delivered_loudness
    return _player(
        track.analysis,
        lanes,
        job_id=manifest.job_id,
        index=lanes.index,
        track_id=track.source.sha256,
        title=track.analysis.title,
        artist=track.analysis.artist,
        lanes=[_lane_of_job(lanes, track, lane) for lane in lanes.lanes],
        original_loudness_lufs=measured_loudness(track).integrated_loudness_lufs,
        main_loudness_lufs=delivered and delivered.integrated_lufs,
    )


def recording_view(record: LibraryRecord, lanes: TrackLanes) -> PlayerTrack:
    """Return what a player needs to play and draw a track of the library, as it came in."""
    (lane,) = lanes.lanes
    return _player(
        record.facts,
        lanes,
        job_id=None,
        index=None,
        track_id=record.id,
        title=record.title,
        artist=record.artist,
        lanes=[
            _lane_view(lane, recording_path(record.id), stream_path(record.id), {}, None),
        ],
        original_loudness_lufs=record.facts.integrated_loudness_lufs,
        main_loudness_lufs=None,
    )


def _player(facts: TrackFacts, axis: TrackLanes, **fields: Any) -> PlayerTrack:
    """Return the player's track with the facts that are drawn; ``fields`` are all others."""
    return PlayerTrack(
        sample_rate=axis.sample_rate,
        n_channels=axis.n_channels,
        n_frames=axis.n_frames,
        duration_s=axis.n_frames / axis.sample_rate,
        segment_frames=SEGMENT_FRAMES,
        n_segments=axis.n_segments,
        grid=PlayerGrid(
            beats_s=facts.beats_s,
            downbeats_s=facts.downbeats_s,
            beats_per_bar=_beats_per_bar(facts),
        ),
        sections=facts.sections,
        chords=facts.chords,
        vocals_s=facts.vocals_s,
        cues=[cue for cue in facts.cues if cue.end_s is None],
        loops=[
            PlayerLoop(start_s=cue.time_s, end_s=cue.end_s, name=cue.name, colour=cue.colour)
            for cue in facts.cues
            if cue.end_s is not None
        ],
        tempo_bpm=facts.tempo_bpm,
        key=facts.key,
        camelot=facts.camelot,
        **fields,
    )


def _lane_of_job(lanes: TrackLanes, track: TrackRecord, lane: Lane) -> PlayerLane:
    drawn = {
        a.format: artefact_path(lanes.owner, a.name)
        for a in track.artefacts
        if _draws(a, lane.same_as or lane.label)
    }
    download = lane.download_name and artefact_path(lanes.owner, lane.download_name)
    of_lane = lanes.owner, lanes.index, lane.label
    return _lane_view(lane, lane_path(*of_lane), stream_path(*of_lane), drawn, download)


def _lane_view(
    lane: Lane, base: str, stream_url: str, drawn: Mapping[str, str], download_url: str | None
) -> PlayerLane:
    """Return a lane below the path ``base``; ``drawn`` are the waveforms that its job made."""
    version = f"?v={lane.key}"
    urls = {kind: drawn.get(kind, f"{base}/waveform.{kind}{version}") for kind in ("dat", "bands")}
    return PlayerLane(
        label=lane.label,
        role=lane.role,
        name=lane.name,
        same_as=lane.same_as,
        source=lane.source,
        gain_db=lane.gain_db,
        is_percussive=lane.is_percussive,
        bit_depth=lane.bit_depth,
        scale=lane.scale,
        segments_url=f"{base}/segments/{{segment}}{version}",
        waveform_url=urls["dat"],
        bands_url=urls["bands"],
        spectrogram_url=f"{base}/spectrogram{version}",
        stream_url=stream_url,
        download_url=download_url,
    )


def _draws(artefact: Artefact, label: str) -> bool:
    return artefact.role == "waveform" and artefact.label == label


def _beats_per_bar(facts: TrackFacts) -> int | None:
    return int(facts.time_signature.split("/")[0]) if facts.time_signature else None
