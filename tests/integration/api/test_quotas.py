"""Quotas of owners, as clients meet them, on two API processes over one folder."""

import io
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from bench.databases import new_database
from core.access.keys import Scope
from core.access.store import KeyStore
from core.system.database import engine_for
from stemcrate.client import ApiError, NamedFile
from tests.integration.api.apps import open_client, settings_for, wav_bytes
from tests.integration.api.keys import bearer, make_key
from tests.integration.api.owned import open_house
from tests.postgres import BOTH_DATABASES

SECONDS = 0.5
FILE = wav_bytes(SECONDS)
TUS = {"Tus-Resumable": "1.0.0"}


@pytest.fixture
def stack() -> Any:
    with ExitStack() as stack:
        yield stack


def apps(stack: ExitStack, folder: Path, n_apps: int = 2, **limits: Any) -> list[Any]:
    """Start API processes, but for the process, whose clients have a key of Anna."""
    keys = KeyStore(settings_for(folder, **limits).resolved_database_url())
    _, key = keys.create("test", owner="anna", scopes=set(Scope))
    clients = [stack.enter_context(open_client(folder, **limits)) for _ in range(n_apps)]
    for client in clients:
        client.headers.update(bearer(key))
    return clients


def submit(client: Any, data: bytes = FILE) -> Any:
    return client.post("/process", files=[("file", ("song.wav", data))])


def assert_refused(answer: Any, policy: str) -> None:
    assert answer.status_code == 429, answer.text
    assert answer.json()["code"] == "quota_exceeded"
    assert answer.json()["retryable"] is True
    assert int(answer.headers["Retry-After"]) > 0
    assert f'"{policy}";q=' in answer.headers["RateLimit-Policy"]
    assert f'"{policy}";r=' in answer.headers["RateLimit"]


def test_requests_are_counted_over_all_processes(stack: ExitStack, tmp_path: Path) -> None:
    """A process that counted by itself would let in twice as many."""
    first, second = apps(stack, tmp_path, owner_requests_per_minute=1_000)
    left = [client.get("/jobs").headers["RateLimit"] for client in (first, second, first)]
    found = [int(text.partition(";r=")[2].partition(";")[0]) for text in left]
    # A minute may end between two requests.
    assert found in ([999, 998, 997], [999, 999, 998], [999, 998, 999])
    assert first.get("/health").headers.get("RateLimit") is None


def test_the_request_after_the_last_is_refused(stack: ExitStack, tmp_path: Path) -> None:
    client, other = apps(stack, tmp_path, owner_requests_per_minute=1)
    other.headers.update(bearer(make_key(tmp_path, "berta")))
    statuses = [client.get("/jobs").status_code for _ in range(3)]
    assert statuses.count(429) >= 1  # at most one minute ends meanwhile
    assert_refused(
        next(a for a in iter(lambda: client.get("/jobs"), 0) if a.status_code == 429), "requests"
    )
    assert other.get("/jobs").status_code == 200, "another owner has requests of its own"


@pytest.mark.parametrize("kind", BOTH_DATABASES)
def test_open_jobs_are_counted_over_all_processes(
    request: pytest.FixtureRequest, stack: ExitStack, tmp_path: Path, kind: str
) -> None:
    """Requests at the same moment, to several processes, must not pass the limit together."""
    url = ""
    if kind == "postgresql":
        url = stack.enter_context(new_database(request.getfixturevalue("server")))
        stack.callback(engine_for(url).dispose)
    clients = apps(stack, tmp_path, owner_open_jobs=3, database_url=url)
    with ThreadPoolExecutor(6) as threads:
        answers = list(threads.map(submit, clients * 3))
    accepted = [a.json()["job_id"] for a in answers if a.status_code == 202]
    assert len(accepted) == 3
    for answer in answers:
        if answer.status_code != 202:
            assert_refused(answer, "jobs")
    assert len(clients[0].get("/jobs").json()["jobs"]) == 3, "a refused job must leave nothing"

    clients[0].post(f"/job/{accepted[0]}/cancel")
    retried = clients[1].post(f"/job/{accepted[0]}/retry")
    assert retried.status_code == 202, "a place was free again"
    assert_refused(submit(clients[0]), "jobs")


def test_bytes_of_a_day_are_counted_for_forms_and_resumable_uploads(
    stack: ExitStack, tmp_path: Path
) -> None:
    first, second = apps(stack, tmp_path, owner_upload_bytes_per_day=2 * len(FILE) + 100)
    assert submit(first).status_code == 202
    create = {**TUS, "Upload-Length": str(len(FILE))}
    assert second.post("/uploads", headers=create).status_code == 201
    assert_refused(first.post("/uploads", headers=create), "upload-bytes")
    answer = submit(second)
    assert_refused(answer, "upload-bytes")
    assert "content-bytes" in answer.headers["RateLimit-Policy"]
    assert len(first.get("/jobs").json()["jobs"]) == 1


def test_audio_of_a_day_is_counted(stack: ExitStack, tmp_path: Path) -> None:
    """Files that the server has already, too: they cost the same to separate."""
    minute = wav_bytes(40, sample_rate=8_000)
    client = apps(stack, tmp_path, 1, owner_audio_minutes_per_day=1)[0]
    job_id = submit(client, minute).json()["job_id"]
    again = client.post("/process", files={"from_job": (None, job_id)})
    assert_refused(again, "audio-seconds")
    assert submit(client).status_code == 202, "what is short still fits"


def test_a_full_quota_of_the_disk_takes_no_more_files(stack: ExitStack, tmp_path: Path) -> None:
    client = apps(stack, tmp_path, 1, owner_disk_bytes=len(FILE) + 100)[0]
    announced = {**TUS, "Upload-Length": str(len(FILE))}
    assert_refused(
        client.post("/uploads", headers={**TUS, "Upload-Length": str(len(FILE) + 200)}),
        "disk-bytes",
    )
    upload = client.post("/uploads", headers=announced)
    assert upload.status_code == 201


@pytest.mark.parametrize("is_limited", [False, True])
def test_the_user_of_the_machine_is_limited_on_demand_alone(
    tmp_path: Path, is_limited: bool
) -> None:
    limits = {"owner_open_jobs": 1, "limit_local_user": is_limited}
    with open_client(tmp_path, **limits) as client:
        statuses = [submit(client).status_code for _ in range(2)]
    assert statuses == [202, 429 if is_limited else 202]


def test_the_client_says_when_to_try_again(tmp_path: Path) -> None:
    with open_house(tmp_path, owner_upload_bytes_per_day=1) as house:
        anna = house.owner("anna")
        with pytest.raises(ApiError) as refused:
            anna.client.submit_job([NamedFile("a.wav", io.BytesIO(FILE))])
    assert refused.value.code == "quota_exceeded"
    assert 0 < (refused.value.retry_after_s or 0) <= 86_400
