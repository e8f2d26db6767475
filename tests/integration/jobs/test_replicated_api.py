"""The whole service on several hosts: two APIs and two workers that share database and store."""

import base64
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

import pytest
import requests
import soundfile

from bench.databases import new_database
from bench.processes import held_ports
from stemcrate.client import ApiError, ApiUnreachable, Client
from stemcrate.schemas.corrections import CorrectionsChange
from stemcrate.schemas.jobs import JobQuery
from tests.conditions import wait_until
from tests.integration.jobs.installation import ROOT
from tests.object_store import ObjectStore
from tests.programs import requires
from tests.signals import make_song, write_song

pytestmark = [requires("postgresql", "seaweedfs"), pytest.mark.slow]


@dataclass
class Hosts:
    """Processes on hosts of their own, as far as one machine can have them."""

    folder: Path
    environment: dict[str, str]
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, program: str, **settings: str) -> None:
        """Start a process with a data folder of its own."""
        host = self.folder / f"{program}-{len(self.processes)}"
        host.mkdir()
        environment = {**self.environment, "DATA_DIR": str(host / "data"), **settings}
        with (host / "console.txt").open("wb") as console:
            command = [sys.executable, "-m", "cli.main", program]
            process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdout=console, stderr=subprocess.STDOUT
            )
        self.processes.append(process)

    def consoles(self) -> str:
        """Return what the processes said."""
        return "\n".join(p.read_text()[-3000:] for p in self.folder.glob("*/console.txt"))

    def wait_until(self, condition: Callable[[], object]) -> None:
        wait_until(condition, seen=self.consoles)

    def close(self) -> None:
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            process.wait()


@pytest.fixture
def hosts(tmp_path: Path, server: str, object_store: ObjectStore) -> Iterator[Hosts]:
    with new_database(server) as url:
        settings = {
            "DATABASE_URL": url,
            "STORAGE_URL": f"{object_store.url}/{os.urandom(4).hex()}",
            "SEPARATOR_MODEL": "spleeter",
            "DEVICE": "cpu",
            "REAPER_INTERVAL_S": "0.5",
            "MIN_FREE_BYTES": "0",
        }
        running = Hosts(tmp_path, {**os.environ, **object_store.environment, **settings})
        yield running
        running.close()


def send_in_parts(song: Path, *apis: str) -> str:
    """Send a file as one upload, a part to each API; return the upload's id."""
    data = song.read_bytes()
    common = {"Tus-Resumable": "1.0.0"}
    name = base64.b64encode(song.name.encode()).decode()
    announced = {"Upload-Length": str(len(data)), "Upload-Metadata": f"filename {name}"}
    begun = requests.post(f"{apis[0]}/uploads", headers={**common, **announced}, timeout=30)
    path = begun.headers["Location"]
    step = len(data) // len(apis) + 1
    for n, api in enumerate(apis):
        start = n * step
        headers = {"Upload-Offset": str(start), "Content-Type": "application/offset+octet-stream"}
        part = data[start : start + step]
        sent = requests.patch(api + path, part, headers={**common, **headers}, timeout=30)
        assert sent.status_code == 204, sent.text
    return path.rpartition("/")[2]


def is_ready(client: Client, n_workers: int) -> bool:
    try:
        return client.get_health().workers == n_workers
    except (ApiError, ApiUnreachable):
        return False


def test_what_one_api_takes_the_other_one_serves(hosts: Hosts, tmp_path: Path) -> None:
    """With a data folder each, the second API knew nothing of what the first one had taken."""
    with held_ports(2) as ports:
        for port, redirect_s in zip(ports, ("60", "0"), strict=True):
            hosts.start("api", API_PORT=str(port), STORAGE_REDIRECT_S=redirect_s)
        for _ in range(2):
            hosts.start("worker")
        first, second = (Client(f"http://127.0.0.1:{port}") for port in ports)
        hosts.wait_until(lambda: is_ready(first, 2) and is_ready(second, 2))

        song = write_song(tmp_path / "Band - Song.wav", make_song(4.0, 44100), 44100)
        job_id = first.submit_job([song], {"stages": "tempo"}).job_id
        assert [job.job_id for job in second.list_jobs(JobQuery(text="band")).jobs] == [job_id]
        hosts.wait_until(lambda: second.get_job(job_id).state.is_final)
        assert second.get_job(job_id).error is None

        outputs = second.list_outputs(job_id).artefacts
        stems = [file for file in outputs if file.role == "stem"]
        url = f"http://127.0.0.1:{ports[1]}{stems[0].url}"
        whole = requests.get(url, timeout=30)
        assert len(whole.content) == stems[0].bytes
        part = requests.get(url, headers={"Range": "bytes=100-199"}, timeout=30)
        assert (part.status_code, part.content) == (206, whole.content[100:200])
        assert part.headers["Content-Range"] == f"bytes 100-199/{stems[0].bytes}"
        unchanged = requests.get(url, headers={"If-None-Match": whole.headers["ETag"]}, timeout=30)
        assert unchanged.status_code == 304
        beyond = requests.get(url, headers={"Range": f"bytes={stems[0].bytes}-"}, timeout=30)
        assert beyond.status_code == 416

        direct = requests.get(f"http://127.0.0.1:{ports[0]}{stems[0].url}", timeout=30)
        assert [answer.status_code for answer in direct.history] == [307]
        assert direct.content == whole.content
        assert not direct.url.startswith(f"http://127.0.0.1:{ports[0]}/")

        packs = [
            requests.get(f"http://127.0.0.1:{port}/download/{job_id}/all", timeout=60)
            for port in ports
        ]
        assert packs[0].content == packs[1].content
        with zipfile.ZipFile(BytesIO(packs[0].content)) as pack:
            assert {f.name for f in outputs if f.role != "waveform"} < {*pack.namelist()}

        player = first.get_player(job_id, 0)
        for lane in player.lanes:
            data, rate = soundfile.read(BytesIO(first.get_segment(job_id, 0, lane.label, 0)))
            assert rate == 44100
            assert len(data) > 44100

        hosts.wait_until(lambda: first.list_tracks().tracks)
        (track,) = second.list_tracks().tracks
        changed = second.correct_track(track.id, CorrectionsChange(title="Named by hand"))
        assert first.get_track(track.id).title == changed.title == "Named by hand"
        apis = [f"http://127.0.0.1:{port}" for port in ports]
        upload_id = send_in_parts(song, *apis, apis[0])
        options = {"stages": "tempo", "format": "flac"}
        again = second.submit_job([], options, upload_ids=[upload_id]).job_id
        hosts.wait_until(lambda: first.get_job(again).state.is_final)
        separation = first.get_manifest(again).stage("separation", 0)
        assert separation.cache_hit

        second.delete_job(job_id)
        with pytest.raises(ApiError) as gone:
            first.get_job(job_id)
        assert gone.value.status == 404
        assert requests.get(url, timeout=30).status_code == 404
