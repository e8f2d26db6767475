"""playlist: the job's tracks in an order that mixes, as M3U8."""

from collections.abc import Mapping
from dataclasses import replace

from core.export.formats.m3u8 import M3U8Entry, write_m3u8
from core.export.names import safe_name
from core.pipeline.context import JobContext
from core.pipeline.results import PlaylistResult
from core.pipeline.stage import JobStage
from core.playlist.plan import SetPlan, describe_track, plan_set
from core.playlist.table import TrackTable
from core.playlist.track import PlaylistTrack
from stemcrate.schemas.manifest import Artefact, TrackRecord
from stemcrate.schemas.sets import SetDescription
from stemcrate.schemas.transitions import TrackId


class PlaylistStage(JobStage):
    """Order the tracks so that they mix; write a playlist that works inside the ZIP."""

    name = "playlist"
    result_type = PlaylistResult
    version = "5"
    serves_delivery = True
    cost = 0.1

    def execute(self, context: JobContext) -> PlaylistResult:
        """Plan the order and write the M3U8 with paths relative to itself."""
        records: dict[TrackId, TrackRecord] = {
            track.index: track for track in context.corrected_tracks()
        }
        tracks = {index: _to_plan(record) for index, record in records.items()}
        plan = plan_set(TrackTable.from_tracks([*tracks.values()]))
        name = context.options.playlist_name
        entries = []
        for index in plan.ids:
            planned, audio = tracks[index], _whole_song(records[index])
            if audio is None:
                context.warn("not_in_playlist", f"'{planned.title}' has no file of its whole mix.")
                continue
            entries.append(
                M3U8Entry(audio.stored_as, planned.title, planned.artist, planned.duration_s or 0.0)
            )
        file_name = f"{safe_name(name)}.m3u8"
        with context.artefact(file_name, role="playlist", label=name, format="m3u8") as path:
            path.write_bytes(write_m3u8(entries, name))
        described = _describe_set(plan, tracks)
        described.name = name
        return PlaylistResult(playlist=described)


def _to_plan(record: TrackRecord) -> PlaylistTrack:
    from core.playlist.facts import facts_to_track

    stems = [artefact.label for artefact in record.artefacts if artefact.role == "stem"]
    facts = record.analysis
    track = facts_to_track(record.index, facts, title=record.source.name, stems=stems)
    if facts.delivered_loudness is None:
        return track
    delivered_lufs = facts.delivered_loudness.integrated_lufs
    return replace(track, integrated_loudness_lufs=delivered_lufs, is_delivered=True)


def _whole_song(track: TrackRecord) -> Artefact | None:
    whole = (a for a in track.artefacts if (a.role, a.label) == ("composite", "main"))
    return next(whole, None)


def _describe_set(plan: SetPlan, tracks: Mapping[TrackId, PlaylistTrack]) -> SetDescription:
    described = plan.describe()
    described.tracks = [
        describe_track(tracks[index], index=int(index), starts_s=starts_s)
        for index, starts_s in zip(plan.ids, plan.starts_s, strict=True)
    ]
    return described
