"""Opens pages of the workbench in Streamlit's own test bench."""

from pathlib import Path
from typing import Any

from streamlit.testing.v1 import AppTest
from streamlit.testing.v1.element_tree import Markdown

from tests.conditions import PATIENCE_S
from ui.places import Place

APP = Path(__file__).parents[3] / "ui" / "app.py"


def open_page(place: Place, **query: Any) -> Any:
    app = AppTest.from_file(str(APP), default_timeout=PATIENCE_S).run()
    for name, value in query.items():
        app.query_params[name] = value
    return app.switch_page(place.script).run()


def texts(elements: Any) -> str:
    return "\n".join(element.value for element in elements)


def page_text(app: Any) -> Any:
    """All texts and markup of a page, in its order."""
    return "\n".join(
        element.value if isinstance(element, Markdown) else element.proto.body
        for element in app.main
        if isinstance(element, Markdown) or element.type == "html"
    )
