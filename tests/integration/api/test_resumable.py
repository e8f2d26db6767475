"""Resumable uploads over HTTP: the protocol tus 1.0, and jobs made of them."""

import base64
import hashlib
import http.client
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from tests.conditions import PATIENCE_S, wait_until
from tests.integration.api.apps import files_below, open_client, serve, wav_bytes
from tests.integration.api.test_submit import problem_of

VERSION = {"Tus-Resumable": "1.0.0"}
PART = {**VERSION, "Content-Type": "application/offset+octet-stream"}


def encode(text: bytes) -> str:
    return base64.b64encode(text).decode()


def create(client: Any, n_bytes: int, name: str = "song.wav") -> str:
    metadata = f"filename {encode(name.encode())},kind YXVkaW8="
    headers = {**VERSION, "Upload-Length": str(n_bytes), "Upload-Metadata": metadata}
    answer = client.post("/uploads", headers=headers)
    assert answer.status_code == 201, answer.text
    location: str = answer.headers["location"]
    assert location == f"/uploads/{answer.json()['id']}"
    return location


def append(client: Any, path: str, offset: int, data: bytes, **headers: str) -> Any:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return client.patch(path, content=data, headers={**PART, "Upload-Offset": str(offset), **named})


def upload(client: Any, data: bytes, name: str = "song.wav") -> str:
    path = create(client, len(data), name)
    assert append(client, path, 0, data).status_code == 204
    return path.rpartition("/")[2]


def offset_of(client: Any, path: str) -> int:
    answer = client.head(path, headers=VERSION)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    return int(answer.headers["upload-offset"])


def test_the_server_says_what_it_speaks(client: Any) -> None:
    answer = client.options("/uploads")
    assert answer.status_code == 204
    assert answer.headers["tus-version"] == "1.0.0"
    assert answer.headers["tus-max-size"] == "500000000"
    assert answer.headers["tus-extension"] == "creation,checksum,expiration,termination"
    assert "sha1" in answer.headers["tus-checksum-algorithm"].split(",")


def test_a_file_in_parts_becomes_a_job(client: Any, tmp_path: Path) -> None:
    audio = wav_bytes(1.0)
    path = create(client, len(audio), "夜に.wav")
    for start in range(0, len(audio), 10_000):
        assert offset_of(client, path) == start
        answer = append(client, path, start, audio[start : start + 10_000])
        assert (answer.status_code, answer.headers["tus-resumable"]) == (204, "1.0.0")
        assert int(answer.headers["upload-offset"]) == min(start + 10_000, len(audio))
    head = client.head(path, headers=VERSION)
    assert head.headers["upload-length"] == str(len(audio))
    assert "kind YXVkaW8=" in head.headers["upload-metadata"]
    assert parsedate_to_datetime(head.headers["upload-expires"])

    upload_id = path.rpartition("/")[2]
    answer = client.post("/process", files={"upload_ids": (None, upload_id)})
    assert answer.status_code == 202, answer.text
    track = client.get(answer.headers["location"]).json()["tracks"][0]
    assert (track["name"], track["id"]) == ("夜に.wav", hashlib.sha256(audio).hexdigest())
    assert client.head(path, headers=VERSION).status_code == 404
    assert files_below(tmp_path / "incoming") == []


def test_uploads_and_files_keep_their_order(client: Any) -> None:
    first, last = (upload(client, wav_bytes(0.5, seed=n), f"{n}.wav") for n in (1, 3))
    parts = [
        ("upload_ids", (None, first)),
        ("file", ("2.wav", wav_bytes(0.5, seed=2))),
        ("upload_ids", (None, last)),
    ]
    answer = client.post("/process", files=parts)
    tracks = client.get(answer.headers["location"]).json()["tracks"]
    assert [track["name"] for track in tracks] == ["1.wav", "2.wav", "3.wav"]


def test_a_refused_job_leaves_its_uploads_for_the_next_try(client: Any, tmp_path: Path) -> None:
    upload_id = upload(client, wav_bytes(0.5))
    bad = {"upload_ids": (None, upload_id), "target_lufs": (None, "loud")}
    assert problem_of(client.post("/process", files=bad))["code"] == "invalid_option"
    assert files_below(tmp_path / "uploads") == []
    good = {"upload_ids": (None, upload_id)}
    assert client.post("/process", files=good).status_code == 202


def test_a_file_that_is_no_audio_is_named(client: Any, tmp_path: Path) -> None:
    upload_id = upload(client, b"a letter, not a song " * 500, "letter.mp3")
    problem = problem_of(client.post("/process", files={"upload_ids": (None, upload_id)}))
    assert [(e["file"], e["code"]) for e in problem["errors"]] == [("letter.mp3", "not_audio")]
    assert files_below(tmp_path / "uploads") == []


def test_the_library_takes_uploads(client: Any) -> None:
    upload_id = upload(client, wav_bytes(0.5))
    answer = client.post("/library/tracks", files={"upload_ids": (None, upload_id)})
    assert answer.status_code == 202
    assert client.get(answer.json()["job"]["links"]["self"]).json()["kind"] == "analysis"


def test_the_files_of_a_job_are_processed_again(client: Any, tmp_path: Path) -> None:
    """With other options, nothing has to be sent again."""
    answer = client.post("/process", files={"file": ("a.wav", wav_bytes(0.5))})
    old = answer.json()["job_id"]
    answer = client.post("/process", files={"from_job": (None, old), "format": (None, "flac")})
    assert answer.status_code == 202
    new = client.get(answer.headers["location"]).json()
    assert [track["name"] for track in new["tracks"]] == ["a.wav"]
    client.delete(f"/job/{old}")
    assert (tmp_path / "uploads" / new["tracks"][0]["id"] / "audio").is_file()
    assert client.post("/process", files={"from_job": (None, old)}).status_code == 404


@pytest.mark.parametrize(
    ("ids", "status", "code"),
    [
        ("0" * 32, 404, "upload_not_found"),
        ("../../etc/passwd", 404, "upload_not_found"),
        ("{half}", 409, "upload_incomplete"),
        ("{whole},{whole}", 422, "invalid_option"),
        ("", 422, "invalid_option"),
    ],
)
def test_ids_that_name_no_file_are_refused(
    client: Any, tmp_path: Path, ids: str, status: int, code: str
) -> None:
    whole = upload(client, wav_bytes(0.5))
    half = create(client, 1000).rpartition("/")[2]
    parts = {"upload_ids": (None, ids.format(whole=whole, half=half))}
    problem = problem_of(client.post("/process", files=parts))
    assert (problem["status"], problem["code"]) == (status, code)
    assert files_below(tmp_path / "uploads") == []


def test_a_part_elsewhere_than_at_the_end_is_a_conflict(client: Any) -> None:
    path = create(client, 100)
    append(client, path, 0, b"x" * 40)
    for offset in (0, 39, 41):
        problem = problem_of(append(client, path, offset, b"y"))
        assert (problem["status"], problem["code"]) == (409, "upload_offset_mismatch")
    assert offset_of(client, path) == 40


@pytest.mark.parametrize("algorithm", ["sha1", "sha256"])
def test_a_part_that_arrives_changed_is_thrown_away(client: Any, algorithm: str) -> None:
    path = create(client, 10)
    right = f"{algorithm} {encode(hashlib.new(algorithm, b'hello').digest())}"
    answer = append(client, path, 0, b"hellO", Upload_Checksum=right)
    assert (answer.status_code, answer.json()["code"]) == (460, "checksum_mismatch")
    assert offset_of(client, path) == 0
    assert append(client, path, 0, b"hello", Upload_Checksum=right).status_code == 204
    for wrong in ("md4 AAAA", "sha1 not base64!", "sha1"):
        answer = append(client, path, 5, b"world", Upload_Checksum=wrong)
        assert answer.status_code in (400, 460)
        assert offset_of(client, path) == 5


def test_a_terminated_upload_is_gone(client: Any, tmp_path: Path) -> None:
    path = create(client, 10)
    assert client.delete(path, headers=VERSION).status_code == 204
    assert problem_of(append(client, path, 0, b"x"))["status"] == 404
    assert files_below(tmp_path / "incoming") == []


@pytest.mark.parametrize("version", ["", "0.2.2", "2.0.0"])
def test_another_version_of_the_protocol_is_refused(client: Any, version: str) -> None:
    answer = client.post("/uploads", headers={"Tus-Resumable": version, "Upload-Length": "1"})
    assert (answer.status_code, answer.headers["tus-version"]) == (412, "1.0.0")
    assert answer.headers["tus-resumable"] == "1.0.0"


def test_a_client_without_patch_says_so_in_a_header(client: Any) -> None:
    path = create(client, 5)
    headers = {**PART, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    assert client.post(path, content=b"hello", headers=headers).status_code == 204


def test_limits_hold_before_bytes_are_sent(tmp_path: Path) -> None:
    with open_client(tmp_path, max_upload_bytes=1000) as client:
        answer = client.post("/uploads", headers={**VERSION, "Upload-Length": "1001"})
        assert (answer.status_code, answer.json()["code"]) == (413, "upload_too_large")
        path = create(client, 10)
        assert append(client, path, 0, b"x" * 11).json()["code"] == "upload_too_large"
        answer = client.patch(path, content=b"x", headers={**VERSION, "Upload-Offset": "0"})
        assert answer.status_code == 415
    with open_client(tmp_path, min_free_bytes=10**18) as client:
        answer = client.post("/uploads", headers={**VERSION, "Upload-Length": "1"})
        assert (answer.status_code, answer.json()["code"]) == (507, "storage_full")
        assert append(client, path, 0, b"x").status_code == 507


def test_a_file_that_leaves_too_little_room_is_refused_at_its_start(tmp_path: Path) -> None:
    """A disk that had a gigabyte left filled up with files of half a gigabyte."""
    from core.system.disk import free_bytes

    free = free_bytes(tmp_path)
    with open_client(tmp_path, min_free_bytes=free // 2, max_upload_bytes=free) as client:
        headers = {**VERSION, "Upload-Length": str(free * 3 // 4)}
        assert client.post("/uploads", headers=headers).status_code == 507


def test_what_arrived_before_a_cut_stays_and_is_not_sent_again(tmp_path: Path) -> None:
    with serve(tmp_path) as (host, port):
        connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        connection.request("POST", "/uploads", headers={**VERSION, "Upload-Length": "5000000"})
        answer = connection.getresponse()
        path = answer.headers["Location"]
        answer.read()
        connection.putrequest("PATCH", path)
        for name, value in {**PART, "Upload-Offset": "0", "Content-Length": "5000000"}.items():
            connection.putheader(name, value)
        connection.endheaders(b"x" * 1_234_567)
        connection.close()

        def offset() -> int:
            look = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
            look.request("HEAD", path, headers=VERSION)
            found = int(look.getresponse().headers["Upload-Offset"])
            look.close()
            return found

        wait_until(lambda: offset() == 1_234_567)
