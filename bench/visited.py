"""A demo installation with its workbench, and a real browser that visits it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from bench.processes import held_ports
from bench.served import PATIENCE_S, ROOT, wait_for
from cli.demo_songs import demo_song, write_demo_songs
from stemcrate.client import ApiError, ApiUnreachable, Client, UnexpectedAnswer
from stemcrate.schemas.playlists import PlaylistRequest

HEADING = ".sc-head h1"
IDLE = '[data-testid="stApp"][data-test-script-state="notRunning"]'
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync")


@dataclass(frozen=True, slots=True)
class Installation:
    """A running installation; ``process`` is `stemcrate serve`."""

    url: str
    client: Client
    process: "subprocess.Popen[bytes]"

    def cpu_s(self) -> float:
        """Return the CPU seconds that all its processes have used."""
        family = psutil.Process(self.process.pid).children(recursive=True)
        return sum(sum(one.cpu_times()[:2]) for one in family)

    def workbench_bytes(self) -> int:
        """Return the memory of the process that serves the pages."""
        family = psutil.Process(self.process.pid).children()
        workbench = next(one for one in family if "ui" in one.cmdline())
        return int(workbench.memory_info().rss)


@contextmanager
def installation(folder: Path) -> Iterator[Installation]:
    """Serve from a new data folder while the block runs."""
    with held_ports(2) as (api_port, ui_port):
        environment = {
            **os.environ,  # noqa: TID251
            "DATA_DIR": str(folder / "data"),
            "DATABASE_URL": "",
            "API_PORT": str(api_port),
            "UI_PORT": str(ui_port),
            "API_URL": f"http://127.0.0.1:{api_port}",
            "SEPARATOR_MODEL": "spleeter",
        }
        command = [sys.executable, "-m", "cli.main", "serve"]
        with (
            (folder / "serve.txt").open("wb") as out,
            subprocess.Popen(command, cwd=ROOT, env=environment, stdout=out, stderr=out) as process,
        ):
            url = f"http://127.0.0.1:{ui_port}"
            running = Installation(url, Client(environment["API_URL"]), process)
            try:
                wait_for("the workbench answers", lambda: _answers(running))
                yield running
            finally:
                process.send_signal(signal.SIGTERM)
                process.wait(PATIENCE_S)


def _answers(running: Installation) -> bool:
    """Return whether a worker lives, asked by way of the workbench."""
    try:
        return Client(f"{running.url}/api").get_health().workers == 1
    except (ApiError, ApiUnreachable, UnexpectedAnswer):
        return False


def process_demo(running: Installation, folder: Path) -> str:
    """Separate the demo songs and make a set of them; return the job's id."""
    songs = [demo_song(folder), *write_demo_songs(folder)]
    client = running.client
    job = client.wait(client.submit_job(songs).job_id, timeout_s=PATIENCE_S)
    wait_for("the tracks are in the library", lambda: len(client.list_tracks().tracks) >= 4)
    client.create_playlist(PlaylistRequest(name="Friday warm-up"))
    return job.job_id


@contextmanager
def chromium() -> Iterator[Browser]:
    """Run the browser that is installed on this machine."""
    path = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


def settle(page: Page) -> None:
    """Wait until a page of the workbench has its content and the script rests."""
    page.locator(HEADING).wait_for(timeout=60_000)
    page.locator(IDLE).wait_for(state="attached", timeout=60_000)
    page.wait_for_load_state("networkidle")
