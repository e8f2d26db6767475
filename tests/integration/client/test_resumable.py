"""The client's resumable uploads against a real server that is cut off and killed."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from bench.processes import held_ports, running
from stemcrate.client import ApiError, ApiUnreachable, Client
from stemcrate.client import resumable as calls
from tests.conditions import PATIENCE_S, wait_until
from tests.integration.api.apps import serve_app, wav_bytes
from tests.integration.client.conftest import Installation
from tests.integration.client.test_proxy import OTHER
from ui.server.proxy import ApiProxy

pytestmark = pytest.mark.slow
N_BYTES = 3_000_000


@pytest.fixture
def large(tmp_path: Path) -> Path:
    path = tmp_path / "large.bin"
    path.write_bytes(np.random.default_rng(0).bytes(N_BYTES))
    return path


@contextmanager
def server(data_dir: Path, port: int) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "tests.integration.api.server_that_tells", data_dir, port]
    with running(command) as process, Client(f"http://127.0.0.1:{port}") as client:

        def is_up() -> bool:
            try:
                return client.get_health() is not None
            except ApiUnreachable:
                return False

        wait_until(is_up)
        yield process


def test_a_file_is_sent_in_parts_and_taken_by_a_job(client: Client, tmp_path: Path) -> None:
    song = tmp_path / "Größe.wav"
    song.write_bytes(wav_bytes(1.0, seed=41))
    told: list[tuple[int, int]] = []
    state = client.upload_file(song, progress=lambda *now: told.append(now))
    assert state.is_complete
    assert told[-1] == (song.stat().st_size,) * 2
    job_id = client.submit_job(upload_ids=[state.id]).job_id
    assert client.get_job(job_id).tracks[0].name == "Größe.wav"
    client.cancel_job(job_id)


def test_an_upload_goes_on_where_it_stands(
    client: Client, installation: Installation, large: Path
) -> None:
    content = large.read_bytes()
    state = client.create_upload("large.bin", N_BYTES)
    client.append_upload(state.id, 0, content[:1_000_000])
    with pytest.raises(ApiError) as caught:
        client.append_upload(state.id, 5, content[5:10])
    assert (caught.value.status, caught.value.code) == (409, "upload_offset_mismatch")
    with pytest.raises(ValueError, match="3000000 bytes"):
        client.upload_file(Path(__file__), upload_id=state.id)
    assert client.upload_file(large, upload_id=state.id).is_complete
    data = installation.settings.data_dir / "incoming" / state.id / "data"
    assert data.read_bytes() == content
    client.delete_upload(state.id)
    with pytest.raises(ApiError) as caught:
        client.get_upload(state.id)
    assert caught.value.code == "upload_not_found"


def test_a_server_that_is_killed_in_the_middle_costs_no_more_than_a_part(
    tmp_path: Path, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The upload continues by itself once the server is back."""
    monkeypatch.setattr(calls, "PART_BYTES", 100_000)
    monkeypatch.setattr(calls, "MAX_RETRIES", 12)
    folder = tmp_path / "data"
    offsets: list[int] = []
    is_half, may_go_on = threading.Event(), threading.Event()

    def watch(offset: int, _: int) -> None:
        offsets.append(offset)
        if offset == N_BYTES // 2:
            is_half.set()
            assert may_go_on.wait(PATIENCE_S)

    with (
        held_ports() as (port,),
        Client(f"http://127.0.0.1:{port}") as client,
        ThreadPoolExecutor(1) as pool,
    ):
        with server(folder, port) as process:
            sent = pool.submit(client.upload_file, large, progress=watch)
            assert is_half.wait(PATIENCE_S)
            process.send_signal(signal.SIGKILL)
            process.wait(PATIENCE_S)
        may_go_on.set()
        with server(folder, port):
            assert sent.result(PATIENCE_S).is_complete
    assert offsets == list(range(100_000, N_BYTES + 1, 100_000))
    (data,) = folder.glob("incoming/*/data")
    assert data.read_bytes() == large.read_bytes()


def test_an_upload_through_the_workbench_waits_for_an_api_that_is_away(
    tmp_path: Path, large: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "MAX_RETRIES", 12)
    with held_ports() as (port,), serve_app(ApiProxy(OTHER, f"http://127.0.0.1:{port}")) as proxy:
        url = f"http://{proxy[0]}:{proxy[1]}/api"
        with Client(url) as client, ThreadPoolExecutor(1) as pool:
            with server(tmp_path / "data", port):
                state = client.create_upload("large.bin", N_BYTES)
            with pytest.raises(ApiError):
                client.get_upload(state.id)
            sent = pool.submit(client.append_upload, state.id, 0, b"x")
            assert isinstance(sent.exception(PATIENCE_S), ApiError)
            with server(tmp_path / "data", port):
                assert client.upload_file(large, upload_id=state.id).is_complete
