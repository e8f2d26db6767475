"""Library: search the tracks, change them, and do things with many at once."""

from stemcrate.client import ClientError
from ui.connection import Workbench, connect
from ui.kept import kept
from ui.language import t
from ui.parts.library_adding import offer_adding
from ui.parts.library_facts import last_job_of
from ui.parts.library_table import show_library
from ui.parts.markup import show_heading
from ui.parts.messages import show_error
from ui.places import TRACK, go, open_library_track, open_set, plan_set


def show() -> None:
    """Show the library."""
    client = connect()
    show_heading(t("Library"))
    try:
        client.get_health()
        asked = show_library()
        if asked.track_id:
            _open(client, asked.track_id)
        if asked.set_id:
            open_set(asked.set_id)
        if asked.tracks:
            kept().set_tracks = asked.tracks
            plan_set()
        if asked.is_adding:
            offer_adding()
    except ClientError as error:
        show_error(error)


def _open(client: Workbench, track_id: str) -> None:
    """Go to a track's page: that of the last job which processed it, if there is one."""
    processed = last_job_of(client, client.get_track(track_id))
    if processed is None:
        open_library_track(track_id)
    else:
        job, track = processed
        go(TRACK, job.job_id, track.index)


if __name__ == "__main__":
    show()
