"""The event stream: replay, its end, and clients that leave."""

import http.client
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from api import events
from core.jobs.progress import ProgressLog
from tests.conditions import PATIENCE_S, wait_until
from tests.integration.api.apps import serve, submit, wav_bytes


def read_events(text: str) -> Iterator[Any]:
    """Parse a stream as a browser does."""
    for block in text.split("\n\n"):
        fields = dict(line.split(": ", 1) for line in block.splitlines() if ": " in line[1:])
        if "data" in fields:
            yield fields["event"], int(fields["id"]), json.loads(fields["data"])


@pytest.fixture
def told(client: Any) -> Any:
    """A job with a log of its own making, cancelled at its end."""
    job_id = submit(client)
    log = client.app.state.services.progress
    log.append(job_id, {"kind": "stage", "stage": "decode", "track_index": 0, "state": "running"})
    for fraction in (0.25, 0.5):
        event = {"kind": "progress", "stage": "decode", "track_index": 0, "fraction": fraction}
        log.append(job_id, event)
    client.post(f"/job/{job_id}/cancel")
    return job_id


def test_a_stream_tells_everything_in_order_and_ends(client: Any, told: Any) -> None:
    answer = client.get(f"/job/{told}/events")
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert "retry: 2000" in answer.text
    got = list(read_events(answer.text))
    ids = [seq for _, seq, _ in got]
    assert ids == sorted(set(ids))
    assert [data["fraction"] for kind, _, data in got if kind == "progress"] == [0.25, 0.5]
    kind, _, data = got[-1]
    assert (kind, data["state"]) == ("state", "cancelled")
    assert data["job"]["fraction"] <= 1


def test_a_client_that_comes_back_gets_what_it_missed_and_no_more(client: Any, told: Any) -> None:
    everything = list(read_events(client.get(f"/job/{told}/events").text))
    for n_seen in range(1, len(everything)):
        headers = {"Last-Event-ID": str(everything[n_seen - 1][1])}
        rest = list(read_events(client.get(f"/job/{told}/events", headers=headers).text))
        assert [e[:2] for e in rest] == [e[:2] for e in everything[n_seen:]]


def test_a_browser_that_comes_back_after_the_end_is_told_to_stop(client: Any, told: Any) -> None:
    last = list(read_events(client.get(f"/job/{told}/events").text))[-1][1]
    answer = client.get(f"/job/{told}/events", headers={"Last-Event-ID": str(last)})
    assert (answer.status_code, answer.content) == (204, b"")


@pytest.mark.parametrize("seen", ["abc", "-3", "1e9", "٣"])
def test_an_id_that_is_none_of_ours_starts_from_the_beginning(
    client: Any, told: Any, seen: str
) -> None:
    headers = {"Last-Event-ID": seen.encode()}
    assert "progress" in client.get(f"/job/{told}/events", headers=headers).text


def test_a_job_that_ended_without_a_word_in_the_log_still_ends_its_stream(
    shared: Any, finished: Any
) -> None:
    got = list(read_events(shared.get(finished["links"]["events"]).text))
    assert got[-1][0] == "state"
    assert got[-1][2]["state"] == "completed"


def open_stream(host: str, port: Any, job_id: str) -> Any:
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
    connection.request("GET", f"/job/{job_id}/events")
    return connection, connection.getresponse()


def post_song(host: str, port: Any) -> Any:
    connection = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
    head = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.wav"\r\n\r\n'
    body = head + wav_bytes(0.5) + b"\r\n--b--\r\n"
    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    connection.request("POST", "/process", body, headers)
    job_id = json.loads(connection.getresponse().read())["job_id"]
    connection.close()
    return job_id


def test_a_live_stream_pushes_keeps_alive_and_ends_with_the_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "KEEPALIVE_S", 0.5)
    with serve(tmp_path) as (host, port):
        job_id = post_song(host, port)
        connection, stream = open_stream(host, port, job_id)
        lines = iter(stream.readline, b"")
        assert any(line.startswith(b": ") for line in lines)
        other = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        other.request("POST", f"/job/{job_id}/cancel")
        assert other.getresponse().status == 202
        other.close()
        assert b'"cancelled"' in b"".join(lines)
        connection.close()


def test_a_stream_of_a_client_that_left_stops_asking_the_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each client that went away would cost the database a question a moment, for ever."""
    n_looks, newest = 0, ProgressLog.newest

    def count(log: ProgressLog, job_ids: Any) -> Any:
        nonlocal n_looks
        n_looks += 1
        return newest(log, job_ids)

    monkeypatch.setattr(ProgressLog, "newest", count)
    monkeypatch.setattr(events, "POLL_S", 0.02)
    with serve(tmp_path) as (host, port):
        connection, stream = open_stream(host, port, post_song(host, port))
        stream.readline()

        def is_silent() -> bool:
            before = n_looks
            time.sleep(15 * events.POLL_S)
            return n_looks == before

        wait_until(lambda: n_looks > 0)
        assert not is_silent(), "somebody follows"
        stream.close()
        connection.close()
        wait_until(is_silent)


def test_many_who_follow_a_job_ask_the_database_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two hundred streams left it no time for anything else."""
    n_looks, newest = 0, ProgressLog.newest

    def count(log: ProgressLog, job_ids: Any) -> Any:
        nonlocal n_looks
        n_looks += 1
        return newest(log, job_ids)

    monkeypatch.setattr(ProgressLog, "newest", count)
    monkeypatch.setattr(events, "POLL_S", 0.1)
    with serve(tmp_path) as (host, port), ExitStack() as stack:
        job_id = post_song(host, port)
        streams = []
        for _ in range(20):
            connection, stream = open_stream(host, port, job_id)
            stack.callback(connection.close)
            streams.append(stream)
        wait_until(lambda: n_looks > 3)
        began, n_before = time.monotonic(), n_looks
        wait_until(lambda: n_looks > n_before + 5)
        assert n_looks - n_before <= 2 + (time.monotonic() - began) / events.POLL_S
        other = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        other.request("POST", f"/job/{job_id}/cancel")
        assert other.getresponse().status == 202
        other.close()
        for stream in streams:
            assert b'"cancelled"' in stream.read()


def test_a_stream_of_a_deleted_job_ends(tmp_path: Path) -> None:
    with serve(tmp_path) as (host, port):
        job_id = post_song(host, port)
        connection, stream = open_stream(host, port, job_id)
        stream.readline()
        other = http.client.HTTPConnection(host, port, timeout=PATIENCE_S)
        other.request("DELETE", f"/job/{job_id}")
        assert other.getresponse().status == 204
        other.close()
        stream.read()
        connection.close()
