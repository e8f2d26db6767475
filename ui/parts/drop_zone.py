"""The drop zone: files go from the browser straight to the API, in parts that survive cuts."""

from typing import Any

from stemcrate.schemas.configuration import RequestLimits
from ui.assets import module_component
from ui.kept import Upload, kept
from ui.language import t
from ui.settings import API_PREFIX
from ui.text import size

_zone = module_component("upload", "upload/upload.js", css="upload/upload.css")


def ask_files(limits: RequestLimits) -> list[Upload]:
    """Show the drop zone; return its files, of which some may still be on their way."""
    state = kept()
    answer: Any = _zone(
        key="drop-zone",
        data={
            "url": f"{API_PREFIX}/uploads",
            "maxBytes": limits.max_upload_bytes,
            "maxSize": size(limits.max_upload_bytes),
            "maxFiles": limits.max_files_per_job,
            "taken": state.taken,
            "refusals": state.file_refusals,
            "refusalsOf": state.refused_at,
            "words": words(limits),
        },
        default={"files": [_to_js(upload) for upload in state.uploads]},
        on_files_change=lambda: None,
    )
    state.uploads = [
        Upload(file["id"], file["name"], file["bytes"], file["seconds"], file["isDone"])
        for file in answer.files or []
        if file["id"] not in state.taken
    ]
    return state.uploads


def words(limits: RequestLimits) -> dict[str, str]:
    """Return the texts of the component."""
    return {
        "title": t("Drop songs here"),
        "choose": t("Choose files"),
        "hint": t(
            "Up to {n} files of {size} and {minutes:.0f} minutes each",
            n=limits.max_files_per_job,
            size=size(limits.max_upload_bytes),
            minutes=limits.max_duration_s / 60,
        ),
        "remove": t("Remove"),
        "pause": t("Pause"),
        "resume": t("Go on"),
        "waiting": t("Waiting"),
        "paused": t("Paused"),
        "retrying": t("No connection, trying again"),
        "lost": t("Interrupted: choose this file again, and it goes on where it was."),
        "refused": t("Refused"),
        "arrived": "{done} / {all} " + t("files have arrived"),
        "empty": t("This file is empty."),
        "noAudio": t("This is not an audio file."),
        "tooLarge": t("Larger than {limit}.", limit=size(limits.max_upload_bytes)),
        "tooMany": t("More than {limit} files.", limit=limits.max_files_per_job),
    }


def _to_js(upload: Upload) -> dict[str, Any]:
    return {
        "id": upload.id,
        "name": upload.name,
        "bytes": upload.bytes,
        "seconds": upload.seconds,
        "isDone": upload.is_done,
    }
