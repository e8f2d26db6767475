"""The page Separate on the real stack: files into the API, and a job that is followed."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile
from playwright.sync_api import Browser, Page, expect

from tests.conditions import wait_until
from tests.e2e.conftest import JOB_TIMEOUT_MS, Songs, Stack, cancel, choose, job_of, settle, upload
from tests.programs import requires

pytestmark = requires("chromium")
MB = 1_000_000


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file of 100 MB."""
    path = tmp_path_factory.mktemp("noise") / "large.wav"
    samples = np.random.default_rng(0).integers(-3000, 3000, 50 * MB, dtype=np.int16)
    soundfile.write(path, samples, 44_100, subtype="PCM_16")
    return path


def slow_down(page: Page, bytes_per_s: int) -> None:
    """Let the browser send this fast."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    limits = {"offline": False, "latency": 0, "downloadThroughput": -1}
    session.send("Network.emulateNetworkConditions", {**limits, "uploadThroughput": bytes_per_s})


def line_of(page: Page, path: Path) -> Any:
    return page.locator(".files li").filter(has_text=path.name)


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)], ids=["desktop", "phone"])
def test_everything_that_is_needed_is_on_one_screen(
    browser: Browser, stack: Stack, size: tuple[int, int]
) -> None:
    """The start button was 150 px below a laptop's screen, and screens away on a phone."""
    context = browser.new_context(viewport={"width": size[0], "height": size[1]})
    page = context.new_page()
    page.goto(stack.page())
    for part in (
        page.get_by_role("button", name="Choose files"),
        page.get_by_role("radio").last,
        page.get_by_role("button", name="Separate", exact=True),
    ):
        expect(part).to_be_visible()
        expect(part).to_be_in_viewport()
    context.close()


def test_a_file_goes_past_the_workbench_in_any_size(page: Page, stack: Stack, noise: Path) -> None:
    """Streamlit held every file in memory, twice while it was handed over."""
    page.goto(stack.page())
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    most = before = stack.workbench_bytes()
    with stack.held_worker():
        start = choose(page, stack, noise)
        while line_of(page, noise).get_attribute("data-state") != "done":
            most = max(most, stack.workbench_bytes())
            page.wait_for_timeout(100)
        start.click()
        cancel(page, stack, job_of(page))
    expect(page.get_by_role("button", name="New job")).to_be_visible(timeout=JOB_TIMEOUT_MS)
    assert max(most, stack.workbench_bytes()) - before < 20 * MB


def test_an_upload_pauses_goes_on_and_starts_the_job_by_itself(
    page: Page, stack: Stack, songs: Songs
) -> None:
    slow_down(page, MB)
    with stack.held_worker():
        start = choose(page, stack, songs.known)
        line = line_of(page, songs.known)
        line.get_by_role("button", name="Pause").click()
        expect(line).to_contain_text("Paused")
        start.click()
        expect(page.get_by_text("Starts as soon as the files have arrived")).to_be_visible()
        line.get_by_role("button", name="Go on").click()
        job_id = job_of(page)
        tracks: Any = stack.ask(f"/job/{job_id}")["tracks"]
        assert tracks[0]["name"] == songs.known.name
        cancel(page, stack, job_id)


def test_an_upload_outlives_the_api(page: Page, stack: Stack, noise: Path) -> None:
    slow_down(page, 10 * MB)
    choose(page, stack, noise)
    line = line_of(page, noise)
    wait_until(lambda: re.match(r"[1-9]\d? %", line.locator(".state").inner_text()))
    children = psutil.Process(stack.process.pid).children()
    next(child for child in children if "api" in child.cmdline()).kill()
    expect(line).to_contain_text("trying again")
    slow_down(page, -1)
    expect(line).to_have_attribute("data-state", "done", timeout=JOB_TIMEOUT_MS)
    line.get_by_role("button", name="Remove").click()
    expect(line).to_have_count(0)


def test_files_stay_while_another_page_is_open_and_after_a_reload(
    page: Page, stack: Stack, songs: Songs
) -> None:
    choose(page, stack, songs.known)
    line = line_of(page, songs.known)
    expect(line).to_have_attribute("data-state", "done")
    page.get_by_role("link", name="History").click()
    expect(page.get_by_label("Search")).to_be_visible()
    page.get_by_role("link", name="Separate").click()
    expect(line).to_have_attribute("data-state", "done")
    page.reload()
    expect(page.get_by_role("button", name="Separate 1 track")).to_be_enabled()
    line.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("button", name="Separate", exact=True)).to_be_disabled()


def test_files_that_cannot_be_used_say_why_beside_their_names(
    page: Page, stack: Stack, songs: Songs, tmp_path: Path
) -> None:
    text, picture, empty = (tmp_path / name for name in ("text.mp3", "cover.png", "empty.wav"))
    text.write_text("This is a letter, not a song. " * 50)
    picture.write_bytes(b"\x89PNG")
    empty.write_bytes(b"")
    page.goto(stack.page())
    page.locator("input[type=file]").set_input_files([text, picture, empty, songs.known])
    expect(line_of(page, picture)).to_contain_text("not an audio file")
    expect(line_of(page, empty)).to_contain_text("empty")
    start = page.get_by_role("button", name="Separate 2 tracks")
    expect(start).to_be_enabled()
    settle(page)
    start.click()
    expect(line_of(page, text)).to_contain_text("text.mp3")
    expect(line_of(page, text).locator(".error")).not_to_be_empty()
    expect(page.get_by_role("alert").first).to_contain_text("1 file cannot be used")
    # The good one is still there, and starts without being sent again.
    with stack.held_worker():
        page.get_by_role("button", name="Separate 1 track").click()
        cancel(page, stack, job_of(page))


def test_a_reload_in_the_middle_comes_back_to_the_job_and_cancel_ends_it(
    page: Page, stack: Stack, songs: Songs
) -> None:
    with stack.held_worker():
        upload(page, stack, songs.known)
        job_id = job_of(page)
        expect(page.get_by_text("Waiting for a worker")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name=songs.known.name)).to_be_visible()
        expect(page.locator(".stages [data-state=pending]").first).to_be_visible()
        expect(page).to_have_title(re.compile(f"Waiting for a worker – {songs.known.name}"))
        cancel(page, stack, job_id)
    expect(page.get_by_role("button", name="New job")).to_be_visible(timeout=JOB_TIMEOUT_MS)
    expect(page.locator(".sc-head")).to_contain_text("Cancelled")


def test_a_job_is_followed_to_its_end_without_a_question_to_the_workbench(
    page: Page, stack: Stack, songs: Songs
) -> None:
    """A tab that watched asked once a second, and did not tell anybody of the end."""
    upload(page, stack, songs.known)
    job_of(page)
    expect(page).to_have_title(re.compile(r"\d+ % – "), timeout=JOB_TIMEOUT_MS)
    expect(page.locator("[aria-live=polite]").last).not_to_be_empty()
    expect(page.locator(".sc-head")).to_contain_text("Done", timeout=JOB_TIMEOUT_MS)
    page.get_by_role("button", name="Again with other options").click()
    expect(page.get_by_text("Once more")).to_be_visible()
    page.get_by_text("Analysis only").click()
    page.get_by_role("button", name="Analyse 1 track").click()
    expect(page).to_have_url(re.compile(r"job="))
    expect(page.locator(".sc-head")).to_contain_text("Done", timeout=JOB_TIMEOUT_MS)
