"""Opens the player of a track, and works its engine.

The page is opened with `localStorage['stemcrate.debug']`, which shows the engine of the player as
`stemcrateEngine`; conditions and expressions call it `engine`.
"""

from typing import Any

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Stack
from tests.e2e.listening import load_tap

REAL, KNOWN = 0, 1
"""The tracks of the finished job: a real song, and one whose tempo and key are known."""
ENGINE = "stemcrateEngine"
DEBUG = "localStorage.setItem('stemcrate.debug', '1')"


def open_player(page: Page, stack: Stack, job: str, track: int) -> None:
    page.add_init_script(DEBUG)
    page.goto(stack.page(f"/track?job={job}&track={track}"))
    expect(page.locator(".player")).to_be_visible()


def wait_for(page: Page, condition: str) -> None:
    page.wait_for_function(condition.replace("engine", ENGINE))


def play(page: Page) -> None:
    wait_for(page, "engine.session !== null")
    load_tap(page)
    page.keyboard.press("Space")
    wait_for(page, "engine.state === 'playing'")


def state(page: Page, expression: str) -> Any:
    return page.evaluate(expression.replace("engine", ENGINE))


def set_mix(page: Page, **values: float) -> None:
    changes = "".join(f"mix.{name} = {value};" for name, value in values.items())
    state(page, f"engine.session.change((mix) => {{ {changes} }})")
