"""The workbench as a visitor feels it, in a real browser on a demo installation.

    python -m bench.ui [--json]

For each page: seconds until its content stands, for the first visitor after the start, whose
browser has loaded nothing yet (cold), and when the same browser comes again (warm); and how much
the layout shifts at most. Then the seconds of a rerun after a click, the share of a core that five
tabs take which only watch, and what memory the workbench's process needs more while a file of
500 MB is uploaded.
"""

import statistics
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser, BrowserContext, Page

from bench.report import report
from bench.trial import write_recording
from bench.visited import HEADING, IDLE, Installation, chromium, installation, process_demo, settle
from ui.places import PLACES

N_WARM = 3
N_CLICKS = 5
N_TABS = 5
WATCHED_S = 30.0
UPLOAD_S = 1299.0
"""A recording of just under 500 MB."""
VIEW = {"width": 1440, "height": 900}
SHIFTS = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: 'layout-shift', buffered: true });
"""


def main() -> None:
    with TemporaryDirectory() as work, chromium() as browser:
        with installation(Path(work)) as running:
            job_id = process_demo(running, Path(work))
        figures: dict[str, float | str] = {}
        # Started again: nothing of the workbench is in memory or cached.
        with installation(Path(work)) as running:
            for place in PLACES:
                url = f"{running.url}{place.address}?job={job_id}"
                name = place.title
                context = browser.new_context(viewport=VIEW)  # type: ignore[arg-type]
                context.add_init_script(SHIFTS)
                cold, *warm = [visit(context, url) for _ in range(1 + N_WARM)]
                context.close()
                figures[f"{name}: cold, s"], _ = cold
                figures[f"{name}: warm, s"] = statistics.median(seconds for seconds, _ in warm)
                figures[f"{name}: layout shift"] = max(shift for _, shift in (cold, *warm))
            figures["rerun after a click, s"] = rerun(browser, running)
            figures["five watching tabs, share of a core"] = watch(browser, running, job_id)
            figures["memory for an upload of 500 MB, MB"] = upload(browser, running, Path(work))
    report("workbench", figures)


def visit(context: BrowserContext, url: str) -> tuple[float, float]:
    """Return the seconds until a page's content stands, and its layout shift."""
    page = context.new_page()
    began = time.perf_counter()
    page.goto(url, wait_until="commit")
    page.locator(HEADING).wait_for(timeout=60_000)
    page.locator(IDLE).wait_for(state="attached", timeout=60_000)
    seconds = time.perf_counter() - began
    settle(page)
    shift = float(page.evaluate("window.shifted"))
    page.close()
    return seconds, shift


def rerun(browser: Browser, running: Installation) -> float:
    """Return the median seconds from a click on a choice until the page rests."""
    context = browser.new_context(viewport=VIEW)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(running.url)
    settle(page)
    choices = page.get_by_role("radio")
    clicks = [partial(choices.nth(n % 2).click, force=True) for n in range(1, N_CLICKS + 1)]
    times = [_timed(page, click) for click in clicks]
    context.close()
    return statistics.median(times)


def _timed(page: Page, act: Callable[[], object]) -> float:
    page.wait_for_timeout(500)
    page.evaluate(
        """() => {
          const app = document.querySelector('[data-testid="stApp"]');
          window.rested = null;
          const seen = new MutationObserver(() => {
            if (app.dataset.testScriptState === 'notRunning') window.rested = performance.now();
          });
          seen.observe(app, { attributes: true, attributeFilter: ['data-test-script-state'] });
          document.addEventListener('click', () => { window.clicked = performance.now(); },
            { capture: true, once: true });
        }"""
    )
    act()
    page.wait_for_function("window.rested !== null", timeout=60_000)
    return float(page.evaluate("(window.rested - window.clicked) / 1000"))


def watch(browser: Browser, running: Installation, job_id: str) -> float:
    """Return the share of a core that the installation takes while tabs watch, beyond idling."""
    began = running.cpu_s()
    time.sleep(WATCHED_S)
    idle = running.cpu_s() - began
    context = browser.new_context(viewport=VIEW)  # type: ignore[arg-type]
    for place in PLACES[:N_TABS]:
        page = context.new_page()
        page.goto(f"{running.url}{place.address}?job={job_id}")
        settle(page)
    began = running.cpu_s()
    time.sleep(WATCHED_S)
    watched = running.cpu_s() - began
    context.close()
    return max(0.0, watched - idle) / WATCHED_S


def upload(browser: Browser, running: Installation, folder: Path) -> float:
    """Return the megabytes that the workbench's process grows while the largest file arrives."""
    path = write_recording(folder / "large.wav", UPLOAD_S, 0)
    context = browser.new_context(viewport=VIEW)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(running.url)
    settle(page)
    most = before = running.workbench_bytes()
    page.locator("input[type=file]").set_input_files(path)
    line = page.locator(".files li")
    while line.count() == 0 or line.get_attribute("data-state") != "done":
        most = max(most, running.workbench_bytes())
        page.wait_for_timeout(100)
    context.close()
    return (most - before) / 1e6


if __name__ == "__main__":
    main()
