"""Multipart bodies become uploads and options, whatever the cut between chunks."""

import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive

from api.intake import MAX_FIELD_BYTES, Intake, Limits
from api.uploads import BATCH_BYTES, discard, receive_form
from core.artifacts.job_ids import new_job_id
from core.artifacts.names import MAX_NAME_LENGTH, clean_name
from core.artifacts.store import JobStore
from core.errors import InvalidOption, UploadTooLarge
from core.library.library import Library

BOUNDARY = "----frontier"


def part(name: Any, data: Any, file_name: Any = None) -> bytes:
    disposition = f'form-data; name="{name}"'
    if file_name is not None:
        disposition += f'; filename="{file_name}"'
    head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n\r\n"
    return head.encode() + data + b"\r\n"


def body(*parts: Any) -> bytes:
    return b"".join(parts) + f"--{BOUNDARY}--\r\n".encode()


class Body:
    """An ASGI `receive` over chunks that counts what was taken from it."""

    def __init__(self, chunks: Any, disconnect: bool = False) -> None:
        self.chunks = iter(chunks)
        self.disconnect = disconnect
        self.n_taken = 0

    async def __call__(self) -> dict[Any, Any]:
        chunk = next(self.chunks, None)
        if chunk is None and self.disconnect:
            return {"type": "http.disconnect"}
        self.n_taken += 1
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}


def request_of(
    receive: Receive, content_type: str = f"multipart/form-data; boundary={BOUNDARY}"
) -> Request[Any]:
    headers = [(b"content-type", content_type.encode())] if content_type else []
    return Request({"type": "http", "method": "POST", "path": "/", "headers": headers}, receive)


def library_in(folder: Path) -> Library:
    return Library(folder, f"sqlite:///{folder / 'stemcrate.sqlite'}")


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Intake]:
    intake = Intake(JobStore(tmp_path), library_in(tmp_path), new_job_id(), Limits(1_000_000, 3))
    yield intake
    intake.discard()


def receive(intake: Intake, chunks: Any, **kwargs: Any) -> Any:
    async def go() -> Any:
        source = Body(chunks)
        await receive_form(request_of(source, **kwargs), intake)
        return source

    return anyio.run(go)


def files_below(folder: Path) -> list[Any]:
    return sorted(p for p in folder.rglob("*") if p.is_file()) if folder.exists() else []


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_any_cut_between_chunks_gives_the_same_bytes(intake: Intake, size: int) -> None:
    audio = bytes(range(256)) * 8 + b"\r\n--" + BOUNDARY.encode()[:5] + b"\r\n"
    data = body(part("model", b"spleeter"), part("file", audio, "a.wav"), part("stages", b"key"))

    receive(intake, [data[i : i + size] for i in range(0, len(data), size)])

    (upload,) = intake.uploads
    assert intake.store.upload_path(upload.sha256).read_bytes() == audio
    assert (upload.name, upload.n_bytes) == ("a.wav", len(audio))
    assert intake.options() == {"model": "spleeter", "stages": "key"}


def test_options_may_follow_files_and_lists_may_be_repeated(intake: Intake) -> None:
    data = body(
        part("files", b"1", "one.wav"),
        part("stages", b"tempo"),
        part("file", b"2", "two.wav"),
        part("stages", b"key"),
        part("stems", b"vocals"),
        part("stems", b"drums"),
        part("custom_recipes", b"a=drums"),
        part("custom_recipes", b"b=bass"),
    )

    receive(intake, [data])

    assert [u.name for u in intake.uploads] == ["one.wav", "two.wav"]
    assert intake.options() == {
        "stages": "tempo,key",
        "stems": "vocals,drums",
        "custom_recipes": "a=drums;b=bass",
    }


@pytest.mark.parametrize("value", [b"key", b""])
def test_a_list_in_endless_parts_is_refused_before_the_rest_is_read(
    intake: Intake, value: bytes
) -> None:
    """Each part was small, and all of them were kept in memory."""
    source = Body([part("stages", value) * 1000] * 10_000)

    async def go() -> None:
        with pytest.raises(InvalidOption) as caught:
            await receive_form(request_of(source), intake)
        assert caught.value.field == "stages"

    anyio.run(go)
    assert source.n_taken < 20


def test_an_oversized_file_is_refused_before_the_rest_is_read(intake: Intake) -> None:
    chunk = b"x" * 65536
    source = Body([part("file", b"", "big.wav")[:-2], *[chunk] * 1000])

    async def go() -> None:
        with pytest.raises(UploadTooLarge):
            await receive_form(request_of(source), intake)
        await discard(intake)

    anyio.run(go)
    assert source.n_taken * len(chunk) < 1_000_000 + 2 * BATCH_BYTES
    assert files_below(intake.store.uploads) == []


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    chunk = b"x" * 65_536
    n_chunks = 640
    source = Body([part("file", b"", "big.wav")[:-2], *[chunk] * n_chunks, b"\r\n" + body()])
    intake = Intake(JobStore(tmp_path), library_in(tmp_path), new_job_id(), Limits(10**9, 1))
    tracemalloc.start()
    try:
        anyio.run(receive_form, request_of(source), intake)
        _, peak_bytes = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert intake.uploads[0].n_bytes == n_chunks * len(chunk)
    assert peak_bytes < 4_000_000


def test_a_client_that_leaves_leaves_nothing(intake: Intake) -> None:
    source = Body([part("file", b"whole", "a.wav"), part("file", b"half", "b.wav")], True)

    async def go() -> None:
        with pytest.raises(ClientDisconnect):
            await receive_form(request_of(source), intake)
        await discard(intake)

    anyio.run(go)
    assert files_below(intake.store.uploads) == []


def test_bytes_that_another_job_uses_survive_a_refusal(intake: Intake) -> None:
    other = Intake(intake.store, intake.library, new_job_id(), intake.limits)
    receive(other, [body(part("file", b"shared", "a.wav"))])
    receive(intake, [body(part("file", b"shared", "b.wav"))])

    intake.discard()

    assert intake.store.upload_path(other.uploads[0].sha256).read_bytes() == b"shared"


@pytest.mark.parametrize(
    ("parts", "field"),
    [
        ([part("colour", b"red")], "colour"),
        ([part("audio", b"x", "a.wav")], "audio"),
        ([part("model", b"a"), part("model", b"b")], "model"),
        ([part("name_template", b"x" * (MAX_FIELD_BYTES + 1))], "name_template"),
        ([part("file", b"x", "a.wav")] * 4, "file"),
    ],
)
def test_parts_that_nothing_takes_are_named(intake: Intake, parts: Any, field: str) -> None:
    with pytest.raises(InvalidOption) as caught:
        receive(intake, [body(*parts)])
    intake.discard()
    assert caught.value.field == field
    assert files_below(intake.store.uploads) == []


@pytest.mark.parametrize(
    "chunks",
    [
        [b"nonsense"],
        [b""],
        [part("file", b"cut", "a.wav")],
        [f"--{BOUNDARY}\r\nContent-Disposition: form-data\r\n\r\nx\r\n--{BOUNDARY}--".encode()],
    ],
)
def test_a_malformed_body_is_a_bad_request(intake: Intake, chunks: list[Any]) -> None:
    with pytest.raises(HTTPException) as caught:
        receive(intake, chunks)
    assert caught.value.status_code == 400


@pytest.mark.parametrize(
    ("content_type", "status"),
    [
        ("", 415),
        ("application/json", 415),
        ("multipart/form-data", 415),
        ("multipart/form-data; boundary=" + "x" * 5000, 400),
    ],
)
def test_other_bodies_are_refused(intake: Intake, content_type: str, status: int) -> None:
    with pytest.raises(HTTPException) as caught:
        receive(intake, [b"x"], content_type=content_type)
    assert caught.value.status_code == status


@pytest.mark.parametrize(
    ("given", "label"),
    [
        ("song.wav", "song.wav"),
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("C:\\Music\\Ä ö.flac", "Ä ö.flac"),
        ("夜に駆ける.mp3", "夜に駆ける.mp3"),
        ("say %22hi%22.wav", 'say "hi".wav'),
        ("a\x00b\r\nc.wav", "abc.wav"),
        ("gpj\u202e.exe.wav", "gpj.exe.wav"),
        ("e\u0301.wav", "é.wav"),
        ("  two\u00a0 spaces .wav ", "two spaces .wav"),
        ("..", "untitled"),
        ("/", "untitled"),
        ("", "untitled"),
    ],
)
def test_a_file_name_is_only_a_label(given: str, label: str) -> None:
    assert clean_name(given) == label


def test_a_long_name_keeps_its_suffix() -> None:
    name = clean_name("x" * 5000 + ".flac")
    assert len(name) == MAX_NAME_LENGTH
    assert name.endswith("x.flac")
