"""Check that links in Markdown files and names of our files and modules lead somewhere.

Relative links are checked with their anchors; links to other sites are not followed. Paths and
dotted names in backticks are checked in Markdown and Python files: `core/errors.py`,
`core.errors.InvalidAudio`. Prints ``file:line: link`` for each that is broken, and exits with 1.
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
FOLDERS = ("api", "bench", "cli", "core", "docs", "scripts", "stemcrate", "tests", "ui")
ENTRY_POINTS = frozenset(
    f"stemcrate.{kind}" for kind in ("enrichers", "exporters", "separators", "sources", "stages")
)
_NAME = re.compile(rf"`((?:{'|'.join(FOLDERS)})(?:(?:/[\w.-]+)+/?|(?:\.\w+)+))`")


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


def sources() -> list[Path]:
    """Return the Python files of the project."""
    folders = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return sorted([*ROOT.glob("*.py"), *folders])


def names(file: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the text of each name of a file or module of ours."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        for name in _NAME.findall(line):
            yield number, name


def is_ours(name: str) -> bool:
    """Return whether a path exists, or a dotted name is a module or occurs in one."""
    if "/" in name:
        return (ROOT / name).exists()
    if name in ENTRY_POINTS:
        return True
    place, *parts = name.split(".")
    path = ROOT / place
    while parts and (path / parts[0]).is_dir():
        path /= parts.pop(0)
    module = path / f"{parts[0]}.py" if parts else path
    if parts and module.exists():
        del parts[0]
    else:
        module = path / "__init__.py"
    text = module.read_text(encoding="utf-8") if parts and module.exists() else ""
    return all(re.search(rf"\b{part}\b", text) for part in parts)


def main() -> int:
    """Check all files; return the exit code."""
    broken = [
        (document, line, link)
        for document in documents()
        for line, link in links(document)
        if not leads_somewhere(document, link)
    ]
    broken += [
        (file, line, name)
        for file in [*documents(), *sources()]
        for line, name in names(file)
        if not is_ours(name)
    ]
    for file, line, link in broken:
        print(f"{file.relative_to(ROOT)}:{line}: {link}")
    return bool(broken)


if __name__ == "__main__":
    sys.exit(main())
