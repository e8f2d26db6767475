"""The real stack, once a session: API, worker and workbench as `stemcrate serve` starts them, over
a temporary folder, started from there, and a browser in front.
"""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as PlaywrightTimeoutError

from bench.databases import is_being_written
from bench.processes import held_ports
from cli.demo_songs import demo_song, write_demo_songs
from tests.big_library import fill_library
from tests.conditions import PATIENCE_S, wait_until
from tests.programs import find

PAGE_TIMEOUT_MS = 60_000
JOB_TIMEOUT_MS = 300_000
SOON_MS = 5_000
SETTLING_MS = 1_500
FLAGS = (
    "--no-sandbox",  # Chromium refuses its sandbox to root, which containers run as
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass(frozen=True)
class Stack:
    """A running installation."""

    api_url: str
    ui_url: str
    process: subprocess.Popen[bytes]
    database: Path
    log: Path

    def page(self, path: str = "") -> str:
        return self.ui_url + path

    def ask(self, path: str) -> dict[str, object]:
        with urllib.request.urlopen(self.api_url + path, timeout=PATIENCE_S) as answer:
            return json.load(answer)

    def read(self, path: str) -> bytes:
        with urllib.request.urlopen(self.api_url + path, timeout=PATIENCE_S) as answer:
            content: bytes = answer.read()
            return content

    def workbench_bytes(self) -> int:
        """Memory of the process that serves the pages."""
        children = psutil.Process(self.process.pid).children()
        workbench = next(child for child in children if "ui" in child.cmdline())
        return int(workbench.memory_info().rss)

    @contextmanager
    def held_worker(self) -> Iterator[None]:
        """Stop the worker from taking jobs while the block runs, so that no job can outrun it."""
        children = psutil.Process(self.process.pid).children()
        worker = next(child for child in children if "worker" in child.cmdline())
        stop(worker)
        try:
            # Stopped in the middle of a write, it would keep all others from writing.
            while is_being_written(self.database):
                worker.resume()
                stop(worker)
            yield
        finally:
            worker.resume()


def stop(process: psutil.Process) -> None:
    process.suspend()
    wait_until(lambda: process.status() == psutil.STATUS_STOPPED)


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


@pytest.fixture(scope="session")
def ports() -> Iterator[list[int]]:
    with held_ports(2) as ports:
        yield ports


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory, ports: list[int]) -> Iterator[Stack]:
    with serve(tmp_path_factory.mktemp("stack"), ports) as running:
        yield running


@contextmanager
def serve(folder: Path, ports: list[int], **settings: str) -> Iterator[Stack]:
    """Serve API, worker and workbench over ``folder / "data"``; more settings by their names."""
    api_port, ui_port = ports
    api_url, ui_url = f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{ui_port}"
    environment = {
        **os.environ,
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": "",
        "API_PORT": str(api_port),
        "UI_PORT": str(ui_port),
        "API_URL": api_url,
        "SEPARATOR_MODEL": "spleeter",
        **settings,
    }
    log = folder / "serve.txt"
    command = [sys.executable, "-m", "cli.main", "serve"]
    with (
        log.open("wb") as out,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=out, stderr=out) as process,
    ):
        running = Stack(api_url, ui_url, process, folder / "data" / "stemcrate.sqlite", log)
        try:
            wait_until(lambda: is_up(running), seen=log.read_text)
            yield running
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)


@contextmanager
def serve_library(folder: Path, n_tracks: int) -> Iterator[Stack]:
    """Serve an installation with a library of tracks without audio."""
    data = folder / "data"
    data.mkdir()
    fill_library(data, f"sqlite:///{data / 'stemcrate.sqlite'}", n_tracks)
    with held_ports(2) as ports, serve(folder, ports) as running:
        yield running


def is_up(running: Stack) -> bool:
    assert running.process.poll() is None, "stemcrate serve ended by itself"
    urls = (f"{running.api_url}/health", f"{running.ui_url}/_stcore/health")
    return all(map(answers, urls)) and running.ask("/health")["workers"] == 1


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        expect.set_options(timeout=PAGE_TIMEOUT_MS)
        running = playwright.chromium.launch(executable_path=find("chromium"), args=list(FLAGS))
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, tmp_path: Path) -> Iterator[Page]:
    """A fresh visitor; the last thing that they saw is kept in the test's folder."""
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    context.set_default_timeout(PAGE_TIMEOUT_MS)
    visitor = context.new_page()
    yield visitor
    visitor.screenshot(path=tmp_path / "last.png")
    context.close()


@contextmanager
def added_file(stack: Stack, path: Path) -> Iterator[str]:
    """Add a file to the library on the command line while the block runs; yield its track."""
    data = str(stack.database.parent)
    command = [sys.executable, "-m", "cli.main", "library", "add", str(path), "--json"]
    added = subprocess.run(
        command, env={**os.environ, "DATA_DIR": data}, capture_output=True, check=True
    )
    (track_id,) = json.loads(added.stdout)["added"]
    yield str(track_id)
    address = f"{stack.api_url}/library/tracks/{track_id}"
    with urllib.request.urlopen(
        urllib.request.Request(address, method="DELETE"), timeout=PATIENCE_S
    ):
        pass


@dataclass(frozen=True)
class Songs:
    """What the visitor uploads: a real song, and one whose tempo and key are known."""

    real: Path
    known: Path


@pytest.fixture(scope="session")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Songs:
    folder = tmp_path_factory.mktemp("songs")
    known = next(path for path in write_demo_songs(folder) if "Harbour Lights" in path.name)
    return Songs(demo_song(folder), known)


def choose(page: Page, stack: Stack, *paths: Path) -> Locator:
    """Choose files on the form; return the start button that counts them."""
    page.goto(stack.page())
    page.locator("input[type=file]").set_input_files(paths)
    noun = "track" if len(paths) == 1 else "tracks"
    start = page.get_by_role("button", name=f"Separate {len(paths)} {noun}")
    expect(start).to_be_enabled()
    settle(page)
    return start


def settle(page: Page) -> None:
    """Wait until the form is drawn for the last time: each file that arrives draws it anew."""
    page.wait_for_timeout(SETTLING_MS)
    expect(page.get_by_test_id("stApp")).to_have_attribute("data-test-script-state", "notRunning")


def pick(page: Page, label: str, option: str) -> None:
    """Choose from a list; one that the page draws anew meanwhile closes, and is opened again."""
    wanted = page.get_by_role("option", name=option)

    def is_open() -> bool:
        page.get_by_role("combobox", name=label).click()
        try:
            wanted.wait_for(timeout=SOON_MS)
        except PlaywrightTimeoutError:
            return False
        return True

    wait_until(is_open)
    wanted.click()


def upload(page: Page, stack: Stack, *paths: Path) -> None:
    choose(page, stack, *paths).click()


def cancel(page: Page, stack: Stack, job_id: str) -> None:
    """Cancel the job on the screen, and wait until that is on record."""
    page.get_by_role("button", name="Cancel").click()
    wait_until(lambda: stack.ask(f"/job/{job_id}")["state"] == "cancelled")


def job_of(page: Page) -> str:
    expect(page).to_have_url(re.compile(r"job=[0-9a-f-]{36}"))
    found = re.search(r"job=([0-9a-f-]{36})", page.url)
    assert found
    return found.group(1)


@pytest.fixture(scope="session")
def finished_job(browser: Browser, stack: Stack, songs: Songs) -> str:
    """A job of two tracks, submitted by hand and followed on the screen to its end."""
    context = browser.new_context()
    context.set_default_timeout(PAGE_TIMEOUT_MS)
    page = context.new_page()
    upload(page, stack, songs.real, songs.known)
    job_id = job_of(page)
    expect(page.get_by_role("button", name="Open results")).to_be_visible(timeout=JOB_TIMEOUT_MS)
    assert stack.ask(f"/job/{job_id}")["state"] == "completed"
    page.get_by_role("button", name="Open results").click()
    expect(page).to_have_url(re.compile(rf"/results\?job={job_id}"))
    context.close()
    return job_id
