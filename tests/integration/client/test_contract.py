"""The client against the OpenAPI document: neither knows an operation that the other lacks."""

import inspect
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from api.main import create_app
from stemcrate.client import ApiError, Client, NamedFile
from stemcrate.schemas.batches import BatchInput
from stemcrate.schemas.corrections import CorrectionsChange
from stemcrate.schemas.jobs import JobQuery
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.playlists import PlaylistRequest
from stemcrate.schemas.renders import MixRequest
from stemcrate.schemas.search import Bound, TrackQuery, TrackSearch
from tests import answering
from tests.integration.api.apps import settings_for

REFUSAL = {"type": "x", "title": "x", "status": 404, "detail": "Refused.", "code": "x"}
CONVENIENCES = {
    "batch_jobs",
    "close",
    "deliveries",
    "download",
    "read_waveforms",
    "upload_file",
    "wait",
    "wait_for_batch",
    "wait_for_render",
}
# Nothing here keeps an answer to compare with; ranges are asked for to resume a download alone.
NOT_SENT = {"if-none-match", "range", "if-range"}
PLACES = {
    "id": "an id",
    "track": "song/a stem.wav",
    "format": "m3u8",
    "index": "1",
    "label": "1",
    "segment": "1",
    "kind": "1",
    "name": "1",
    "delivery": "another id",
}
WORDS = {"text": "x", "key": "8A", "mixes_with": "8A", "vocals": "with", "cursor": "c"}
WORDS |= {"collection": "c", "doubtful": "key"}
RANGES = {
    name: 1.0
    for name, field in TrackQuery.model_fields.items()
    if any(isinstance(item, Bound) for item in field.metadata)
}
ARGUMENTS: dict[str, Any] = {
    "search": TrackSearch.model_validate({**WORDS, **RANGES}),
    "collection_id": PLACES["id"],
    "list_tracks": TrackQuery.model_validate({**TrackQuery().model_dump(), **WORDS, **RANGES}),
    "list_jobs": JobQuery(text="x", state=JobState.FAILED, kind="analysis", limit=1, cursor="c"),
    "job_id": PLACES["id"],
    "upload_id": PLACES["id"],
    "upload_ids": ["a"],
    "n_bytes": 1,
    "offset": 0,
    "data": b"x",
    "track_id": PLACES["id"],
    "playlist_id": PLACES["id"],
    "render_id": PLACES["id"],
    "import_id": PLACES["id"],
    "batch_id": PLACES["id"],
    "webhook_id": PLACES["id"],
    "delivery_id": PLACES["delivery"],
    "transfer_id": PLACES["id"],
    "ingest_id": PLACES["id"],
    "run_id": PLACES["id"],
    "inputs": [BatchInput(sha256="a" * 64)],
    "list_text": None,
    "job": None,
    "cursor": "c",
    "state": "failed",
    "wanted": MixRequest(job_id="x"),
    "disposition": "inline",
    "track": PLACES["track"],
    "format": PLACES["format"],
    "request": PlaylistRequest(name="x"),
    "tracks": ["a"],
    "change": CorrectionsChange(title="x"),
    "options": {"format": "flac"},
    "idempotency_key": None,
    "last_event_id": 7,
    "progress": None,
    "resume": True,
}


def operations() -> Iterator[tuple[str, str, str, dict[str, Any]]]:
    """Operation id, method, path and description of each operation of the API."""
    description = create_app(settings_for(Path("unused"))).openapi()
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            yield operation["operationId"], method.upper(), path, operation


OPERATIONS = list(operations())


def parameters_of(operation: dict[str, Any], place: str) -> set[str]:
    return {p["name"] for p in operation.get("parameters", ()) if p["in"] == place}


def test_there_is_one_method_for_each_operation_and_no_other() -> None:
    methods = {name for name, _ in inspect.getmembers(Client, inspect.isfunction)}
    public = {name for name in methods if not name.startswith("_")}
    assert public - CONVENIENCES == {name for name, *_ in OPERATIONS}


@pytest.mark.parametrize(
    ("name", "method", "path", "operation"), OPERATIONS, ids=[name for name, *_ in OPERATIONS]
)
def test_a_method_sends_what_its_operation_takes(
    tmp_path: Path, name: str, method: str, path: str, operation: dict[str, Any]
) -> None:
    """A parameter that was renamed in the API did nothing any more, and nobody noticed."""
    own = {"to": tmp_path / "x", "files": [NamedFile("a.wav", io.BytesIO(b"x"))]}
    with answering.serve() as server, Client(server.url) as client:
        server.unknown = (404, REFUSAL, {})
        call = getattr(client, name)
        names = inspect.signature(call).parameters
        given = {**ARGUMENTS, **own, "query": ARGUMENTS.get(name)}
        arguments = {argument: given.get(argument, "1") for argument in names}
        with pytest.raises(ApiError):
            list(call(**arguments))
        (request,) = server.requests

    target = urlsplit(request.path)
    expected = path
    for place, value in PLACES.items():
        expected = expected.replace(f"{{{place}}}", value)
    assert (request.method, unquote(target.path)) == (method, expected)
    assert set(parse_qs(target.query)) == parameters_of(operation, "query")
    assert parameters_of(operation, "header") - NOT_SENT <= set(map(str.lower, request.headers))
    content = operation.get("requestBody", {}).get("content", {})
    assert not content or request.headers["Content-Type"].partition(";")[0] in content
