"""Paths in responses, relative to the API's address."""

import hashlib
import re
import unicodedata
from urllib.parse import quote, urlencode

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
        "zip": zip_path(job_id),
    }


def artefact_path(job_id: str, name: str) -> str:
    """Return the path of an artefact's bytes."""
    return f"/download/{job_id}/{quote(name, safe='/')}"


def zip_path(job_id: str) -> str:
    """Return the path of a job's ZIP."""
    return f"/download/{job_id}/all"


def jobs_page_path(parameters: dict[str, str | int]) -> str:
    """Return the path of a page of the history."""
    return f"/jobs?{urlencode(parameters)}"


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
