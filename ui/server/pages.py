"""Serves Streamlit's page with the workbench's style and what its first view needs.

Streamlit's scripts load each kind of element when it is first drawn, and a style that comes with
the elements moves what stands already. Named in the page's head, both are there in time.
"""

import re
from collections.abc import Iterator
from functools import cache
from html import escape
from pathlib import Path, PurePosixPath

import streamlit
from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

from ui.assets import FOLDER, asset_url
from ui.places import PLACES
from ui.style import STYLE

STATIC = Path(streamlit.__file__).with_name("static")
SCRIPTS = STATIC / "static" / "js"
ELEMENTS = ("BidiComponent", "Button", "Html", "Metric", "Selectbox")
"""Streamlit's scripts that every page of the workbench draws with, without their hashes."""
DOCK = "player/dock.js"
_IMPORT = re.compile(r"""(?:\bfrom|\bimport)\s*["'](\.{1,2}/[^"']+\.js)["']""")
_HEAD = "</head>"


async def get_page(_: Request) -> HTMLResponse:
    """Return the page that starts Streamlit; it finds out by its address which view it shows."""
    return HTMLResponse(page_html(), headers={"Cache-Control": "no-cache"})


def page_html() -> str:
    """Return Streamlit's page with the preloaded scripts and the style in its head."""
    return _page(asset_url(DOCK))


@cache
def _page(dock_url: str) -> str:
    """Return the page; ``dock_url`` changes with the version of the components."""
    components = dock_url.removesuffix(DOCK)
    urls = [f"./static/js/{name}" for name in _streamlit_scripts()]
    urls += [components + name for name in sorted(closure(FOLDER, DOCK))]
    page = (STATIC / "index.html").read_text(encoding="utf-8")
    links = "".join(
        f'<link rel="modulepreload" crossorigin href="{escape(url)}">\n'
        for url in urls
        if url not in page
    )
    page = page.replace("<title>Streamlit</title>", "<title>Stemcrate</title>")
    return page.replace(_HEAD, f"{links}<style>{STYLE}</style>\n{_HEAD}")


def _streamlit_scripts() -> list[str]:
    """Return the scripts of `ELEMENTS` with all that they import.

    One that another version of Streamlit names otherwise loads when it is needed, as ever.
    """
    found: set[str] = set()
    for element in ELEMENTS:
        for path in SCRIPTS.glob(f"{element}.*.js"):
            found |= closure(SCRIPTS, path.name)
    return sorted(found)


def closure(folder: Path, name: str) -> set[str]:
    """Return a module below a folder and all modules that it imports, by their paths in it."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        module = waiting.pop()
        if module in found or not (folder / module).is_file():
            continue
        found.add(module)
        waiting += _imports(folder, module)
    return found


def _imports(folder: Path, module: str) -> Iterator[str]:
    for imported in _IMPORT.findall((folder / module).read_text(encoding="utf-8")):
        parts: list[str] = []
        for part in (PurePosixPath(module).parent / imported).parts:
            if part == "..":
                parts.pop()
            else:
                parts.append(part)
        yield "/".join(parts)


ROUTES = [Route(place.address, get_page) for place in PLACES]
