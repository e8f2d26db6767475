"""Error messages: what went wrong and what to do, never a traceback."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import streamlit as st

from stemcrate.client import ApiError, ClientError
from stemcrate.schemas.jobs import Job, JobTrack, JobWarning
from stemcrate.schemas.library import RefusedFile
from stemcrate.schemas.manifest import Failure, JobState
from ui.language import mark, t
from ui.parts.healing import is_away, show_away
from ui.text import escape_markdown, sentence_markdown, title_of

# Hints of the API for programs, reworded for people at a screen.
HINTS = {"job_not_found": mark("The History page lists the jobs that exist.")}


def show_refused(refused: Sequence[RefusedFile]) -> None:
    """Show files that were not added, each with its reason."""
    for file in refused:
        st.error(f"**{escape_markdown(file.name)}**: {_sentence(file.detail, file.hint)}")


def show_error(error: ClientError) -> None:
    """Show an error of the API, file by file if it lists files.

    While the API is away, the page waits for it.
    """
    if is_away(error):
        show_away()
        return
    if isinstance(error, ApiError) and error.files:
        lines = [
            f"**{escape_markdown(item.file or '')}**: {_sentence(item.detail, item.hint)}"
            for item in error.files
        ]
        is_one = len(lines) == 1
        start = (
            t("Stemcrate cannot use this file.")
            if is_one
            else t("Stemcrate cannot use these files.")
        )
        st.error(f"{start}\n\n" + "\n".join(f"- {line}" for line in lines))
        return
    hint = t(HINTS[error.code]) if error.code in HINTS else error.hint
    st.error(_sentence(error.message, hint), icon=":material/error:")


def failure_of_job(job: Job) -> Failure | None:
    """Return why a job failed as a whole.

    A job fails with the error of its first track if each track has its own; these are shown with
    the tracks.
    """
    if job.error is None or job.state == JobState.CANCELLED:
        return None
    errors = [track.error for track in job.tracks]
    is_shared = all(error == job.error for error in errors)
    return job.error if is_shared or job.error not in errors else None


def failure_of_track(job: Job, track: JobTrack) -> Failure | None:
    """Return why a track failed, unless the whole job did for the same reason."""
    return None if track.error == failure_of_job(job) else track.error


def show_failure(failure: Failure, *, of: str = "") -> None:
    """Show why a job or a track failed; the track is named unless the message does."""
    start = f"**{escape_markdown(of)}**: " if of and of not in failure.message else ""
    st.error(start + _sentence(failure.message, failure.hint))


def show_warnings(warnings: list[JobWarning], names: Sequence[str] = ()) -> None:
    """Show warnings about a usable result.

    ``names`` are those of the job's tracks, if each warning should name its track.
    """
    if not warnings:
        return
    lines = [_describe_warning(warning, names) for warning in warnings]
    text = lines[0] if len(lines) == 1 else "\n".join(f"- {line}" for line in lines)
    st.warning(text, icon=":material/info:")


def _describe_warning(warning: JobWarning, names: Sequence[str]) -> str:
    whose = warning.track_index
    start = f"**{escape_markdown(names[whose])}**: " if names and whose is not None else ""
    stage = f"{title_of(warning.stage)}: " if warning.stage else ""
    return start + stage + sentence_markdown(warning.message)


@contextmanager
def errors_shown() -> Iterator[None]:
    """Show an error of the API instead of the block's content."""
    try:
        yield
    except ClientError as error:
        show_error(error)


def _sentence(message: str, hint: str) -> str:
    return sentence_markdown(message) + (f"\n\n{sentence_markdown(hint)}" if hint else "")
