"""Barriers that axe-core finds on the pages, in both themes."""

from importlib.resources import files
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import Songs, Stack, added_file
from ui.places import PLACES, Place

AXE = files("axe_playwright_python").joinpath("axe.min.js").read_text("utf-8")
# Streamlit's own: its toolbar, its navigation, and frames that its widgets are made of.
FOREIGN = (
    '[data-testid="stHeader"]',
    '[data-testid="stSidebar"]',
    '[data-testid="stStatusWidget"]',
)
STANDARDS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.title)
def test_a_page_has_no_barrier(
    browser: Browser, stack: Stack, finished_job: str, place: Place, theme: Any
) -> None:
    context = browser.new_context(color_scheme=theme, reduced_motion="reduce")
    page = context.new_page()
    page.goto(stack.page(f"{place.address}?job={finished_job}"))
    expect(page.locator(".sc-head h1")).to_be_visible()
    expect(page.get_by_test_id("stSkeleton")).to_have_count(0)
    page.wait_for_load_state("networkidle")
    found = barriers(page)
    context.close()
    assert not found, "\n".join(found)


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_track_without_a_job_has_no_barrier(
    browser: Browser, stack: Stack, finished_job: str, songs: Songs, theme: Any
) -> None:
    """Its page has a player of one lane, and a list of what goes with it."""
    copy = songs.known.with_name(f"{theme}.wav")
    copy.write_bytes(songs.known.read_bytes() + theme.encode())  # other bytes: another track
    with added_file(stack, copy) as track_id:
        context = browser.new_context(color_scheme=theme, reduced_motion="reduce")
        page = context.new_page()
        page.goto(stack.page(f"/track?id={track_id}"))
        expect(page.locator(".player")).to_be_visible()
        page.get_by_text("Goes with").click()
        expect(page.locator(".sc-set li").first).to_be_visible()
        page.get_by_text("Correct", exact=True).click()
        expect(page.get_by_role("region", name="Corrections")).to_be_visible()
        found = barriers(page)
        context.close()
    assert not found, "\n".join(found)


def barriers(page: Page) -> list[str]:
    """Return what axe-core finds, one line for each element."""
    page.evaluate(AXE)
    answer = page.evaluate(
        "([exclude, values]) => axe.run({exclude}, {runOnly: {type: 'tag', values}})",
        [[[selector] for selector in FOREIGN], STANDARDS],
    )
    return [
        f"{violation['id']}: {node['html'][:160]} ({' '.join(map(str, node['target']))[:120]}) "
        f"{node['failureSummary'].splitlines()[-1].strip()[:160]}"
        for violation in answer["violations"]
        for node in violation["nodes"]
    ]
