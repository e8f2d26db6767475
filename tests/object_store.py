"""An object store for tests: SeaweedFS with its S3 interface, in a process of its own."""

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests

from bench.processes import held_ports
from tests.conditions import wait_until
from tests.programs import find

BUCKET = "stemcrate"
KEY, SECRET = "tests", "not-so-secret"
_IDENTITIES = {
    "identities": [
        {
            "name": "tests",
            "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
    ]
}


@dataclass(frozen=True, slots=True)
class ObjectStore:
    """A running store with one bucket; ``environment`` is what processes need to reach it."""

    url: str
    environment: dict[str, str]
    process: "subprocess.Popen[bytes]"

    @contextmanager
    def silent(self) -> Iterator[None]:
        """Let the store answer nobody while the block runs."""
        self.process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self.process.send_signal(signal.SIGCONT)


def environment_of(endpoint: str) -> dict[str, str]:
    """Return the environment of processes that use an S3 server of tests."""
    return {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ACCESS_KEY_ID": KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET,
        "AWS_REGION": "us-east-1",
    }


@contextmanager
def running_seaweedfs(folder: Path) -> Iterator[ObjectStore]:
    """Run a server whose files are below a folder."""
    program = find("seaweedfs")
    assert program is not None
    config = folder / "s3.json"
    config.write_text(json.dumps(_IDENTITIES))
    # Its own choice for gRPC, a port 10000 higher, may be none; others are always the same.
    with held_ports(8) as (master, volume, filer, s3, *grpc):
        command = [
            program,
            "server",
            f"-dir={folder}",
            "-ip=127.0.0.1",
            f"-master.port={master}",
            f"-volume.port={volume}",
            f"-filer.port={filer}",
            "-master.volumeSizeLimitMB=64",
            "-s3",
            f"-s3.port={s3}",
            *(
                f"-{part}.port.grpc={port}"
                for part, port in zip(("master", "volume", "filer", "s3"), grpc, strict=True)
            ),
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.config={config}",
        ]
        with (folder / "log.txt").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)
        endpoint = f"http://127.0.0.1:{s3}"

        def is_ready() -> bool:
            """Make the bucket, which is a folder of the server, and reach it through S3."""
            try:
                url = f"http://127.0.0.1:{filer}/buckets/{BUCKET}/"
                is_made = requests.post(url, timeout=5).status_code in (201, 409)
                return is_made and requests.get(endpoint, timeout=5).status_code < 500
            except requests.RequestException:
                return False

        try:
            wait_until(is_ready, seen=lambda: (folder / "log.txt").read_text()[-2000:])
            yield ObjectStore(f"s3://{BUCKET}/installation", environment_of(endpoint), process)
        finally:
            process.kill()  # it would wait for half a minute
            process.wait()
