"""What the files around the code promise: the lock, the decisions, the links of the docs."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from config import Settings
from scripts import check_links, docs
from stemcrate.schemas.options import ProcessingOptions

ROOT = Path(__file__).parents[2]
DECISIONS = sorted((ROOT / "docs/decisions").glob("[0-9]*.md"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
PIN = re.compile(r"([\w.-]+)==(\S+)")


def read_lock(name: str) -> dict[str, str]:
    pins = map(PIN.match, (ROOT / name).read_text().splitlines())
    return {canonicalize_name(pin[1]): pin[2] for pin in pins if pin}


@pytest.mark.parametrize(
    ("lock", "ranges"),
    [
        ("requirements.txt", PROJECT["project"]["dependencies"]),
        ("requirements-dev.txt", PROJECT["dependency-groups"]["dev"]),
    ],
)
def test_the_lock_keeps_to_the_ranges(lock: str, ranges: list[str]) -> None:
    """A range that is changed without `make lock` would be neither installed nor tested."""
    pins = read_lock(lock)
    for requirement in map(Requirement, ranges):
        version = pins.get(canonicalize_name(requirement.name))
        assert version is not None, f"{requirement} is not locked"
        assert requirement.specifier.contains(version), f"{requirement}, locked: {version}"


def test_both_locks_name_the_same_versions() -> None:
    """Installing one after the other would change what the first one installed."""
    product, dev = read_lock("requirements.txt"), read_lock("requirements-dev.txt")
    assert {name: dev[name] for name in product.keys() & dev} == {
        name: product[name] for name in product.keys() & dev
    }


def test_the_lock_leaves_a_cpu_installation_one() -> None:
    """Gigabytes of CUDA, on machines without a GPU."""
    pins = read_lock("requirements.txt") | read_lock("requirements-dev.txt")
    assert not [name for name in pins if name.startswith(("nvidia-", "cuda-", "triton"))]


@pytest.mark.parametrize("decision", DECISIONS, ids=lambda path: path.stem)
def test_a_decision_says_whether_and_since_when_it_holds(decision: Path) -> None:
    head = decision.read_text().partition("## Context")[0]
    assert re.search(r"^Status: (proposed|accepted|superseded by \[)", head, re.MULTILINE)
    assert re.search(r"^Date: \d{4}-\d\d-\d\d$", head, re.MULTILINE)


@pytest.mark.parametrize(
    ("link", "leads"),
    [
        ("#set-up", True),
        ("#a-heading-with-code-and-signs", True),
        ("#set-up-1", True),
        ("other.md#its-heading", True),
        ("https://example.org/nowhere", True),
        ("#nowhere", False),
        ("other.md#nowhere", False),
        ("nowhere.md", False),
    ],
)
def test_links_are_followed_to_their_headings(tmp_path: Path, link: str, leads: bool) -> None:
    """A checker that finds nothing looks like documentation without broken links."""
    headings = "# Set up\n\n## A heading, with `code` and signs!\n\n## Set up\n"
    (tmp_path / "a.md").write_text(f"{headings}\n[link]({link})\n")
    (tmp_path / "other.md").write_text("# Its heading\n")
    ((_, found),) = check_links.links(tmp_path / "a.md")
    assert check_links.leads_somewhere(tmp_path / "a.md", found) is leads


@pytest.mark.parametrize(
    ("name", "exists"),
    [
        ("core/errors.py", True),
        ("core/analysis/rhythm/", True),
        ("core.errors", True),
        ("core.errors.InvalidAudio", True),
        ("core.analysis.rhythm", True),
        ("stemcrate.stages", True),
        ("core/analysis/beats.py", False),
        ("core.analysis.beats", False),
        ("core.errors.NoSuchError", False),
    ],
)
def test_names_of_modules_are_followed(tmp_path: Path, name: str, exists: bool) -> None:
    """A docstring cited a module long after it had moved."""
    (tmp_path / "a.py").write_text(f'"""See\n`{name}`."""\n')
    assert list(check_links.names(tmp_path / "a.py")) == [(2, name)]
    assert check_links.is_ours(name) is exists


def test_generated_documents_follow_the_code() -> None:
    """An option that is not in the documents does not exist for their readers; `make docs`."""
    written = dict(docs.generate())
    assert [path.name for path, text in written.items() if path.read_text() != text] == []
    for option in ProcessingOptions.model_fields:
        assert f"| `{option}` |" in written[ROOT / "docs/api.md"]
        assert f"`--{option.replace('_', '-')}" in written[ROOT / "docs/cli.md"]
    for setting in Settings.model_fields:
        assert f"| `{setting.upper()}` |" in written[ROOT / "docs/installation.md"]


def test_documents_show_options_that_exist() -> None:
    """An example with an option that was renamed ends in a usage error."""
    known = set(re.findall(r"--[a-z][a-z-]+", (ROOT / "docs/cli.md").read_text()))
    shown = {
        option
        for path in (ROOT / "README.md", *(ROOT / "docs").glob("*.md"))
        for line in path.read_text().splitlines()
        for command in re.findall(r"stemcrate (?:process|analyze|library|playlist|models) .*", line)
        for option in re.findall(r"--[a-z][a-z-]+", command)
    }
    assert shown - known == set()


def test_a_setting_of_the_future_is_put_into_the_example() -> None:
    """`make docs` adds it; the sections of the others stay."""
    before = (ROOT / ".env.example").read_text()
    last = before.splitlines(keepends=True)[-1]
    without = before.replace(last, "")
    assert docs.write_env(without) == before
