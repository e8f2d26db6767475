"""The client against a real server: what it sends, and what it makes of every kind of answer."""

import io
from typing import Any

import pytest

from ui.client import ApiError, NamedFile, StemcrateClient


def refusal(call: Any, *arguments: Any) -> ApiError:
    with pytest.raises(ApiError) as caught:
        call(*arguments)
    return caught.value


def test_a_problem_becomes_an_error_with_code_message_and_hint(server: Any) -> None:
    server.problem("GET", "/job/x", 404, code="job_not_found", detail="No job 'x'.", hint="Look.")
    error = refusal(StemcrateClient(server.url).job, "x")
    assert (error.code, error.message, error.hint) == ("job_not_found", "No job 'x'.", "Look.")


def test_each_refused_file_is_kept_with_its_name(server: Any) -> None:
    item = {"code": "not_audio", "detail": "No audio.", "hint": "Send audio.", "file": "a.txt"}
    server.problem("POST", "/process", 422, code="not_audio", detail="No audio.", errors=[item])
    files = [NamedFile("a.txt", io.BytesIO(b"text"))]
    error = refusal(StemcrateClient(server.url).submit, files, {})
    assert [(f.name, f.message, f.hint) for f in error.files] == [
        ("a.txt", "No audio.", "Send audio.")
    ]


@pytest.mark.parametrize("status", [200, 404, 502])
def test_an_answer_of_something_else_is_an_error_that_names_the_setting(
    server: Any, status: int
) -> None:
    """A proxy's HTML page must not become a traceback."""
    server.answer("GET", "/config", "<html>Bad gateway</html>", status)
    error = refusal(StemcrateClient(server.url).config)
    assert error.code == "unexpected_answer"
    assert "API_URL" in error.hint


def test_json_that_is_no_problem_is_an_error_too(server: Any) -> None:
    server.answer("GET", "/config", ["a", "list"], 500)
    assert refusal(StemcrateClient(server.url).config).code == "unexpected_answer"


def test_an_api_that_is_not_there_is_named(unused_port: Any) -> None:
    url = f"http://127.0.0.1:{unused_port}"
    error = refusal(StemcrateClient(url).config)
    assert error.code == "api_unreachable"
    assert url in error.message
    assert "stemcrate serve" in error.hint


def test_a_proxy_in_the_environment_is_not_asked_for_the_api(
    server: Any, monkeypatch: pytest.MonkeyPatch, unused_port: Any
) -> None:
    """Behind a company's proxy, the workbench could not see the API beside it."""
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port}")
    monkeypatch.setenv("NO_PROXY", "")
    server.answer("GET", "/config", {"version": "1"})
    assert StemcrateClient(server.url).config()["version"] == "1"


def test_files_and_options_arrive_as_they_are(server: Any) -> None:
    server.answer("POST", "/process", {"job_id": "j1"}, 202)
    name = 'Zoë "live"\r\n.wav'
    song = NamedFile(name, io.BytesIO(bytes(range(256)) * 300))
    job_id = StemcrateClient(server.url).submit(
        [song, NamedFile("b.mp3", io.BytesIO(b"b"))], {"model": "auto", "stages": ""}
    )
    assert job_id == "j1"
    assert server.requests[0].form() == [
        ("model", None, b"auto"),
        ("stages", None, b""),
        ("file", "Zoë %22live%22%0D%0A.wav", bytes(range(256)) * 300),
        ("file", "b.mp3", b"b"),
    ]


def test_a_job_id_stays_one_part_of_the_path(server: Any) -> None:
    """An id typed by hand must not reach another endpoint."""
    refusal(StemcrateClient(server.url).delete, "../jobs?x=1")
    assert server.requests[0].path == "/job/..%2Fjobs%3Fx%3D1"


def test_deleting_and_cancelling_need_no_body_in_the_answer(server: Any) -> None:
    server.answer("DELETE", "/job/a", None, 204)
    server.answer("POST", "/job/a/cancel", {"job_id": "a"}, 202)
    client = StemcrateClient(server.url)
    client.delete("a")
    client.cancel("a")
    assert [r.method for r in server.requests] == ["DELETE", "POST"]


def test_the_cursor_leads_to_older_jobs(server: Any) -> None:
    server.answer("GET", "/jobs?limit=2&cursor=c1", {"jobs": [], "next_cursor": None})
    assert StemcrateClient(server.url).jobs("c1", limit=2)["jobs"] == []


def test_links_lead_the_browser_to_the_public_address() -> None:
    client = StemcrateClient("http://api:8000/", public_url="https://dj.example/api/")
    assert client.link("/download/a/all") == "https://dj.example/api/download/a/all"
    assert client.manifest_link("a") == "https://dj.example/api/job/a/manifest"
    assert StemcrateClient("http://api:8000/").link("/x") == "http://api:8000/x"
