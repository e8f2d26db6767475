"""Scripts and styles of the components, as the browser loads them.

`ui/components/` holds ES modules, styles and what they load, without a build step. They are served
below `/assets/VERSION/`, where the version is a hash of them all: modules import each other by
relative paths, browsers keep what they loaded, and a changed file changes every URL.
"""

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import streamlit as st

from ui.language import language, t

FOLDER = Path(__file__).with_name("components")
PREFIX = "/assets"
MEDIA_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
    ".woff2": "font/woff2",
}
VERSION_LENGTH = 16
LOADER = """
const module = import(new URL("{url}", location.href));
export default function (component) {{
  let unmount;
  let isGone = false;
  module.then((loaded) => {{ if (!isGone) unmount = loaded.default(component); }}, (error) => {{
    component.parentElement.textContent = component.data.unloaded;
    console.error(error);
  }});
  return () => {{ isGone = true; unmount?.(); }};
}}
"""
"""Streamlit runs a component's script from a `blob:` URL, from which no relative import works."""


def asset_url(name: str) -> str:
    """Return the path of a file of `ui/components/` below the workbench's address."""
    return f"{PREFIX}/{assets_version()}/{name}"


def assets_version() -> str:
    """Return the version of all files; it changes when one of them does."""
    return _hash_files(tuple((name, _state(path)) for name, path in sorted(asset_files().items())))


def asset_files() -> dict[str, Path]:
    """Return the files that are served, by name."""
    return {
        path.relative_to(FOLDER).as_posix(): path
        for path in FOLDER.rglob("*")
        if path.suffix in MEDIA_TYPES and path.is_file()
    }


def module_component(name: str, module: str, *, css: str | tuple[str, ...] = ()) -> Any:
    """Register a component whose script is an ES module, and return what mounts it.

    Scripts draw their texts once, so in another language it is another element.

    Parameters
    ----------
    name : unique name of the component.
    module : file of `ui/components/` whose default export gets Streamlit's component object and
        returns a function that unmounts it.
    css : file or files of `ui/components/` with the styles inside of the component.
    """
    files = (css,) if isinstance(css, str) else css
    component = st.components.v2.component(
        f"stemcrate.{name}",
        js=LOADER.format(url=asset_url(module)),
        css="\n".join((FOLDER / file).read_text(encoding="utf-8") for file in files) or None,
    )

    def mount(*, key: str, data: Mapping[str, Any], **settings: Any) -> Any:
        unloaded = t("This part of the page did not load. Reload the page.")
        return component(key=f"{key}-{language()}", data={**data, "unloaded": unloaded}, **settings)

    return mount


def _state(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size


@lru_cache(maxsize=4)
def _hash_files(states: tuple[tuple[str, tuple[int, int]], ...]) -> str:
    digest = hashlib.sha256()
    for name, _ in states:
        content = (FOLDER / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()[:VERSION_LENGTH]
