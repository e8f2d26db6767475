"""Track: play a track's stems together, read its facts, take its files."""

import streamlit as st

from stemcrate.client import ClientError
from stemcrate.schemas.jobs import Job, JobTrack, OutputFile
from stemcrate.schemas.manifest import JobState, ProcessingManifest
from stemcrate.schemas.options import COMPOSITE_NAMES
from ui.buttons import pressed
from ui.connection import Workbench, connect
from ui.language import t
from ui.mix import PlayedMix
from ui.parts.analysis import show_analysis, show_null_test
from ui.parts.corrections import show_corrections
from ui.parts.curves import show_curves
from ui.parts.ended import manifest_of, outputs_of
from ui.parts.enrichment import show_enrichment
from ui.parts.export_mix import show_export
from ui.parts.goes_with import show_goes_with
from ui.parts.library_facts import cover_link, last_job_of, read_facts
from ui.parts.library_track import show_library_track
from ui.parts.markup import show_heading
from ui.parts.messages import failure_of_track, show_error, show_failure, show_warnings
from ui.parts.player import job_track_path, show_player
from ui.parts.sounds_like import show_sounds_like
from ui.parts.track_facts import show_files, show_metrics, track_title
from ui.places import (
    RESULTS,
    TRACK,
    go,
    job_in_address,
    last_job,
    library_track_in_address,
    put_into_address,
    track_in_address,
)


def show() -> None:
    """Show the track in the URL, or this session's last one."""
    client = connect()
    try:
        track_id = library_track_in_address()
        if track_id is not None:
            _show_of_library(client, track_id)
            return
        index = track_in_address()
        job_id = job_in_address() or last_job()
        if job_id is None:
            show_heading(t("Track"), t("Its stems to mix, its facts and its files."))
            st.info(t("No track is open. Open one from the results of a job, or the library."))
            return
        put_into_address(job_id, index)
        job = client.get_job(job_id)
        track = next((track for track in job.tracks if track.index == index), None)
        if track is None:
            show_heading(t("Track"))
            st.error(
                t(
                    "This job has no track {index}: it has {n}, counted from 0.",
                    index=index,
                    n=len(job.tracks),
                )
            )
            return
        _show_track(client, job, track)
    except ClientError as error:
        show_heading(t("Track"))
        show_error(error)


def _show_of_library(client: Workbench, track_id: str) -> None:
    """Show a track of the library: as its last job has it, if there is one."""
    details = client.get_track(track_id)
    processed = last_job_of(client, details)
    if processed is None:
        show_library_track(client, details)
    else:
        _show_track(client, *processed)


def _show_track(client: Workbench, job: Job, track: JobTrack) -> None:
    st.set_page_config(page_title=f"{track_title(track)} · Stemcrate")
    show_heading(track_title(track))
    _show_way(job, track)
    if failure := failure_of_track(job, track):
        show_failure(failure, of=track.name)
        return
    if not (track.state.is_final or job.state.is_final):
        st.info(t("This track is not done yet."))
        return
    outputs = outputs_of(client, job).artefacts if job.state.is_final else []
    artefacts = [a for a in outputs if a.track_index == track.index]
    _show_desk(job.job_id, track, stems_of(artefacts))
    show_warnings([w for w in job.warnings if w.track_index == track.index])
    if not job.state.is_final:
        show_metrics(track.analysis)
        return
    manifest = manifest_of(client, job)
    facts, known = read_facts(client, track.id, manifest.tracks[track.index].analysis)
    show_metrics(facts, known.corrected if known else (), cover=cover_link(client, known))
    show_curves(facts)
    show_goes_with(client, track.id)
    if known is not None:
        show_sounds_like(client, known)
    show_files(client, artefacts, skipped_composites(manifest).get(track.index, {}))
    roles = {artefact.role for artefact in artefacts}
    if job.kind == "separation" and "stem" not in roles and "composite" not in roles:
        st.caption(t("No files of this track were delivered."))
    if known is not None:
        show_enrichment(client, track.id, known.enrichment)
    show_analysis(facts)
    if "stem" in roles and facts.null_test:
        show_null_test(facts.null_test)


@st.fragment
def _show_desk(job_id: str, track: JobTrack, stems: list[str]) -> None:
    """Show the player and what can be done with what it plays; the page around it stays."""
    path = job_track_path(job_id, track.index)
    mix = show_player(path, len(stems))
    with st.expander(t("Correct"), icon=":material/edit:"):
        show_corrections(path, track.id, job_id)
    if stems:
        with st.expander(t("Export this mix"), icon=":material/save:"):
            show_export(connect(), job_id, track.index, mix or PlayedMix.of_stems(stems))


def stems_of(artefacts: list[OutputFile]) -> list[str]:
    """Return the labels of the stems that a player has lanes for."""
    return [a.label for a in artefacts if a.role == "stem" and a.same_as is None]


def _show_way(job: Job, track: JobTrack) -> None:
    """Offer the way back to the job, and on to its other tracks."""
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        if pressed(t("Results"), icon=":material/arrow_back:"):
            go(RESULTS, job.job_id)
        if len(job.tracks) == 1:
            return
        playable = [one.index for one in job.tracks if one.state == JobState.COMPLETED]
        earlier = [i for i in playable if i < track.index]
        later = [i for i in playable if i > track.index]
        if pressed(t("Previous track"), icon=":material/skip_previous:", disabled=not earlier):
            go(TRACK, job.job_id, earlier[-1])
        if pressed(t("Next track"), icon=":material/skip_next:", disabled=not later):
            go(TRACK, job.job_id, later[0])
        st.caption(t("Track {n} of {all}", n=track.index + 1, all=len(job.tracks)))


def skipped_composites(manifest: ProcessingManifest) -> dict[int, dict[str, str]]:
    """Return, by track, the composites that were asked for, could not be made, and why."""
    options = manifest.options
    asked = {*options.custom_recipes}
    if options.recipes != COMPOSITE_NAMES:
        asked.update(options.recipes)
    return {
        track.index: {n: why for n, why in stage.result["skipped"].items() if n in asked}
        for track in manifest.tracks
        for stage in track.stages
        if stage.name == "composite" and "skipped" in stage.result
    }


if __name__ == "__main__":
    show()
