"""playlist: the job's tracks in an order that mixes, as M3U8."""

from typing import Any

from core.export.formats.m3u8 import M3U8Entry, write_m3u8
from core.export.names import safe_name
from core.pipeline.context import JobContext
from core.pipeline.stage import JobStage, StageResult
from core.playlist.plan import SetPlan, plan_set
from core.playlist.table import TrackTable
from core.playlist.track import PlaylistTrack
from core.playlist.transition import Transition
from stemcrate.schemas.manifest import Artefact, TrackRecord


class PlaylistStage(JobStage):
    """Order the tracks so that they mix; write a playlist that works inside the ZIP."""

    name = "playlist"
    version = "2"
    serves_delivery = True
    cost = 0.1

    def execute(self, context: JobContext) -> StageResult:
        """Plan the order and write the M3U8 with paths relative to itself."""
        records = {str(track.index): track for track in context.tracks}
        tracks = {number: _describe(number, record) for number, record in records.items()}
        plan = plan_set(TrackTable.from_tracks([*tracks.values()]))
        name = context.options.playlist_name
        entries = []
        for number in plan.ids:
            planned, audio = tracks[number], _whole_song(records[number])
            if audio is None:
                context.warn("not_in_playlist", f"'{planned.title}' has no file of its whole mix.")
                continue
            entries.append(
                M3U8Entry(audio.name, planned.title, planned.artist, planned.duration_s or 0.0)
            )
        file_name = f"{safe_name(name)}.m3u8"
        with context.artefact(file_name, role="playlist", label=name, format="m3u8") as path:
            path.write_bytes(write_m3u8(entries, name))
        return StageResult(playlist={"name": name, **_tell(plan, tracks)})


def _describe(number: str, record: TrackRecord) -> PlaylistTrack:
    from core.playlist.facts import facts_to_track

    stems = [artefact.label for artefact in record.artefacts if artefact.role == "stem"]
    return facts_to_track(number, record.analysis, title=record.source.name, stems=stems)


def _whole_song(track: TrackRecord) -> Artefact | None:
    whole = (a for a in track.artefacts if (a.role, a.label) == ("composite", "main"))
    return next(whole, None)


def _tell(plan: SetPlan, tracks: dict[str, PlaylistTrack]) -> dict[str, Any]:
    return {
        "score": plan.score,
        "duration_s": plan.duration_s,
        "tracks": [
            {
                "index": int(number),
                "title": tracks[number].title,
                "artist": tracks[number].artist,
                "tempo_bpm": tracks[number].tempo_bpm,
                "camelot": tracks[number].camelot,
                "energy": tracks[number].energy,
                "duration_s": tracks[number].duration_s,
                "starts_s": starts_s,
            }
            for number, starts_s in zip(plan.ids, plan.starts_s, strict=True)
        ],
        "transitions": [_tell_transition(step) for step in plan.transitions],
        "relaxed": [relaxation.words for relaxation in plan.relaxed],
    }


def _tell_transition(step: Transition) -> dict[str, Any]:
    return {
        "from": int(step.from_id),
        "to": int(step.to_id),
        "score": step.score,
        "parts": {
            "harmony": step.harmony,
            "tempo": step.tempo,
            "vocals": step.vocals,
            "energy": step.energy,
            "timbre": step.timbre,
            "loudness": step.loudness,
        },
        "pitch_change_percent": step.pitch_change_percent,
        "mix_out_s": step.mix_out_s,
        "mix_in_s": step.mix_in_s,
        "overlap_s": step.overlap_s,
        "overlap_bars": step.overlap_bars,
        "vocal_clash_s": step.vocal_clash_s,
        "drops": [
            {
                "track": int(drop.track_id),
                "stem": drop.stem,
                "start_s": drop.start_s,
                "end_s": drop.end_s,
            }
            for drop in step.drops
        ],
        "reasons": list(step.reasons),
    }
