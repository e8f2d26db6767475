"""The client against a real server: what it sends, and what it makes of every kind of answer."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import pytest

from stemcrate.client import (
    ApiError,
    ApiUnreachable,
    Client,
    ClientError,
    NamedFile,
    UnexpectedAnswer,
)
from stemcrate.client.uploads import OptionValue
from stemcrate.schemas.jobs import JobQuery
from stemcrate.schemas.options import ProcessingOptions
from stemcrate.schemas.search import TrackQuery
from tests.answering import Server

RECEIPT = {
    "job_id": "j1",
    "state": "queued",
    "links": dict.fromkeys(
        ("self", "manifest", "outputs", "events", "cancel", "retry", "zip"), "/x"
    ),
}


Error = TypeVar("Error", bound=ClientError)


def refusal(kind: type[Error], call: Callable[..., object], *arguments: object) -> Error:
    with pytest.raises(kind) as caught:
        call(*arguments)
    return caught.value


def test_a_problem_becomes_an_error_with_its_fields(server: Server) -> None:
    problem = {"code": "invalid_option", "detail": "No job 'x'.", "hint": "Look.", "field": "id"}
    server.problem("GET", "/job/x", 422, **problem)
    error = refusal(ApiError, Client(server.url).get_job, "x")
    assert (error.code, error.message, error.hint) == ("invalid_option", "No job 'x'.", "Look.")
    assert (error.status, error.field, error.files) == (422, "id", [])


def test_each_refused_file_is_kept_with_its_name(server: Server) -> None:
    item = {"code": "not_audio", "detail": "No audio.", "hint": "Send audio.", "file": "a.txt"}
    server.problem("POST", "/process", 422, code="not_audio", errors=[item, {**item, "file": None}])
    files = [NamedFile("a.txt", io.BytesIO(b"text"))]
    error = refusal(ApiError, Client(server.url).submit_job, files)
    assert [(f.file, f.detail, f.hint) for f in error.files] == [
        ("a.txt", "No audio.", "Send audio.")
    ]


@pytest.mark.parametrize("status", [200, 404, 502])
def test_an_answer_of_something_else_is_an_error_that_names_the_setting(
    server: Server, status: int
) -> None:
    """A proxy's HTML page must not become a traceback."""
    server.answer("GET", "/config", "<html>Bad gateway</html>", status)
    error = refusal(UnexpectedAnswer, Client(server.url).get_config)
    assert "API_URL" in error.hint


@pytest.mark.parametrize("status", [200, 500])
def test_json_of_another_shape_is_an_error_too(server: Server, status: int) -> None:
    server.answer("GET", "/config", ["a", "list"], status)
    refusal(UnexpectedAnswer, Client(server.url).get_config)


def test_an_api_that_is_not_there_is_named(unused_port: int) -> None:
    url = f"http://127.0.0.1:{unused_port}"
    error = refusal(ApiUnreachable, Client(url).get_config)
    assert url in error.message
    assert "stemcrate serve" in error.hint


def test_a_proxy_in_the_environment_is_asked_only_on_demand(
    server: Server, monkeypatch: pytest.MonkeyPatch, unused_port: int
) -> None:
    """Behind a company's proxy, the workbench could not see the API beside it."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port}")
    monkeypatch.setenv("NO_PROXY", "")
    health = {
        "status": "ok",
        "version": "1",
        "database": True,
        "workers": 1,
        "free_bytes": 10**9,
        "stalled_jobs": 0,
    }
    server.answer("GET", "/health", health)
    assert Client(server.url).get_health().version == "1"
    refusal(ApiUnreachable, Client(server.url, use_environment=True).get_health)


def test_fields_of_a_newer_api_do_no_harm(server: Server) -> None:
    """An update of the server broke every program that had not been updated with it."""
    manifest: dict[str, Any] = {
        "job_id": "j1",
        "created_at": "2026-11-21T06:14:05Z",
        "tracks": [],
        "mood": "calm",
    }
    server.answer("GET", "/job/j1/manifest", manifest)
    assert Client(server.url).get_manifest("j1").model_extra == {"mood": "calm"}


def test_files_and_options_arrive_as_they_are(server: Server) -> None:
    server.answer("POST", "/process", RECEIPT, 202)
    song = NamedFile('Zoë "live"\r\n.wav', io.BytesIO(bytes(range(256)) * 300))
    options: dict[str, OptionValue] = {
        "model": "auto",
        "stages": ["tempo", "key"],
        "custom_recipes": {"dub": ["drums", "bass"]},
        "wiener": True,
        "target_lufs": -9.5,
    }
    sent: list[tuple[int, int]] = []
    receipt = Client(server.url).submit_job(
        [song, NamedFile("b.mp3", io.BytesIO(b"b"))], options, progress=lambda *n: sent.append(n)
    )
    assert receipt.job_id == "j1"
    assert server.requests[0].form() == [
        ("model", None, b"auto"),
        ("stages", None, b"tempo,key"),
        ("custom_recipes", None, b"dub=drums+bass"),
        ("wiener", None, b"true"),
        ("target_lufs", None, b"-9.5"),
        ("file", "Zoë %22live%22%0D%0A.wav", bytes(range(256)) * 300),
        ("file", "b.mp3", b"b"),
    ]
    n_bytes = len(server.requests[0].body)
    assert sent[-1] == (n_bytes, n_bytes)


def test_of_a_model_of_options_only_what_is_set_is_sent(server: Server) -> None:
    """Defaults of this version would override those that the installation was set up with."""
    server.answer("POST", "/process", RECEIPT, 202)
    options = ProcessingOptions(format="flac", stages=("tempo", "key"))
    Client(server.url).submit_job([NamedFile("a.wav", io.BytesIO(b"a"))], options)
    assert {part[::2] for part in server.requests[0].form()} == {
        ("stages", b"tempo,key"),
        ("format", b"flac"),
        ("file", b"a"),
    }


def test_an_id_stays_one_part_of_the_path(server: Server) -> None:
    """An id typed by hand must not reach another endpoint."""
    refusal(ClientError, Client(server.url).delete_job, "../jobs?x=1")
    assert server.requests[0].path == "/job/..%2Fjobs%3Fx%3D1"


def test_deleting_needs_no_body_in_the_answer(server: Server) -> None:
    server.answer("DELETE", "/job/a", None, 204)
    Client(server.url).delete_job("a")
    assert [r.method for r in server.requests] == ["DELETE"]


def test_only_parameters_that_are_set_are_sent(server: Server) -> None:
    server.answer("GET", "/jobs?limit=2&cursor=c1", {"jobs": [], "next_cursor": None})
    assert Client(server.url).list_jobs(JobQuery(cursor="c1", limit=2)).jobs == []
    server.answer(
        "GET", "/library/tracks?descending=true", {"tracks": [], "next_cursor": None, "total": 0}
    )
    assert Client(server.url).list_tracks(TrackQuery(descending=True)).tracks == []


def test_a_key_goes_with_every_request_and_comes_before_netrc(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Credentials of the environment replaced the header without a word."""
    netrc = tmp_path / "netrc"
    netrc.write_text("default login a password b\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    server.unknown = (200, {"jobs": [], "next_cursor": None}, {})
    for use_environment in (False, True):
        Client(server.url, api_key="secret", use_environment=use_environment).list_jobs()
    Client(server.url).list_jobs()
    sent = [request.headers.get("Authorization") for request in server.requests]
    assert sent == ["Bearer secret", "Bearer secret", None]
