"""The real stack, once a session: API, worker and workbench as `stemcrate serve` starts them, over
a temporary folder, started from there, and a browser in front.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from cli.demo_songs import demo_song, write_demo_songs
from tests.conditions import PATIENCE_S, wait_until
from tests.processes import held_ports
from tests.programs import find

PAGE_TIMEOUT_MS = 60_000
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

    def workbench_bytes(self) -> int:
        """Memory of the process that serves the pages."""
        children = psutil.Process(self.process.pid).children()
        workbench = next(child for child in children if "ui" in child.cmdline())
        return int(workbench.memory_info().rss)

    def is_being_written(self) -> bool:
        with closing(sqlite3.connect(self.database, timeout=0, isolation_level=None)) as database:
            try:
                database.execute("begin immediate")
            except sqlite3.OperationalError:
                return True
            database.execute("rollback")
            return False

    @contextmanager
    def held_worker(self) -> Iterator[None]:
        """Stop the worker from taking jobs while the block runs, so that no job can outrun it."""
        children = psutil.Process(self.process.pid).children()
        worker = next(child for child in children if "worker" in child.cmdline())
        stop(worker)
        try:
            # Stopped in the middle of a write, it would keep all others from writing.
            while self.is_being_written():
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


@pytest.fixture(scope="package")
def ports() -> Iterator[list[int]]:
    with held_ports(2) as ports:
        yield ports


@pytest.fixture(scope="package")
def stack(tmp_path_factory: pytest.TempPathFactory, ports: list[int]) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    api_port, ui_port = ports
    api_url, ui_url = f"http://127.0.0.1:{api_port}", f"http://127.0.0.1:{ui_port}"
    environment = {
        **os.environ,
        "DATA_DIR": str(folder / "data"),
        "DATABASE_URL": "",
        "API_PORT": str(api_port),
        "UI_PORT": str(ui_port),
        "API_URL": api_url,
        "PUBLIC_API_URL": "",
        "SEPARATOR_MODEL": "spleeter",
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


def is_up(running: Stack) -> bool:
    assert running.process.poll() is None, "stemcrate serve ended by itself"
    urls = (f"{running.api_url}/health", f"{running.ui_url}/_stcore/health")
    return all(map(answers, urls)) and running.ask("/health")["workers"] == 1


@pytest.fixture(scope="package")
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


@dataclass(frozen=True)
class Songs:
    """What the visitor uploads: a real song, and one whose tempo and key are known."""

    real: Path
    known: Path


@pytest.fixture(scope="package")
def songs(tmp_path_factory: pytest.TempPathFactory) -> Songs:
    folder = tmp_path_factory.mktemp("songs")
    known = next(path for path in write_demo_songs(folder) if "Harbour Lights" in path.name)
    return Songs(demo_song(folder), known)
