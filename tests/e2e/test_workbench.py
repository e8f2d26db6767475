"""A visitor's way through the workbench, in a real browser on the real stack."""

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Page, expect

from tests.conditions import wait_until
from tests.e2e.conftest import Songs, Stack
from tests.programs import requires
from ui.places import PLACES, Place

JOB_TIMEOUT_MS = 300_000
pytestmark = requires("chromium")


def upload(page: Page, stack: Stack, *paths: Path) -> None:
    page.goto(stack.page())
    page.get_by_test_id("stFileUploaderDropzoneInput").set_input_files(paths)
    noun = "track" if len(paths) == 1 else "tracks"
    start = page.get_by_role("button", name=f"Separate {len(paths)} {noun}")
    expect(start).to_be_enabled()
    start.click()


def job_of(page: Page) -> str:
    expect(page).to_have_url(re.compile(r"job=[0-9a-f-]{36}"))
    found = re.search(r"job=([0-9a-f-]{36})", page.url)
    assert found
    return found.group(1)


def cancel(page: Page, stack: Stack, job_id: str) -> None:
    """Cancel the job on the screen, and wait until that is on record."""
    page.get_by_role("button", name="Cancel").click()
    wait_until(lambda: stack.ask(f"/job/{job_id}")["state"] == "cancelled")


def metric(page: Page, label: str) -> Any:
    """The value of the metric with this label, on the tab that is open."""
    box = page.get_by_test_id("stMetric").filter(has_text=label).filter(visible=True)
    return box.get_by_test_id("stMetricValue")


@pytest.fixture(scope="module")
def finished_job(browser: Browser, stack: Stack, songs: Songs) -> str:
    """A job of two tracks, submitted by hand and followed on the screen to its end."""
    context = browser.new_context()
    page = context.new_page()
    upload(page, stack, songs.real, songs.known)
    job_id = job_of(page)
    expect(page.get_by_role("button", name="Open results")).to_be_visible(timeout=JOB_TIMEOUT_MS)
    assert stack.ask(f"/job/{job_id}")["state"] == "completed"
    page.get_by_role("button", name="Open results").click()
    expect(page).to_have_url(re.compile(rf"/results\?job={job_id}"))
    context.close()
    return job_id


def test_the_workbench_keeps_its_manners_wherever_it_is_started(page: Page, stack: Stack) -> None:
    """Away from the checkout it offered to publish the page, and sent statistics on its use."""
    page.goto(stack.page())
    expect(page.get_by_role("heading", name="Separate tracks")).to_be_visible()
    expect(page.get_by_test_id("stAppDeployButton")).to_have_count(0)
    assert "usage statistics" not in stack.log.read_text()


def test_results_show_what_was_found_in_each_track(
    page: Any, stack: Any, finished_job: Any
) -> None:
    page.goto(stack.page(f"/results?job={finished_job}"))
    expect(page.get_by_role("heading", name="Stemcrate set")).to_be_visible()
    expect(metric(page, "BPM")).to_have_text(re.compile(r"\d+\.\d"))

    page.get_by_role("tab", name=re.compile("Harbour Lights")).click()
    expect(metric(page, "BPM")).to_have_text("124.0")
    expect(metric(page, "Key")).to_have_text("A minor")
    expect(metric(page, "Camelot")).to_have_text("8A")
    lanes = page.locator(".sc-lane b").filter(visible=True)
    stems = ["Vocals", "Accompaniment"]
    composites = ["Main", "Acapella", "Instrumental", "Main harmonic", "Main percussive"]
    expect(lanes).to_have_text([*stems, *composites])
    pictures = page.locator("svg.sc-wave").filter(visible=True)
    expect(pictures).to_have_count(7)
    expect(pictures.first).to_have_attribute("aria-label", "Waveform of Vocals")
    assert pictures.nth(1).bounding_box()["width"] > 200


def test_the_playlist_tells_its_order_and_why(page: Page, stack: Stack, finished_job: str) -> None:
    page.goto(stack.page(f"/results?job={finished_job}"))
    expect(page.locator(".sc-song")).to_have_count(2)
    expect(page.locator(".sc-mix")).to_contain_text("BPM")
    expect(page.locator("svg.sc-wheel")).to_have_attribute("aria-label", re.compile("8A"))
    link = page.get_by_role("link", name="Download M3U8")
    expect(link).to_have_attribute("href", re.compile(f"^{stack.api_url}/download/"))


def test_players_get_their_bytes_from_the_api(page: Page, stack: Stack, finished_job: str) -> None:
    """Audio that passes through Streamlit costs its memory, once for each file and visitor."""
    page.goto(stack.page(f"/results?job={finished_job}"))
    players = page.get_by_test_id("stAudio")
    expect(players).to_have_count(7)
    sources = players.evaluate_all("players => players.map(player => player.src)")
    assert all(source.startswith(f"{stack.api_url}/download/{finished_job}/") for source in sources)
    page.wait_for_function(
        "[...document.querySelectorAll('audio')].every(player => player.duration > 5)"
    )


def test_every_download_saves_its_file(
    page: Page, stack: Stack, finished_job: str, tmp_path: Path
) -> None:
    """ "Download" under a stem opened a tab that played it."""
    page.goto(stack.page(f"/results?job={finished_job}"))
    page.get_by_role("tab", name=re.compile("Harbour Lights")).click()
    links = page.get_by_role("link", name=re.compile("^Download ")).filter(visible=True)
    expect(links).to_have_count(9)  # the ZIP, the playlist, seven stems and composites
    for link in links.all():
        with page.expect_download() as download:
            link.click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        assert path.stat().st_size > 0
    assert len(list(tmp_path.iterdir())) == 9
    assert len(page.context.pages) == 1


def test_the_zip_holds_stems_that_sum_to_the_song(
    page: Page, stack: Stack, finished_job: str, tmp_path: Path
) -> None:
    page.goto(stack.page(f"/results?job={finished_job}"))
    with page.expect_download(timeout=120_000) as download:
        page.get_by_role("link", name="Download everything (ZIP").click()
    path = tmp_path / "all.zip"
    download.value.save_as(path)
    with zipfile.ZipFile(path) as pack:
        assert pack.testzip() is None
        pack.extractall(tmp_path / "pack")
    folders = [folder for folder in (tmp_path / "pack").iterdir() if folder.is_dir()]
    assert len(folders) == 2
    for folder in folders:
        (main,) = folder.glob("*[[]main[]].*")
        stems = [read(path) for stem in ("vocals", "accompaniment") for path in named(folder, stem)]
        assert len(stems) == 2
        assert np.array_equal(sum(stems), read(main)), folder.name
    playlists = list((tmp_path / "pack").glob("*.m3u8"))
    assert len(playlists) == 1


def named(folder: Path, stem: str) -> list[Path]:
    return list(folder.glob(f"*[[]{stem}[]].*"))


def read(path: Path) -> Any:
    """Read 24-bit audio as whole numbers, so that equal means equal."""
    samples, _ = soundfile.read(path, dtype="int32")
    return samples.astype(np.int64) >> 8


def test_history_reopens_a_job(page: Page, stack: Stack, finished_job: str) -> None:
    page.goto(stack.page("/history"))
    expect(page.get_by_text("Harbour Lights").first).to_be_visible()
    page.get_by_label("Job id").fill(finished_job)
    page.get_by_role("button", name="Open").first.click()
    expect(page).to_have_url(re.compile(rf"/results\?job={finished_job}"))
    expect(metric(page, "BPM")).to_be_visible()


def test_an_unknown_job_is_a_message(page: Page, stack: Stack) -> None:
    page.goto(stack.page("/results?job=nobody-knows-me"))
    expect(page.get_by_role("alert")).to_contain_text("nobody-knows-me")
    page.goto(stack.page("/history"))
    page.get_by_label("Job id").fill("nor-me")
    page.get_by_role("button", name="Open").first.click()
    expect(page.get_by_role("alert")).to_contain_text("nor-me")


def test_a_file_that_is_no_audio_is_refused_by_its_name(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    bad = tmp_path / "not really.mp3"
    bad.write_text("This is a letter, not a song. " * 50)
    upload(page, stack, bad)
    expect(page.get_by_role("alert")).to_contain_text("not really.mp3")
    expect(page.get_by_test_id("stException")).to_have_count(0)


def test_a_reload_in_the_middle_comes_back_to_the_job_and_cancel_ends_it(
    page: Page, stack: Stack, songs: Songs
) -> None:
    with stack.held_worker():
        upload(page, stack, songs.known)
        job_id = job_of(page)
        expect(page.get_by_text("Waiting for a worker")).to_be_visible()
        page.reload()
        expect(page.get_by_role("heading", name=songs.known.name)).to_be_visible()
        expect(page.locator(".sc-stages [data-state=pending]").first).to_be_visible()
        cancel(page, stack, job_id)
    expect(page.get_by_role("button", name="New job")).to_be_visible(timeout=JOB_TIMEOUT_MS)
    expect(page.locator(".sc-head")).to_contain_text("Cancelled")


def test_a_file_that_was_handed_over_leaves_the_memory_of_the_workbench(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    """Streamlit kept every file that a visitor had sent until long after they had gone."""
    n_bytes = 100_000_000
    large = tmp_path / "large.wav"
    noise = np.random.default_rng(0).integers(-3000, 3000, n_bytes // 2, dtype=np.int16)
    soundfile.write(large, noise, 44_100, subtype="PCM_16")
    page.goto(stack.page())
    expect(page.get_by_role("button", name="Separate")).to_be_visible()
    before = stack.workbench_bytes()
    with stack.held_worker():
        upload(page, stack, large)
        cancel(page, stack, job_of(page))
    expect(page.get_by_role("button", name="New job")).to_be_visible(timeout=JOB_TIMEOUT_MS)
    wait_until(lambda: stack.workbench_bytes() - before < n_bytes / 2)


def test_a_job_is_deleted_after_a_question(page: Page, stack: Stack, songs: Songs) -> None:
    with stack.held_worker():
        upload(page, stack, songs.known)
        job_id = job_of(page)
        cancel(page, stack, job_id)
    expect(page.get_by_role("button", name="New job")).to_be_visible(timeout=JOB_TIMEOUT_MS)
    page.get_by_role("button", name="Open results").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page).to_have_url(re.compile("/history"))
    page.goto(stack.page(f"/results?job={job_id}"))
    expect(page.get_by_role("alert")).to_contain_text(job_id)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.title)
@pytest.mark.parametrize("query", ["", "?job={job}"], ids=["empty", "with a job"])
def test_no_page_is_wider_than_a_phone(
    browser: Browser, stack: Stack, finished_job: str, place: Place, query: str
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(stack.page(place.address + query.format(job=finished_job)))
    expect(page.locator(".sc-head h1")).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    # Pictures and players settle after the text; a page that is too wide never does.
    page.wait_for_function(
        "() => { const main = document.querySelector('[data-testid=stMain]');"
        " return main !== null && main.scrollWidth === main.clientWidth; }"
    )
    context.close()
