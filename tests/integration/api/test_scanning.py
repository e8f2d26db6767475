"""A scanner of the operator: what it refuses leaves nothing, and nothing passes it unseen."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.api.apps import files_below, open_client, wav_bytes

SCRIPT = """
import pathlib, sys, time
data = pathlib.Path(sys.argv[-1]).read_bytes()
pathlib.Path(sys.argv[1]).write_text(sys.argv[-1])
if b"EVIL" in data:
    print("Win.Test.EICAR_HDB-1 FOUND")
    sys.exit(1)
if b"SLOW" in data:
    time.sleep(60)
sys.exit(2 if b"ODD" in data else 0)
"""


def scanner_in(folder: Path) -> str:
    script = folder / "scan me.py"
    script.write_text(SCRIPT)
    return f"{sys.executable} '{script}' '{folder / 'seen'}'"


def send(client: Any, path: str, *words: bytes) -> Any:
    files = [
        ("file", (f"{word.decode()}.wav", wav_bytes(0.5, seed=n) + word))
        for n, word in enumerate(words)
    ]
    return client.post(path, files=files)


def test_a_refused_file_is_named_and_leaves_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_client(tmp_path / "data", scan_command=scanner_in(tmp_path)) as client:
        answer = send(client, "/process", b"fine", b"EVIL")
        assert (answer.status_code, answer.json()["code"]) == (422, "upload_refused")
        assert [item["file"] for item in answer.json()["errors"]] == ["EVIL.wav"]
        assert "EICAR" not in answer.text, "what it says is for who runs this"
        assert "EICAR" in caplog.text
        assert files_below(tmp_path / "data" / "uploads") == []
        assert client.get("/jobs").json()["jobs"] == []
        assert send(client, "/process", b"fine").status_code == 202
        assert Path((tmp_path / "seen").read_text()).is_absolute()
        adding = send(client, "/library/tracks", b"good", b"EVIL").json()
        assert [refused["code"] for refused in adding["refused"]] == ["upload_refused"]
        assert adding["job"] is not None


@pytest.mark.parametrize(
    ("word", "changes"),
    [
        (b"ODD", {}),
        (b"SLOW", {"scan_timeout_s": 1.0}),
        (b"fine", {"scan_command": "/no/such/scanner --fast"}),
    ],
)
def test_what_could_not_be_scanned_is_not_taken(
    tmp_path: Path, word: bytes, changes: dict[str, Any]
) -> None:
    """A scanner that crashed let everything pass."""
    settings = {"scan_command": scanner_in(tmp_path), **changes}
    with open_client(tmp_path / "data", **settings) as client:
        for path in ("/process", "/library/tracks"):
            answer = send(client, path, word)
            assert (answer.status_code, answer.json()["code"]) == (503, "scanner_unavailable")
            assert answer.headers["retry-after"].isdigit()
        assert files_below(tmp_path / "data" / "uploads") == []
