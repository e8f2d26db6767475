"""Uploads in parts: what stays of a part, who may write, and when an upload goes."""

import hashlib
import os
import time
from pathlib import Path

import pytest

from core import errors
from core.artifacts.job_ids import new_job_id
from core.artifacts.resumable import ResumableUploads
from core.artifacts.store import JobStore
from core.artifacts.upload_parts import UNCLAIMED_STAYS_S, Checksum
from stemcrate.schemas.uploads import UploadState


@pytest.fixture
def uploads(tmp_path: Path) -> ResumableUploads:
    return ResumableUploads(tmp_path)


def send(
    uploads: ResumableUploads, state: UploadState, data: bytes, checksum: Checksum | None = None
) -> UploadState:
    with uploads.append(state.id, state.offset, checksum) as part:
        part.write(data)
    return uploads.get(state.id)


def complete(uploads: ResumableUploads, data: bytes = b"abcdef") -> UploadState:
    return send(uploads, uploads.create("song.wav", len(data)), data)


def age(tmp_path: Path, upload_id: str, seconds: float) -> None:
    data = tmp_path / "incoming" / upload_id / "data"
    os.utime(data, (time.time() - seconds,) * 2)


def test_parts_add_up_to_the_file(uploads: ResumableUploads, tmp_path: Path) -> None:
    state = uploads.create("夜.wav", 6, "filename 5aSc")
    assert (state.name, state.offset, state.is_complete) == ("夜.wav", 0, False)
    state = send(uploads, state, b"abc")
    state = ResumableUploads(tmp_path).get(state.id)  # another process
    assert (state.offset, state.is_complete) == (3, False)
    assert send(uploads, state, b"def").is_complete
    assert uploads.metadata(state.id) == "filename 5aSc"


@pytest.mark.parametrize("offset", [0, 2, 4, 100])
def test_a_part_starts_where_the_last_one_ended(uploads: ResumableUploads, offset: int) -> None:
    state = send(uploads, uploads.create("a", 6), b"abc")
    with pytest.raises(errors.UploadOffsetMismatch), uploads.append(state.id, offset):
        pass
    assert uploads.get(state.id).offset == 3


def test_what_arrived_of_a_part_that_was_cut_stays(uploads: ResumableUploads) -> None:
    state = uploads.create("a", 6)
    with pytest.raises(ConnectionError), uploads.append(state.id, 0) as part:
        part.write(b"abcd")
        raise ConnectionError
    assert send(uploads, uploads.get(state.id), b"ef").is_complete


def test_nothing_stays_of_a_part_whose_checksum_is_wrong_or_was_not_compared(
    uploads: ResumableUploads, tmp_path: Path
) -> None:
    state = send(uploads, uploads.create("a", 6), b"abc")
    right = Checksum("sha256", hashlib.sha256(b"def").digest())
    with pytest.raises(errors.ChecksumMismatch):
        send(uploads, state, b"dEf", right)
    assert uploads.get(state.id).offset == 3
    with pytest.raises(ConnectionError), uploads.append(state.id, 3, right) as part:
        part.write(b"de")
        assert ResumableUploads(tmp_path).get(state.id).offset == 3
        raise ConnectionError
    assert uploads.get(state.id).offset == 3
    assert send(uploads, uploads.get(state.id), b"def", right).is_complete


def test_a_kill_in_a_part_with_a_checksum_leaves_nothing_of_it(
    uploads: ResumableUploads, tmp_path: Path
) -> None:
    state = send(uploads, uploads.create("a", 6), b"abc")
    folder = tmp_path / "incoming" / state.id
    (folder / "unverified").write_text("3")
    with (folder / "data").open("ab") as file:
        file.write(b"xy")
    assert uploads.get(state.id).offset == 3
    send(uploads, uploads.get(state.id), b"def")
    assert (folder / "data").read_bytes() == b"abcdef"


def test_one_request_writes_at_a_time(uploads: ResumableUploads, tmp_path: Path) -> None:
    state = uploads.create("a", 6)
    with uploads.append(state.id, 0) as part:
        part.write(b"abc")
        other = ResumableUploads(tmp_path)
        with pytest.raises(errors.UploadBusy), other.append(state.id, 3):
            pass
        with pytest.raises(errors.UploadBusy):
            other.remove(state.id)
        age(tmp_path, state.id, UNCLAIMED_STAYS_S + 60)
        other.remove_expired()
        os.utime(tmp_path / "incoming" / state.id / "data")
    assert uploads.get(state.id).offset == 3


def test_more_than_announced_is_refused(uploads: ResumableUploads) -> None:
    state = uploads.create("a", 4)
    with pytest.raises(errors.UploadTooLarge):
        send(uploads, state, b"abcdef")
    assert uploads.get(state.id).offset == 0


def test_a_job_takes_a_complete_upload_and_a_refusal_gives_it_back(
    uploads: ResumableUploads, tmp_path: Path
) -> None:
    """Who corrects an option must not send 500 MB again."""
    state = complete(uploads)
    store, job_id = JobStore(tmp_path), new_job_id()
    upload = uploads.take(state.id, store, job_id)
    assert (upload.name, upload.n_bytes) == ("song.wav", 6)
    assert upload.sha256 == hashlib.sha256(b"abcdef").hexdigest()
    assert store.upload_path(upload.sha256).read_bytes() == b"abcdef"
    store.release_upload(upload.sha256, job_id)
    assert uploads.take(state.id, store, new_job_id()) == upload
    uploads.remove(state.id)
    assert store.upload_path(upload.sha256).read_bytes() == b"abcdef"
    assert not list(tmp_path.rglob("*.part"))


def test_a_disk_without_links_gets_a_copy(
    uploads: ResumableUploads, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("no links on FAT")

    monkeypatch.setattr(os, "link", refuse)
    state = complete(uploads)
    upload = uploads.take(state.id, JobStore(tmp_path), new_job_id())
    assert JobStore(tmp_path).upload_path(upload.sha256).read_bytes() == b"abcdef"


def test_half_a_file_is_not_taken(uploads: ResumableUploads, tmp_path: Path) -> None:
    state = send(uploads, uploads.create("a", 6), b"abc")
    with pytest.raises(errors.UploadIncomplete, match="3 of 6"):
        uploads.take(state.id, JobStore(tmp_path), new_job_id())


@pytest.mark.parametrize("upload_id", ["", "..", "../uploads", "x" * 32, "0" * 32, "a/b"])
def test_an_unknown_id_is_an_error_and_never_a_path(
    uploads: ResumableUploads, upload_id: str
) -> None:
    with pytest.raises(errors.UploadNotFound):
        uploads.get(upload_id)
    with pytest.raises(errors.UploadNotFound):
        uploads.remove(upload_id)


def test_what_nobody_continues_goes_after_a_day(uploads: ResumableUploads, tmp_path: Path) -> None:
    dead, alive = uploads.create("dead", 6), uploads.create("alive", 6)
    age(tmp_path, dead.id, UNCLAIMED_STAYS_S + 60)
    age(tmp_path, alive.id, UNCLAIMED_STAYS_S - 60)
    with pytest.raises(errors.UploadNotFound):
        uploads.get(dead.id)
    uploads.remove_expired()
    assert [path.name for path in (tmp_path / "incoming").iterdir()] == [alive.id]
    assert uploads.get(alive.id).expires_at.timestamp() > time.time()
