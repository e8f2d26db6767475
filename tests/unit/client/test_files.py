"""Downloads: whole under their name or not there at all, and resumed where they were cut."""

import hashlib
from pathlib import Path

import pytest

from stemcrate.client import ApiUnreachable, Client, CorruptDownload
from stemcrate.client.files import BLOCK_BYTES
from stemcrate.schemas.jobs import OutputFile
from tests.answering import Server

BODY = "sound " * 50_000


def output(body: str = BODY) -> OutputFile:
    return OutputFile(
        name="song/vocals.wav",
        role="stem",
        label="vocals",
        stage="separation",
        format="wav",
        sha256=hashlib.sha256(body.encode()).hexdigest(),
        bytes=len(body),
        track_index=0,
        url="/download/j/song/vocals.wav",
    )


def test_a_folder_gets_the_name_that_the_api_gives(server: Server, tmp_path: Path) -> None:
    disposition = "attachment; filename=\"x\"; filename*=UTF-8''N%C3%A4chte.wav"
    server.answer("GET", output().url, BODY, Content_Disposition=disposition)
    seen: list[tuple[int, int | None]] = []
    path = Client(server.url).download(output(), tmp_path, progress=lambda *n: seen.append(n))
    assert path == tmp_path / "Nächte.wav"
    assert path.read_text() == BODY
    assert [p.name for p in tmp_path.iterdir()] == ["Nächte.wav"]
    assert seen[-1] == (len(BODY), len(BODY))


@pytest.mark.parametrize("name", ["../../evil.wav", "..\\evil.wav", "/etc/evil.wav"])
def test_a_name_leads_to_no_other_folder(server: Server, tmp_path: Path, name: str) -> None:
    """A server could write wherever the program may."""
    disposition = f'attachment; filename="{name}"'.replace("\\", "\\\\")
    server.answer("GET", output().url, BODY, Content_Disposition=disposition)
    assert Client(server.url).download(output(), tmp_path) == tmp_path / "evil.wav"


def test_other_bytes_than_those_listed_are_not_kept(server: Server, tmp_path: Path) -> None:
    server.answer("GET", output().url, BODY.replace("sound", "noise"))
    with pytest.raises(CorruptDownload):
        Client(server.url).download(output(), tmp_path / "x.wav")
    assert list(tmp_path.iterdir()) == []


def test_a_cut_answer_leaves_a_part_and_the_old_file(server: Server, tmp_path: Path) -> None:
    """Half a file under the right name looks like a whole one."""
    target = tmp_path / "x.wav"
    target.write_text("old")
    server.answer("GET", output().url, BODY, ETag='"1"', Content_Length=str(len(BODY) + 9))
    with pytest.raises(ApiUnreachable):
        Client(server.url).download(output(), target)
    assert target.read_text() == "old"
    part = (tmp_path / "x.wav.part").read_text()
    assert BODY.startswith(part)
    assert len(part) > len(BODY) - BLOCK_BYTES


def test_a_part_of_another_file_is_thrown_away(server: Server, tmp_path: Path) -> None:
    """A job that was run again has other bytes under the same name."""
    (tmp_path / "x.wav.part").write_text("other")
    (tmp_path / "x.wav.part.etag").write_text('"other"')
    server.answer("GET", output().url, BODY, ETag='"1"')  # the range is ignored: If-Range failed
    path = Client(server.url).download(output(), tmp_path / "x.wav")
    assert path.read_text() == BODY
    assert server.requests[0].headers["Range"] == "bytes=5-"
    assert server.requests[0].headers["If-Range"] == '"other"'
    assert [p.name for p in tmp_path.iterdir()] == ["x.wav"]
