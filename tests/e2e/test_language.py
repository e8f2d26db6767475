"""The workbench in the language of the browser, and in another one."""

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import PAGE_TIMEOUT_MS, Stack, pick
from tests.programs import requires

pytestmark = requires("chromium")


@pytest.fixture
def german(browser: Browser) -> Iterator[Page]:
    """A visitor from Austria."""
    context = browser.new_context(locale="de-AT", viewport={"width": 1400, "height": 900})
    context.set_default_timeout(PAGE_TIMEOUT_MS)
    yield context.new_page()
    context.close()


def test_the_workbench_takes_the_language_of_the_browser(
    german: Page, stack: Stack, finished_job: str
) -> None:
    german.goto(stack.page(f"/track?job={finished_job}&track=1"))
    expect(german.get_by_role("button", name="Abspielen", exact=True)).to_be_visible()
    expect(german.get_by_role("group", name="Begleitung")).to_be_visible()
    expect(german.locator("html")).to_have_attribute("lang", "de")
    german.get_by_role("link", name="Bibliothek").click()
    expect(german.get_by_role("heading", name="Bibliothek", exact=True)).to_be_visible()
    expect(german.get_by_role("button", name="Filter", exact=True)).to_be_visible()


def test_another_language_can_be_chosen(german: Page, stack: Stack) -> None:
    """What scripts had drawn stayed in the language before."""
    german.goto(stack.page())
    expect(german.get_by_role("heading", name="Separieren", exact=True)).to_be_visible()
    expect(german.get_by_text("Songs hier ablegen")).to_be_visible()
    pick(german, "Sprache", "English")
    expect(german.get_by_role("heading", name="Separate", exact=True)).to_be_visible()
    expect(german.get_by_text("Drop songs here")).to_be_visible()
    expect(german).to_have_url(re.compile(r"\?lang=en$"))
    german.reload()
    expect(german.get_by_role("heading", name="Separate", exact=True)).to_be_visible()
    expect(german.locator("html")).to_have_attribute("lang", "en")
