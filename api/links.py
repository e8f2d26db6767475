"""Paths in responses, relative to the API's address."""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from core.listening.streams import MASTER
from stemcrate.schemas.manifest import ProcessingManifest


def job_path(job_id: str) -> str:
    """Return the path of a job."""
    return f"/job/{job_id}"


def job_links(job_id: str) -> dict[str, str]:
    """Return the paths of a job's resources."""
    job = job_path(job_id)
    return {
        "self": job,
        "manifest": f"{job}/manifest",
        "outputs": f"{job}/outputs",
        "events": f"{job}/events",
        "cancel": f"{job}/cancel",
        "retry": f"{job}/retry",
        "zip": zip_path(job_id),
    }


def artefact_path(job_id: str, name: str) -> str:
    """Return the path of an artefact's bytes."""
    return f"/download/{job_id}/{quote(name, safe='/')}"


def lane_path(job_id: str, index: int, label: str) -> str:
    """Return the path of a lane of a job's track."""
    return f"{job_path(job_id)}/tracks/{index}/lanes/{quote(label, safe='')}"


def stream_path(*parts: str | int) -> str:
    """Return the path of a stream: of a track of the library, or of a job, index and label."""
    words = "/".join(quote(str(part), safe="") for part in parts)
    return f"/stream/{words}/{MASTER}"


def recording_path(track_id: str) -> str:
    """Return the path of the one lane of a track of the library."""
    return f"/library/tracks/{track_id}/original"


def zip_path(job_id: str) -> str:
    """Return the path of a job's ZIP."""
    return f"/download/{job_id}/all"


def render_path(id: str) -> str:
    """Return the path of a render."""
    return f"/renders/{id}"


def weights_path(model: str) -> str:
    """Return the path of the download of a model's weights."""
    return f"/models/{quote(model, safe='')}/weights"


def next_page(path: str, parameters: Mapping[str, object], cursor: str) -> str:
    """Return the `Link` header of the query's next page."""
    given = {k: v for k, v in parameters.items() if v is not None}
    return f'<{path}?{urlencode({**given, "cursor": cursor})}>; rel="next"'


def strong_etag(sha256: str) -> str:
    """Return the entity tag of content with this hash."""
    return f'"{sha256}"'


def etag_of(data: bytes) -> str:
    """Return the entity tag of ``data``."""
    return strong_etag(hashlib.sha256(data).hexdigest())


def etag_matches(if_none_match: str | None, etag: str) -> bool:
    """Return whether `If-None-Match` matches ``etag`` (weak comparison, RFC 9110, 13.1.2)."""
    if if_none_match is None:
        return False
    tags = re.findall(r'(?:W/)?("[^"]*")', if_none_match)
    return if_none_match.strip() == "*" or etag in tags


def read_precondition(if_match: str | None) -> list[str] | None:
    """Return the versions of `If-Match` (strong comparison, RFC 9110, 13.1.1); None: any."""
    if if_match is None or if_match.strip() == "*":
        return None
    return re.findall(r'(?<!W/)"([^"]*)"', if_match)


def content_disposition(kind: str, file_name: str) -> str:
    """Return the `Content-Disposition` header: the name in UTF-8, and in ASCII for old clients."""
    ascii_name = unicodedata.normalize("NFKD", file_name).encode("ascii", "ignore").decode()
    ascii_name = re.sub(r"[^A-Za-z0-9 ._()\[\]+-]", "_", " ".join(ascii_name.split())) or "download"
    return f"{kind}; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(file_name, safe='')}"


def zip_name(manifest: ProcessingManifest) -> str:
    """Return the name of a job's ZIP: its only track's, or its playlist's."""
    if len(manifest.tracks) == 1:
        name = manifest.tracks[0].source.name
        stem = name.rpartition(".")[0] or name
    else:
        stem = manifest.options.playlist_name
    return re.sub(r'[\\/:*?"<>|\x00-\x1f]', "_", stem).strip(" .") + ".zip"
