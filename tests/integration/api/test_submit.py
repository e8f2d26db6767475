"""POST /process: what is taken, what is refused, and what a refusal leaves behind."""

import hashlib
import http.client
import json
from pathlib import Path
from typing import Any

import pytest

from core.artifacts.store import JobStore
from tests.conditions import PATIENCE_S
from tests.integration.api.apps import files_below, open_client, serve, wav_bytes

TWO_FILES = [
    ("file", ("a.wav", wav_bytes(0.5, seed=1))),
    ("file", ("b.wav", wav_bytes(0.5, seed=2))),
]
GOOD = ("file", ("good.wav", wav_bytes(0.5)))


def problem_of(answer: Any) -> Any:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert problem["status"] == answer.status_code
    assert problem["type"].endswith(problem["code"])
    return problem


def test_a_job_is_accepted_with_its_place_and_its_links(client: Any, tmp_path: Path) -> None:
    audio = wav_bytes(0.5)

    answer = client.post("/process", files={"file": ("song.wav", audio)}, data={"format": "flac"})

    assert answer.status_code == 202
    body = answer.json()
    assert answer.headers["location"] == f"/job/{body['job_id']}" == body["links"]["self"]
    assert int(answer.headers["retry-after"]) > 0
    assert body["state"] == "queued"
    stored = JobStore(tmp_path).load(body["job_id"])
    assert stored.options.format == "flac"
    assert stored.options.model == "spleeter"
    sha256 = hashlib.sha256(audio).hexdigest()
    assert stored.tracks[0].source.sha256 == sha256
    assert (tmp_path / "uploads" / sha256 / "audio").read_bytes() == audio


def test_several_files_are_one_job_with_a_track_each(client: Any) -> None:
    answer = client.post("/process", files=[*TWO_FILES, ("files", ("c.wav", wav_bytes(0.6)))])
    view = client.get(answer.headers["location"]).json()
    assert [track["name"] for track in view["tracks"]] == ["a.wav", "b.wav", "c.wav"]
    assert view["state"] == "queued"
    assert view["fraction"] == 0


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ("夜に駆ける – Ä.wav", "夜に駆ける – Ä.wav"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\windows\\win.ini", "win.ini"),
        ("/absolute/path.wav", "path.wav"),
        ("x" * 3000 + ".wav", "x" * 196 + ".wav"),
    ],
)
def test_a_name_is_a_label_and_never_a_path(
    client: Any, tmp_path: Path, given: Any, label: str
) -> None:
    before = files_below(tmp_path.parent)
    answer = client.post("/process", files={"file": (given, wav_bytes(0.5))})
    view = client.get(answer.headers["location"]).json()
    assert view["tracks"][0]["name"] == label
    new = set(files_below(tmp_path.parent)) - set(before)
    assert all(path.startswith(tmp_path.name) for path in new)
    assert not any("passwd" in path or "win.ini" in path for path in new)


@pytest.mark.parametrize(
    ("audio", "code"),
    [
        (b"", "empty_file"),
        (b"not audio at all, " * 500, "not_audio"),
        (wav_bytes(0), "zero_duration"),
        (wav_bytes(3.5), "audio_too_long"),
        (wav_bytes(2)[:20_000], "corrupt_audio"),
    ],
)
def test_files_that_cannot_be_used_are_named_and_leave_nothing(
    tmp_path: Path, audio: Any, code: str
) -> None:
    with open_client(tmp_path, max_duration_s=3) as client:
        before = files_below(tmp_path / "uploads")
        answer = client.post("/process", files=[GOOD, ("file", ("bad one.wav", audio))])

        problem = problem_of(answer)
        assert (answer.status_code, problem["code"], problem["field"]) == (422, code, "file")
        assert "bad one.wav" in problem["detail"]
        assert [(e["code"], e["file"]) for e in problem["errors"]] == [(code, "bad one.wav")]
        assert files_below(tmp_path / "uploads") == before
        assert client.get("/jobs").json()["jobs"] == []


def test_every_bad_file_is_listed(client: Any) -> None:
    files = [("file", ("empty.wav", b"")), GOOD, ("file", ("text.wav", b"text" * 999))]
    problem = problem_of(client.post("/process", files=files))
    assert [(e["file"], e["code"]) for e in problem["errors"]] == [
        ("empty.wav", "empty_file"),
        ("text.wav", "not_audio"),
    ]


@pytest.mark.parametrize(
    ("options", "code", "field"),
    [
        ({"model": "no-such-model"}, "unknown_model", "model"),
        ({"format": "aiff"}, "unsupported_format", "format"),
        ({"format": "flac", "bit_depth": "32f"}, "unsupported_format", "bit_depth"),
        ({"colour": "red"}, "invalid_option", "colour"),
        ({"target_lufs": "loud"}, "invalid_option", "target_lufs"),
        ({"target_lufs": "3"}, "invalid_option", "target_lufs"),
        ({"tempo_min_bpm": "120"}, "invalid_option", "tempo_max_bpm"),
        ({"stages": "tempo,cooking"}, "invalid_option", "stages"),
        ({"name_template": "x" * 9000}, "invalid_option", "name_template"),
        ({"model": "spleeter", "recipes": "main,drumless"}, "invalid_option", "recipes"),
        ({"model": "spleeter", "custom_recipes": "dub=bass"}, "invalid_option", "custom_recipes"),
    ],
)
def test_options_that_cannot_be_are_named_and_leave_nothing(
    client: Any, tmp_path: Path, options: Any, code: str, field: str
) -> None:
    before = files_below(tmp_path / "uploads")
    answer = client.post("/process", files=[GOOD], data=options)
    problem = problem_of(answer)
    assert (answer.status_code, problem["code"], problem["field"]) == (422, code, field)
    assert files_below(tmp_path / "uploads") == before


def test_a_model_without_weights_is_refused_with_the_command_that_fetches_them(
    client: Any, tmp_path: Path
) -> None:
    models = client.app.state.services.inventory().models
    missing = [model.name for model in models if not model.available]
    if not missing:
        pytest.skip("every model's weights are on this machine")
    answer = client.post("/process", files=[GOOD], data={"model": missing[0]})
    problem = problem_of(answer)
    assert (answer.status_code, problem["code"], problem["field"]) == (
        409,
        "model_unavailable",
        "model",
    )
    assert f"stemcrate models fetch {missing[0]}" in problem["hint"]
    assert not (tmp_path / "uploads").exists() or files_below(tmp_path / "uploads") == []


def test_no_file_and_too_many_files(tmp_path: Path) -> None:
    with open_client(tmp_path, max_files_per_job=1) as client:
        none = client.post("/process", files={"model": (None, "spleeter")})
        many = client.post("/process", files=TWO_FILES)
        for answer in (none, many):
            problem = problem_of(answer)
            assert (answer.status_code, problem["code"]) == (422, "invalid_option")
            assert problem["field"] == "file"
        assert files_below(tmp_path / "uploads") == []


def test_other_bodies_are_refused(client: Any) -> None:
    assert problem_of(client.post("/process", json={}))["code"] == "unsupported_media_type"
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = client.post("/process", content=b"rubbish", headers=headers)
    assert (answer.status_code, problem_of(answer)["code"]) == (400, "bad_request")


def test_a_disk_that_is_full_is_told_and_leaves_nothing(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("core.artifacts.uploads.os.fsync", no_room)
    answer = client.post("/process", files=[GOOD])
    problem = problem_of(answer)
    assert (answer.status_code, problem["code"], problem["retryable"]) == (
        507,
        "storage_full",
        True,
    )
    assert files_below(tmp_path / "uploads") == []


@pytest.mark.parametrize("path", ["/process", "/library/tracks"])
def test_files_are_refused_before_they_are_sent_while_the_disk_has_too_little_room(
    tmp_path: Path, path: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A job was accepted with 9 MB free for the 40 MB that it needed.

    The log has one line for it: a traceback looked like a defect.
    """
    with serve(tmp_path, min_free_bytes=10**18) as (host, port):
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        connection.putrequest("POST", path)
        connection.putheader("Content-Type", "multipart/form-data; boundary=b")
        connection.putheader("Content-Length", "400000000")
        connection.endheaders()
        answer = connection.getresponse()
        problem = json.loads(answer.read())
        connection.close()
        assert (answer.status, problem["code"]) == (507, "storage_full")
        assert "MIN_FREE_BYTES" in problem["hint"]
        (logged,) = (r for r in caplog.records if r.name == "api.problems")
        assert logged.getMessage().startswith(f"POST {path}: The disk has")
        assert logged.exc_info is None

        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        connection.request("GET", "/health")
        answer = connection.getresponse()
        health = json.loads(answer.read())
        connection.close()
        assert (answer.status, health["status"]) == (200, "disk_full")
        assert 0 < health["free_bytes"] < 10**18


def test_no_room_is_required_where_the_check_is_off(tmp_path: Path) -> None:
    with open_client(tmp_path, min_free_bytes=0) as client:
        assert client.post("/process", files=[GOOD]).status_code == 202


HEAD = (
    b'--b\r\nContent-Disposition: form-data; name="file"; filename="big.wav"\r\n'
    b"Content-Type: audio/wav\r\n\r\n"
)


@pytest.mark.parametrize("declared", [None, 10**10])
def test_an_oversized_file_is_refused_whatever_its_declared_length(
    tmp_path: Path, declared: float | None
) -> None:
    """Only a little more than the limit is ever sent: the answer must not wait for the rest."""
    with serve(tmp_path, max_upload_bytes=1_000_000) as (host, port):
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        connection.putrequest("POST", "/process")
        connection.putheader("Content-Type", "multipart/form-data; boundary=b")
        if declared is None:
            connection.putheader("Transfer-Encoding", "chunked")
        else:
            connection.putheader("Content-Length", str(declared))
        connection.endheaders()
        for chunk in [HEAD, *[b"x" * 65_536] * 24]:
            frame = b"%x\r\n%s\r\n" % (len(chunk), chunk) if declared is None else chunk
            connection.send(frame)
        answer = connection.getresponse()
        assert answer.status == 413
        assert b'"upload_too_large"' in answer.read()
        connection.close()
        assert files_below(tmp_path / "uploads") == []


def test_a_body_longer_than_its_declared_length_is_cut_and_refused(tmp_path: Path) -> None:
    with serve(tmp_path) as (host, port):
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        connection.putrequest("POST", "/process")
        connection.putheader("Content-Type", "multipart/form-data; boundary=b")
        connection.putheader("Content-Length", "1000")
        connection.endheaders()
        connection.send(HEAD + wav_bytes(0.5) + b"\r\n--b--\r\n")
        answer = connection.getresponse()
        assert answer.status == 400
        connection.close()
        assert files_below(tmp_path / "uploads") == []


def test_a_client_that_leaves_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    with serve(tmp_path) as (host, port):
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        connection.putrequest("POST", "/process")
        connection.putheader("Content-Type", "multipart/form-data; boundary=b")
        connection.putheader("Content-Length", "1000000")
        connection.endheaders()
        connection.send(HEAD + b"x" * 400_000)
        connection.close()
    assert files_below(tmp_path / "uploads") == []
