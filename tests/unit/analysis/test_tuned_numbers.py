"""Every number that the analysis was tuned with says what it is: unit, decision, reason."""

import ast
import re
from itertools import zip_longest
from pathlib import Path

import pytest

import core.analysis

ROOT = Path(core.analysis.__file__).parent
MODULES = sorted(ROOT.rglob("*.py"))
SELF_EVIDENT = {0, 1, 2}


def undocumented(source: str) -> list[str]:
    """List the constants and fields of rules in a module that nothing explains.

    A constant of a module is explained by a docstring below it, by a comment beside it or by one
    above it; a field of a rule (a class whose name ends in ``Rule`` or ``Rules``) by its entry
    under Parameters. Constants that only refer to others, or are 0, 1 or 2, need no explanation.
    """
    lines = source.splitlines()
    body = ast.parse(source).body
    found = []
    for node, following in zip_longest(body, body[1:]):
        if isinstance(node, ast.ClassDef) and re.search(r"Rules?$", node.name):
            found += _bare_fields(node)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            has_docstring = isinstance(following, ast.Expr) and isinstance(
                following.value, ast.Constant
            )
            above = lines[node.lineno - 2] if node.lineno > 1 else ""
            beside = lines[node.lineno - 1 : node.end_lineno]
            has_comment = above.startswith("#") or any("#" in line for line in beside)
            if _is_number(node.value) and not has_docstring and not has_comment:
                found.append(ast.unparse(node))
    return found


def _bare_fields(rule: ast.ClassDef) -> list[str]:
    entries = re.findall(r"^([\w, ]+) : ", ast.get_docstring(rule) or "", re.MULTILINE)
    explained = {name for entry in entries for name in entry.split(", ")}
    return [
        f"{rule.name}.{node.target.id}"
        for node in rule.body
        if isinstance(node, ast.AnnAssign)
        and isinstance(node.target, ast.Name)
        and node.target.id not in explained
    ]


def _is_number(value: ast.expr) -> bool:
    """Check whether an expression has a number that is not self-evident, and no other constant."""
    nodes = list(ast.walk(value))
    refers = any(isinstance(node, ast.Name) and node.id.isupper() for node in nodes)
    numbers = {
        node.value
        for node in nodes
        if isinstance(node, ast.Constant) and isinstance(node.value, int | float)
    }
    return not refers and not numbers <= SELF_EVIDENT


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_number_has_unit_and_reason(path: Path) -> None:
    """Guards against tuned numbers that nobody can judge or change, as 131 once were."""
    assert undocumented(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        "_THRESHOLD = 0.08\n",
        "REACHES = (4, 8)\n",
        "_FLOOR_DB: float = -80.0\n",
        "_N_FFT = 16384 // 4\n",
        "_RATIOS = np.array([1, 3])\n",
        "_WEIGHTS = {'kick': 0.7}\n",
        'class ToneRules:\n    """Rules.\n\n    hop_s : s.\n    """\n\n    reach_s: float = 3.0\n',
    ],
)
def test_a_bare_number_is_found(source: str) -> None:
    """Guards against a check that finds nothing."""
    assert undocumented(source)


@pytest.mark.parametrize(
    "source",
    [
        "_THRESHOLD = 0.08  # onset strength at peak level 1\n",
        "# Bars on either side.\nREACHES = (4, 8)\n",
        '_FLOOR_DB = -80.0\n"""Relative to the peak."""\n',
        "_FIRST = 0\n",
        "_NAMES = ('a', 'b')\n",
        "_STEPS = RULES.n_steps\n",
        'class ToneRules:\n    """Rules.\n\n    low, high : Hz.\n    """\n\n    low: float = 3.0\n',
    ],
)
def test_an_explained_number_is_no_finding(source: str) -> None:
    """Guards against a check that forces comments where there is nothing to explain."""
    assert undocumented(source) == []
