"""Take every page of the workbench, light and dark, for a desk and a phone; `make screenshots`.

    python -m scripts.screenshots [FOLDER]

A demo installation is started, and a browser visits it. Without a folder, the pictures go to
``build/screenshots``; those that the README shows are written in fewer colours to
``docs/pictures``.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal

from PIL import Image
from playwright.sync_api import Browser

from bench.visited import Installation, chromium, installation, process_demo, settle
from ui.places import PLACES

ROOT = Path(__file__).parents[1]
THEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
SIZES = {1440: 900, 390: 844}
IN_README = {"track": "player", "library": "library", "sets": "set"}
README_THEME, README_WIDTH = "dark", 1440
N_COLOURS = 200


def main() -> None:
    """Take the pictures."""
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ROOT / "build" / "screenshots")
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as work, installation(Path(work)) as running, chromium() as browser:
        job_id = process_demo(running, Path(work))
        for theme in THEMES:
            for width, height in SIZES.items():
                _take(browser, running, job_id, folder, theme, (width, height))
    pictures = ROOT / "docs" / "pictures"
    pictures.mkdir(exist_ok=True)
    for page, name in IN_README.items():
        taken = folder / f"{page}-{README_THEME}-{README_WIDTH}.png"
        Image.open(taken).convert("RGB").quantize(N_COLOURS).save(
            pictures / f"{name}.png", optimize=True
        )


def _take(
    browser: Browser,
    running: Installation,
    job_id: str,
    folder: Path,
    theme: Literal["light", "dark"],
    size: tuple[int, int],
) -> None:
    context = browser.new_context(
        viewport={"width": size[0], "height": size[1]}, color_scheme=theme, reduced_motion="reduce"
    )
    set_id = running.client.list_playlists().playlists[0].id
    page = context.new_page()
    for place in PLACES:
        name = Path(place.script).stem
        query = {"separate": "", "sets": f"?set={set_id}"}.get(name, f"?job={job_id}")
        page.goto(running.url + place.address + query)
        settle(page)
        page.wait_for_timeout(1500)  # waveforms and pictures are drawn
        page.screenshot(path=folder / f"{name}-{theme}-{size[0]}.png")
        print(f"{name}, {theme}, {size[0]} px")
    context.close()


if __name__ == "__main__":
    main()
