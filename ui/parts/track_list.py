"""The tracks of a job as a list that leads to their pages."""

from typing import Any

from stemcrate.schemas.jobs import Job, JobTrack, OutputFile
from stemcrate.schemas.manifest import JobState
from ui.assets import module_component
from ui.colours import camelot_colour
from ui.connection import Workbench
from ui.doubts import with_doubt
from ui.parts.track_facts import short_title
from ui.places import track_link
from ui.style import space_for
from ui.text import UNKNOWN, length, number, state_word

_TRACKS = module_component("tracks", "tracks.js", css="tracks.css")
WHOLE = "main"


def show_tracks(client: Workbench, job: Job, artefacts: list[OutputFile]) -> None:
    """Show a row for each track; the browser fetches the waveforms of the rows in sight."""
    drawn = _waveforms(client, artefacts)
    rows = [track_row(job, track, drawn.get(track.index)) for track in job.tracks]
    _TRACKS(key=space_for("tracks", len(rows)) + job.job_id, data={"tracks": rows})


def track_row(job: Job, track: JobTrack, waveform: str | None) -> dict[str, Any]:
    """Return what a row shows, as texts; a track that failed leads nowhere."""
    facts = track.analysis
    is_done = track.state == JobState.COMPLETED
    return {
        "place": track.index + 1,
        "title": short_title(track),
        "artist": facts.artist,
        "tempo": with_doubt(
            f"{number(facts.tempo_bpm)} BPM" if facts.tempo_bpm else UNKNOWN,
            facts.tempo_bpm,
            facts.tempo_confidence,
        ),
        "camelot": with_doubt(facts.camelot or UNKNOWN, facts.camelot, facts.key_confidence),
        "colour": camelot_colour(facts.camelot),
        "energy": UNKNOWN if facts.energy is None else f"{facts.energy} / 10",
        "length": length(facts.duration_s),
        "state": track.state,
        "stateWord": state_word(track.state),
        "href": track_link(job.job_id, track.index) if is_done else None,
        "waveform": waveform,
    }


def _waveforms(client: Workbench, artefacts: list[OutputFile]) -> dict[int, str]:
    """Return by track the URL of a waveform: of the whole, else of its first output."""
    found: dict[int, str] = {}
    drawn = [a for a in artefacts if a.role == "waveform" and a.format == "dat"]
    for artefact in sorted(drawn, key=lambda a: a.label != WHOLE):
        if artefact.track_index is not None:
            found.setdefault(artefact.track_index, client.link(artefact.url))
    return found
