"""Custom markup. Every text in it is escaped by `ui.text.escape_html`."""

import streamlit as st

from ui.style import space_for
from ui.text import escape_html


def show_html(markup: str) -> None:
    """Show HTML. The browser draws it at once, other than Markdown; it removes SVG and scripts."""
    st.html(f'<div class="sc">{markup}</div>')


def show_heading(title: str, subtitle: str = "") -> None:
    """Show a page's heading; both texts are escaped."""
    below = f"<p>{escape_html(subtitle)}</p>" if subtitle else ""
    with st.container(key=space_for("heading", 1 if subtitle else 0)):
        show_html(f'<div class="sc-head"><h1>{escape_html(title)}</h1>{below}</div>')


def show_section(title: str) -> None:
    """Show the heading of a part of a page; the text is escaped."""
    show_html(f'<h2 class="sc-section">{escape_html(title)}</h2>')


def meter(fraction: float) -> str:
    """Return a small bar for a fraction from 0 to 1."""
    width = round(100 * min(1.0, max(0.0, fraction)))
    return f'<span class="sc-meter" aria-hidden="true"><i style="width:{width}%"></i></span>'


def table(header: list[str], rows: list[list[str]]) -> str:
    """Return a table as markup; the first cell of a row is its heading."""
    head = "".join(f'<th scope="col">{cell}</th>' for cell in header)
    body = "".join(
        f'<tr><th scope="row">{first}</th>{"".join(f"<td>{cell}</td>" for cell in rest)}</tr>'
        for first, *rest in rows
    )
    return (
        f'<div class="sc-table"><table><thead><tr>{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )
