"""`Idempotency-Key`: who repeats a request gets its answer, and nothing is made twice."""

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bench.databases import new_database
from core.jobs.database import idempotent_requests
from core.jobs.idempotency import HELD_S, KEPT_S, Answer, IdempotentRequests
from core.system.database import engine_for, transaction
from stemcrate.client import Client
from tests.integration.api.apps import open_client, serve, services_of, wav_bytes
from tests.integration.api.keys import bearer, make_key
from tests.postgres import BOTH_DATABASES

KEY = {"Idempotency-Key": "a-key"}


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Any]:
    with open_client(tmp_path) as client:
        yield client


def process(
    client: Any, headers: dict[str, str] | None = None, *, seed: int = 0, boundary: str = "one"
) -> Any:
    """Submit a job, in a body with this boundary."""
    disposition = "Content-Disposition: form-data; name=file; filename=a.wav"
    body = b"--%b\r\n%b\r\n\r\n%b\r\n--%b--\r\n" % (
        boundary.encode(),
        disposition.encode(),
        wav_bytes(0.5, seed=seed),
        boundary.encode(),
    )
    type_ = f"multipart/form-data; boundary={boundary}"
    return client.post("/process", content=body, headers={"Content-Type": type_, **(headers or {})})


def n_jobs(client: Any) -> int:
    return len(client.get("/jobs").json()["jobs"])


def rows(client: Any) -> str:
    return services_of(client).settings.resolved_database_url()


def forget_answers(client: Any) -> None:
    """Leave the rows as a server does that was killed a while ago, before it answered."""
    table = idempotent_requests
    with transaction(rows(client)) as connection:
        connection.execute(
            sa.update(table).values(status=None, touched_at=table.c.touched_at - HELD_S - 1)
        )


def test_a_repeated_request_makes_one_job(client: Any) -> None:
    """Clients choose another boundary each time."""
    first, second = process(client, KEY), process(client, KEY, boundary="other-1")
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json() == second.json()
    assert second.headers["location"] == first.headers["location"]
    assert "idempotent-replayed" not in first.headers
    assert second.headers["idempotent-replayed"] == "true"
    assert second.headers["x-request-id"] != first.headers["x-request-id"]
    assert n_jobs(client) == 1


def test_every_post_can_be_repeated(client: Any) -> None:
    body = {"name": "Friday"}
    ids = [client.post("/library/collections", json=body, headers=KEY).json() for _ in range(2)]
    assert ids[0] == ids[1]
    assert len(client.get("/library/collections").json()["collections"]) == 1


def test_a_key_is_not_for_another_request(client: Any) -> None:
    process(client, KEY)
    for other in (
        process(client, KEY, seed=1),
        client.post("/library/collections", json={"name": "x"}, headers=KEY),
    ):
        assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert n_jobs(client) == 1


def test_clients_that_sign_in_have_keys_of_their_own(tmp_path: Path) -> None:
    """Nobody gets, or is refused for, what another was answered."""
    with open_client(tmp_path, api_host="0.0.0.0") as client:
        first, second = (bearer(make_key(tmp_path, owner)) for owner in ("anna", "ben"))
        mine = process(client, {**first, **KEY})
        for seed in (0, 1):
            other = process(client, {**second, "Idempotency-Key": f"key-{seed}"}, seed=seed)
            assert other.status_code == 202
        other = process(client, {**second, **KEY})
        assert (other.status_code, "idempotent-replayed" in other.headers) == (202, False)
        assert other.json()["job_id"] != mine.json()["job_id"]
        anonymous = process(client, KEY)
        assert anonymous.status_code == 401
        assert process(client, {**first, **KEY}).json() == mine.json()


def test_a_refused_request_leaves_its_key_free(client: Any) -> None:
    refused = client.post("/process", files={"file": ("a.wav", b"no audio")}, headers=KEY)
    assert refused.status_code == 422
    assert process(client, KEY).status_code == 202


@pytest.mark.parametrize("key", ["", "with blank", "x" * 256, "ö"])
def test_an_unusable_key_is_refused(client: Any, key: str) -> None:
    answer = client.post(
        "/library/collections", json={"name": "x"}, headers={"Idempotency-Key": key.encode()}
    )
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")


def test_a_key_in_use_waits(client: Any) -> None:
    held = IdempotentRequests(rows(client))
    process(client, {"Authorization": "Bearer a", **KEY})
    with transaction(rows(client)) as connection:
        (row,) = connection.execute(sa.select(idempotent_requests)).all()
    held.release(row.client, "a-key")
    held.begin(row.client, "a-key")
    answer = process(client, {"Authorization": "Bearer a", **KEY})
    assert (answer.status_code, answer.json()["code"]) == (409, "idempotency_key_in_use")
    assert answer.json()["retryable"]


def test_after_a_kill_the_job_that_was_made_is_returned(client: Any) -> None:
    """The server died after it had queued the job, and before it answered."""
    job_id = process(client, KEY).json()["job_id"]
    forget_answers(client)
    again = process(client, KEY)
    assert (again.status_code, again.json()["job_id"]) == (202, job_id)
    assert n_jobs(client) == 1
    (track,) = services_of(client).store.load(job_id).tracks
    assert services_of(client).store.has_upload(track.source.sha256, job_id)


def test_a_repetition_that_breaks_off_leaves_the_job_its_file(client: Any) -> None:
    job_id = process(client, KEY).json()["job_id"]
    forget_answers(client)
    broken = client.post(
        "/process",
        content=b"--one\r\nContent-Disposition: form-data; name=nonsense\r\n\r\nx\r\n--one--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=one", **KEY},
    )
    assert broken.status_code == 422
    (track,) = services_of(client).store.load(job_id).tracks
    assert services_of(client).store.has_upload(track.source.sha256, job_id)


@pytest.mark.parametrize("database", BOTH_DATABASES)
def test_of_many_at_once_one_is_done(
    tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    if database == "sqlite":
        _send_many(tmp_path, "")
        return
    with new_database(request.getfixturevalue("server")) as url:
        _send_many(tmp_path, url)
        engine_for(url).dispose()


def _send_many(folder: Path, database_url: str) -> None:
    codes: list[int] = []
    with open_client(folder, database_url=database_url) as client:
        threads = [
            threading.Thread(target=lambda: codes.append(process(client, KEY).status_code))
            for _ in range(8)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert n_jobs(client) == 1
    assert set(codes) <= {202, 409}
    assert 202 in codes


def test_answers_are_kept_for_a_day(client: Any) -> None:
    times = [1_000_000.0]
    requests = IdempotentRequests(rows(client), clock=lambda: times[-1])
    assert isinstance(requests.begin("me", "k"), str)
    requests.keep("me", "k", Answer("f", 201, [("x", "y")], b"body"))
    assert requests.begin("me", "k") == Answer("f", 201, [("x", "y")], b"body")
    times.append(times[-1] + KEPT_S + 1)
    assert isinstance(requests.begin("me", "k"), str)


def test_the_client_sends_its_key(tmp_path: Path) -> None:
    song = tmp_path / "a.wav"
    song.write_bytes(wav_bytes(0.5))
    with serve(tmp_path / "data") as (host, port), Client(f"http://{host}:{port}") as api:
        ids = {api.submit_job([song], idempotency_key="k").job_id for _ in range(2)}
    assert len(ids) == 1
