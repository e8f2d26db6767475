"""The page that starts Streamlit."""

import re
from pathlib import Path

from ui.assets import FOLDER, asset_url
from ui.places import PLACES
from ui.server.pages import DOCK, ELEMENTS, ROUTES, SCRIPTS, closure, page_html
from ui.style import SPACES, STYLE, space_for


def test_a_module_comes_with_all_that_it_imports(tmp_path: Path) -> None:
    (tmp_path / "view").mkdir()
    (tmp_path / "view" / "a.js").write_text(
        "import { b } from '../b.js';\nimport'./c.js';export{d}from\"./d.js\";"
    )
    (tmp_path / "b.js").write_text("import { a } from './view/a.js'; import('./late.js');")
    for name in ("view/c.js", "view/d.js", "late.js"):
        (tmp_path / name).write_text("")
    assert closure(tmp_path, "view/a.js") == {"view/a.js", "b.js", "view/c.js", "view/d.js"}


def test_the_page_names_scripts_that_are_there_and_the_style() -> None:
    page = page_html()
    assert STYLE in page
    assert "<title>Stemcrate</title>" in page
    components = asset_url(DOCK).removesuffix(DOCK)
    urls = re.findall(r'<link rel="modulepreload" crossorigin href="([^"]*)">', page)
    assert len(urls) == len({*urls})
    assert asset_url(DOCK) in urls
    for url in urls:
        if url.startswith(components):
            assert (FOLDER / url.removeprefix(components)).is_file()
        else:
            assert (SCRIPTS / Path(url).name).is_file()


def test_streamlit_has_the_scripts_by_the_names_that_are_preloaded() -> None:
    """Where a new version names them otherwise, pages are slower, and nobody would see."""
    for element in ELEMENTS:
        assert len([*SCRIPTS.glob(f"{element}.*.js")]) == 1, element


def test_every_place_has_its_route() -> None:
    assert [route.path for route in ROUTES] == [place.address for place in PLACES]


def test_space_is_kept_for_every_number_of_rows() -> None:
    for name, (_, _, most) in SPACES.items():
        for n_rows in (0, 1, most, most + 1):
            assert f'[class*="st-key-{space_for(name, n_rows)}"]' in STYLE
