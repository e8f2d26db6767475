"""``stemcrate keys``: shown once, listed without secrets, ended, replaced."""

import json
import re
from pathlib import Path

import pytest

from tests.integration.cli.shell import Shell

KEY = re.compile(r"stemcrate_([0-9a-f]{12})_[0-9a-f]{64}")


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def make(shell: Shell, *options: str) -> str:
    made = shell.run("keys", "create", "laptop", "--owner", "anna", *options)
    assert made.returncode == 0, made.stderr
    return made.stdout.strip()


def test_a_key_alone_is_printed_and_never_again(shell: Shell) -> None:
    """A script takes it from stdout: KEY=$(stemcrate keys create …)."""
    key = make(shell)
    found = KEY.fullmatch(key)
    assert found is not None
    for options in ([], ["--json"]):
        listed = shell.run("keys", "list", *options)
        assert found[1] in listed.stdout
        assert key not in listed.stdout + listed.stderr
    logs = [path.read_text() for path in (shell.data / "logs").glob("*")]
    assert all(key not in text for text in logs)


def test_a_key_is_described(shell: Shell) -> None:
    made = shell.run(
        *("keys", "create", "robot", "--owner", "label-7", "--scopes", "admin, read"),
        *("--expires-in-days", "2", "--json"),
    )
    described = json.loads(made.stdout)
    assert KEY.fullmatch(described.pop("key"))
    assert (described["name"], described["owner"]) == ("robot", "label-7")
    assert described["scopes"] == ["admin", "read"]
    assert described["state"].startswith("until ")
    assert described["last_used_at"] is None
    assert json.loads(shell.run("keys", "list", "--json").stdout) == {"keys": [described]}


def test_a_key_is_revoked_and_replaced(shell: Shell) -> None:
    first = KEY.fullmatch(make(shell))
    assert first is not None
    second = KEY.fullmatch(shell.run("keys", "rotate", first[1]).stdout.strip())
    assert second is not None
    third = shell.run("keys", "rotate", second[1], "--overlap-hours", "1", "--json")
    assert "revoked" in shell.run("keys", "revoke", json.loads(third.stdout)["id"]).stdout
    keys = json.loads(shell.run("keys", "list", "--json").stdout)["keys"]
    assert [key["state"].partition(" ")[0] for key in keys] == ["revoked", "until", "revoked"]
    assert {key["owner"] for key in keys} == {"anna"}


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("create", "x"), 2, "--owner"),
        (("create", "x", "--owner", "../x"), 2, "lower-case letters"),
        (("create", "x", "--owner", "a", "--scopes", "root"), 2, "read, write, admin"),
        (("create", "x", "--owner", "a", "--scopes", ""), 2, "scope"),
        (("revoke", "0"), 1, "key_not_found"),
        (("rotate", "0"), 1, "key_not_found"),
    ],
)
def test_what_cannot_be_is_refused(
    shell: Shell, arguments: tuple[str, ...], code: int, words: str
) -> None:
    result = shell.run("keys", *arguments)
    assert result.returncode == code, result.stderr
    assert words in result.stderr
