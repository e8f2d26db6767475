"""A visitor's way through the workbench, in a real browser on the real stack."""

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, Locator, Page, expect

from tests.conditions import wait_until
from tests.e2e.conftest import JOB_TIMEOUT_MS, Songs, Stack, cancel, job_of, upload
from tests.programs import requires
from ui.places import PLACES, Place

pytestmark = requires("chromium")


def metric(page: Page, label: str) -> Any:
    """The value of the metric with this label."""
    box = page.get_by_test_id("stMetric").filter(has_text=label).filter(visible=True)
    return box.get_by_test_id("stMetricValue")


def shown(page: Page, text: str) -> Locator:
    """The first place where a text is seen: labels of boxes are there for readers alone."""
    return page.get_by_text(text).filter(visible=True).first


def test_the_workbench_keeps_its_manners_wherever_it_is_started(page: Page, stack: Stack) -> None:
    """Away from the checkout it offered to publish the page, and sent statistics on its use."""
    page.goto(stack.page())
    expect(page.get_by_role("heading", name="Separate", exact=True)).to_be_visible()
    expect(page.get_by_test_id("stAppDeployButton")).to_have_count(0)
    assert "usage statistics" not in stack.log.read_text()


def test_results_list_the_tracks_and_lead_to_each(
    page: Page, stack: Stack, finished_job: str
) -> None:
    """The tracks were tabs, of which the last lay 7,000 px to the right."""
    audio = []
    page.on("request", lambda asked: audio.append(asked.url) if "/segments/" in asked.url else None)
    page.goto(stack.page(f"/results?job={finished_job}"))
    expect(page.get_by_role("heading", name="Stemcrate set")).to_be_visible()
    rows = page.locator(".tracks a")
    expect(rows).to_have_count(2)
    expect(rows.nth(1)).to_contain_text("Harbour Lights")
    expect(rows.nth(1)).to_contain_text("124.0 BPM")
    expect(rows.nth(1)).to_contain_text("8A")
    drawn = "(all) => all.filter((canvas) => canvas.width > 0 && canvas.getContext('2d')"
    drawn += ".getImageData(0, 0, canvas.width, canvas.height).data.some(Boolean)).length"
    wait_until(lambda: page.locator(".tracks canvas").evaluate_all(drawn) == 2)
    assert not audio
    rows.nth(1).click()
    expect(page).to_have_url(re.compile(rf"/track\?job={finished_job}&track=1"))
    expect(page.get_by_role("heading", name="Harbour Lights")).to_be_visible()


def test_a_track_shows_what_was_found(page: Page, stack: Stack, finished_job: str) -> None:
    page.goto(stack.page(f"/track?job={finished_job}&track=1"))
    expect(metric(page, "BPM")).to_have_text("124.0")
    expect(metric(page, "Key")).to_have_text("A minor")
    expect(metric(page, "Camelot")).to_have_text("8A")
    files = page.locator(".sc-files b")
    expect(files).to_have_text(["Vocals", "Accompaniment", "Main"])


def test_the_playlist_tells_its_order_and_why(page: Page, stack: Stack, finished_job: str) -> None:
    page.goto(stack.page(f"/results?job={finished_job}"))
    expect(page.locator(".sc-song")).to_have_count(2)
    expect(page.locator(".sc-mix")).to_contain_text("BPM")
    expect(page.locator("svg.wheel")).to_have_attribute("aria-label", re.compile("8A"))
    link = page.get_by_role("link", name="Download M3U8")
    expect(link).to_have_attribute("href", re.compile("^/api/download/"))


def test_every_download_saves_its_file(
    page: Page, stack: Stack, finished_job: str, tmp_path: Path
) -> None:
    """ "Download" under a stem opened a tab that played it."""
    page.goto(stack.page(f"/results?job={finished_job}"))
    links = page.get_by_role("link", name=re.compile("^Download "))
    expect(links).to_have_count(2)  # the ZIP, the playlist
    save(page, links, tmp_path)
    page.goto(stack.page(f"/track?job={finished_job}&track=1"))
    links = page.get_by_role("link", name=re.compile("^Download "))
    expect(links).to_have_count(5)  # three outputs; two stems in the player
    save(page, links, tmp_path)
    assert len(list(tmp_path.iterdir())) == 5
    assert len(page.context.pages) == 1


def save(page: Page, links: Locator, folder: Path) -> None:
    for link in links.filter(visible=True).all():
        with page.expect_download() as download:
            link.click()
        path = folder / download.value.suggested_filename
        download.value.save_as(path)
        assert path.stat().st_size > 0


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
    expect(shown(page, "Harbour Lights")).to_be_visible()
    search = page.get_by_label("Search")
    search.fill("harbour")
    search.press("Enter")
    expect(page).to_have_url(re.compile("text=harbour"))
    page.reload()
    expect(shown(page, "Harbour Lights")).to_be_visible()
    search.fill(finished_job)
    search.press("Enter")
    expect(page.locator("[class*=st-key-open-]")).to_have_count(1)
    page.locator(f".st-key-open-{finished_job} button").click()
    expect(page).to_have_url(re.compile(rf"/results\?job={finished_job}"))
    expect(page.locator(".tracks a")).to_have_count(2)


def test_an_unknown_job_is_a_message(page: Page, stack: Stack) -> None:
    page.goto(stack.page("/results?job=nobody-knows-me"))
    expect(page.get_by_role("alert")).to_contain_text("nobody-knows-me")
    page.goto(stack.page("/history"))
    page.get_by_label("Search").fill("nor-me")
    page.get_by_label("Search").press("Enter")
    expect(page.get_by_text("No job matches")).to_be_visible()


def test_a_job_is_deleted_after_a_question(page: Page, stack: Stack, songs: Songs) -> None:
    with stack.held_worker():
        upload(page, stack, songs.known)
        job_id = job_of(page)
        cancel(page, stack, job_id)
    expect(page.get_by_role("button", name="New job")).to_be_visible(timeout=JOB_TIMEOUT_MS)
    page.get_by_role("button", name="Details").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page).to_have_url(re.compile("/history"))
    page.goto(stack.page(f"/results?job={job_id}"))
    expect(page.get_by_role("alert")).to_contain_text(job_id)


def test_several_jobs_are_tried_again_and_deleted_at_once(
    page: Page, stack: Stack, songs: Songs
) -> None:
    ids = []
    with stack.held_worker():
        for _ in range(2):
            upload(page, stack, songs.known)
            ids.append(job_of(page))
            cancel(page, stack, ids[-1])
        page.goto(stack.page("/history?state=cancelled"))
        for name in ("Try 2 again", "Delete"):
            for job_id in ids:
                page.locator(f".st-key-history-chosen-{job_id} label").click()
            page.get_by_role("button", name=name, exact=True).click()
            if name == "Delete":
                break
            expect_gone(page, ids)
            page.goto(stack.page("/history?state=queued"))
        page.get_by_role("button", name="Delete, free 0 B").click()
        expect_gone(page, ids)
    left: Any = stack.ask("/jobs")["jobs"]
    assert not {*ids} & {job["job_id"] for job in left}


def expect_gone(page: Page, job_ids: list[str]) -> None:
    """Other tests may leave jobs in the list."""
    for job_id in job_ids:
        expect(page.locator(f".st-key-history-chosen-{job_id}")).to_have_count(0)


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
