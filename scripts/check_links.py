"""Check that every relative link in the Markdown files leads somewhere, anchors included.

Prints ``file:line: link`` for each that does not, and exits with 1. Links to
other sites are not followed: nothing is asked of the network.
"""

import re
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]


def documents() -> list[Path]:
    """Return the Markdown files of the project."""
    return sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])


@cache
def parse(document: Path) -> list[Token]:
    """Parse a Markdown file."""
    return MarkdownIt("commonmark").enable("table").parse(document.read_text(encoding="utf-8"))


def links(document: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the target of each link and picture."""
    for token in parse(document):
        for child in token.children or ():
            target = child.attrGet("href") or child.attrGet("src")
            if target:
                yield (token.map or [0])[0] + 1, str(target)


@cache
def anchors(document: Path) -> frozenset[str]:
    """Return the anchors of a file's headings, named as GitHub names them."""
    seen: Counter[str] = Counter()
    found = set()
    tokens = parse(document)
    for opening, heading in pairwise(tokens):
        if opening.type != "heading_open":
            continue
        text = "".join(child.content for child in heading.children or ())
        name = re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")
        found.add(f"{name}-{seen[name]}" if seen[name] else name)
        seen[name] += 1
    return frozenset(found)


def leads_somewhere(document: Path, link: str) -> bool:
    """Return whether a link leads to a file of the project, and to a heading in it."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return True
    target = document.parent / unquote(parts.path) if parts.path else document
    if not target.exists():
        return False
    if not parts.fragment:
        return True
    return target.suffix == ".md" and parts.fragment in anchors(target)


def main() -> int:
    """Check all files; return the exit code."""
    broken = [
        f"{document.relative_to(ROOT)}:{line}: {link}"
        for document in documents()
        for line, link in links(document)
        if not leads_somewhere(document, link)
    ]
    for line in broken:
        print(line)
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
