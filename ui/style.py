"""Styles beyond Streamlit's theme. Colours derive from the text colour, so they fit both themes.

They stand in the page's head: Streamlit's own, which come later, must not outweigh them.
"""

from collections.abc import Iterator

SPACES = {
    "heading": (57, 30, 1),
    "tracks": (0, 52, 20),
    "player": (316, 71, 10),
    "standing": (395, 40, 20),
}
"""What is filled after the page is drawn, by how its key begins: pixels of all but its rows, of a
row, and the number of rows that fill the screen."""


def space_for(name: str, n_rows: int) -> str:
    """Return how the key of a component begins that needs the space of so many rows."""
    *_, most = SPACES[name]
    return f"{name}-{min(n_rows, most)}-"


def _kept_spaces() -> Iterator[str]:
    """Yield rules that keep what is below a component where it is; narrow screens wrap lines."""
    for name, (base, row, most) in SPACES.items():
        for n in range(most + 1):
            key = f"st-key-{space_for(name, n)}"
            yield f'[class*="{key}"] {{ min-height: {base + n * row}px; }}'


STYLE = """
:root body {
.stMainBlockContainer { max-width: 1180px; padding-top: 4.5rem; padding-bottom: 2rem; }
.stMainBlockContainer:has([class*="st-key-library-"]) { max-width: 1600px; padding-inline: 1.5rem;
  padding-bottom: 1rem; }
.stBottomBlockContainer { max-width: 1180px; padding: .5rem 1rem .8rem; }
.stBottom:not(:has([data-playing])) { display: none; }
.sc-head { padding-bottom: .2rem; }
.sc-head h1 { font-size: 2.1rem; font-weight: 700; padding: 0; margin: 0; overflow-wrap: anywhere; }
.sc-cover { display: block; width: 96px; height: 96px; object-fit: cover; border-radius: 8px;
  background: rgb(127 127 127 / .15); }
.sc-head p { margin: .3rem 0 0; opacity: .78; }
.sc h2.sc-section { font-size: 1.3rem; font-weight: 600; padding: .6rem 0 0; margin: 0; }
[data-testid="stCaptionContainer"] { color: inherit; opacity: .78; }
.sc-files { list-style: none; margin: 0; padding: 0; display: grid; gap: 3px; }
.sc-files li { margin: 0; border-left: 4px solid var(--sc); border-radius: 4px;
  padding: .3rem .8rem; display: flex; flex-wrap: wrap; gap: .2rem 1rem; align-items: baseline;
  background: color-mix(in srgb, currentColor 5%, transparent); }
.sc-files b { min-width: 9rem; }
.sc-files span { flex: 1 1 12rem; font-size: .86rem; opacity: .8; }
.sc-files a { font-weight: 600; }
.sc-table { width: 100%; overflow-x: auto; }
.sc-table table { width: 100%; border-collapse: collapse; font-size: .92rem; }
.sc-table :is(th, td) { text-align: left; padding: .5rem .7rem; vertical-align: top; border: 0;
  border-bottom: 1px solid color-mix(in srgb, currentColor 14%, transparent); }
.sc-table thead th { font-size: .8rem; font-weight: 600; opacity: .75; }
.sc-table tbody th { font-weight: 600; white-space: nowrap; }
.sc-sure { white-space: nowrap; }
.sc-meter { display: inline-block; width: 72px; height: 7px; border-radius: 4px; overflow: hidden;
  background: color-mix(in srgb, currentColor 14%, transparent); margin-right: .5rem; }
.sc-meter i { display: block; height: 100%; background: #7950f2; }
.sc-set { list-style: none; margin: 0; padding: 0; }
.sc-set li { margin: 0; padding: 0; }
.sc-decks li + li { margin-top: 4px; }
.sc-song { display: flex; gap: .7rem; align-items: center; padding: .45rem .7rem; flex-wrap: wrap;
  border-radius: 8px; background: color-mix(in srgb, currentColor 6%, transparent); }
.sc-song .sc-place { font-weight: 700; opacity: .7; min-width: 1.2rem; }
.sc-song .sc-title { flex: 1 1 12rem; overflow-wrap: anywhere; color: inherit;
  text-decoration: none; }
.sc-song .sc-title:hover { text-decoration: underline; }
.sc-chip { border-radius: 6px; padding: .1rem .5rem; font-size: .8rem; font-weight: 600;
  white-space: nowrap; background: color-mix(in srgb, currentColor 9%, transparent); }
.sc-chip[style] { background: color-mix(in srgb, var(--sc) 38%, transparent); }
.sc-mix { display: flex; gap: .6rem; padding: .35rem .7rem .35rem 2.1rem; font-size: .84rem;
  align-items: baseline; }
.sc-mix span:last-child { opacity: .82; }
.sc-stages { list-style: none; margin: .4rem 0 0; padding: 0; display: flex; flex-wrap: wrap;
  gap: .35rem; }
.sc-stages li { margin: 0; padding: .18rem .6rem; border-radius: 99px; font-size: .8rem;
  border: 1px solid color-mix(in srgb, currentColor 22%, transparent); white-space: nowrap; }
@media (max-width: 640px) {
  .stRadio [data-testid=stCaptionContainer] { display: none; }
  .stMainBlockContainer { padding: 4.4rem 1rem 3rem; }
  .stMainBlockContainer:has([class*="st-key-library-"]) { padding-inline: 1rem; }
  .sc-head h1 { font-size: 1.6rem; }
  .sc-table table { font-size: .82rem; }
  .sc-table :is(th, td) { padding: .4rem .35rem; }
  .sc-table tbody th { white-space: normal; }
  .sc-meter { width: 40px; }
}
@media (min-width: 900px) { SPACES }
}
""".replace("SPACES", "\n".join(_kept_spaces()))
