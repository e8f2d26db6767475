"""playlist: the job's tracks in an order that mixes, as M3U8."""

from core.artifacts.manifest import Artefact, TrackRecord
from core.export.m3u8 import M3U8Entry, write_m3u8
from core.export.names import safe_name
from core.pipeline.context import JobContext
from core.pipeline.stage import JobStage, StageResult
from core.playlist.order import PlaylistTrack, order_tracks


class PlaylistStage(JobStage):
    """Order the tracks by key and tempo; write a playlist that works inside the ZIP."""

    name = "playlist"
    cost = 0.1

    def execute(self, context: JobContext) -> StageResult:
        """Plan the order and write the M3U8 with paths relative to itself."""
        by_id = {str(track.index): track for track in context.tracks}
        plan = order_tracks([_describe(track) for track in context.tracks])
        name = context.options.playlist_name
        entries = []
        for planned in plan.tracks:
            audio = _whole_song(by_id[planned.id])
            if audio is None:
                context.warn("not_in_playlist", f"'{planned.title}' has no file of its whole mix.")
                continue
            entries.append(
                M3U8Entry(audio.name, planned.title, planned.artist, planned.duration_s or 0.0)
            )
        file_name = f"{safe_name(name)}.m3u8"
        with context.artefact(file_name, role="playlist", label=name, format="m3u8") as path:
            path.write_bytes(write_m3u8(entries, name))
        return StageResult(
            analysis={
                "name": name,
                "score": plan.score,
                "tracks": [
                    {
                        "index": int(track.id),
                        "title": track.title,
                        "artist": track.artist,
                        "tempo_bpm": track.tempo_bpm,
                        "camelot": track.camelot,
                        "energy": track.energy,
                        "duration_s": track.duration_s,
                    }
                    for track in plan.tracks
                ],
                "transitions": [
                    {
                        "from": int(step.from_id),
                        "to": int(step.to_id),
                        "score": step.score,
                        "pitch_change_percent": step.pitch_change_percent,
                        "reasons": list(step.reasons),
                    }
                    for step in plan.transitions
                ],
            }
        )


def _describe(track: TrackRecord) -> PlaylistTrack:
    facts = track.analysis
    return PlaylistTrack(
        id=str(track.index),
        title=facts.get("title") or track.source.name,
        artist=facts.get("artist"),
        tempo_bpm=facts.get("tempo_bpm"),
        camelot=facts.get("camelot"),
        energy=facts.get("energy"),
        duration_s=facts.get("duration_s"),
    )


def _whole_song(track: TrackRecord) -> Artefact | None:
    return next((a for a in track.artefacts if a.label == "main"), None)
