"""Downloads from real servers, most of them hostile."""

import socket
from pathlib import Path

import pytest

from core.errors import (
    AddressForbidden,
    InvalidLink,
    SourceNotFound,
    SourceUnavailable,
    StemcrateError,
    UploadTooLarge,
)
from core.net import download as downloads
from core.net.addresses import AddressGuard
from core.net.download import Downloaded, download
from core.net.outgoing import Outgoing, OutgoingLimits
from core.sources.direct import DirectSource
from core.sources.source import SourceSettings
from tests.file_server import FileServer
from tests.hostile_server import (
    Behaviour,
    hostile_server,
    redirect,
    reply,
    send_endlessly,
    wait_silently,
)

LOCAL = AddressGuard(["127.0.0.1"])
HEAD = b"HTTP/1.1 200 OK\r\n\r\n"


def get(
    url: str,
    folder: Path,
    guard: AddressGuard = LOCAL,
    *,
    max_bytes: int = 1_000_000,
    known_etag: str | None = None,
    total_s: float = 3600.0,
    idle_s: float = 30.0,
) -> Downloaded | None:
    outgoing = Outgoing(guard, OutgoingLimits(max_bytes, total_s=total_s, idle_s=idle_s))
    return download(outgoing, url, folder / "song", known_etag=known_etag, pause_s=0.0)


def test_a_broken_download_goes_on_where_it_broke(tmp_path: Path) -> None:
    """Each break began the file anew; and another download began anew after the first gave up."""
    content, made = bytes(range(256)) * 2000, tmp_path / "made"
    made.mkdir()
    (tmp_path / "a%20song.flac").write_bytes(content)
    with FileServer(tmp_path) as server:
        server.break_after, server.refuse_after_break = 200_000, True
        with pytest.raises(SourceUnavailable, match="answered 503"):
            get(server.url("a song.flac"), made)
        assert not (made / "song").exists()
        server.break_after = None
        server.refuse_after_break = False
        found = get(server.url("a song.flac"), made)
        assert found is not None
        assert found.name == "a song.flac"
        assert server.ranges == ["bytes=200000-"]
    assert (made / "song").read_bytes() == content
    assert [path.name for path in made.iterdir()] == ["song"]


def test_a_file_arrives_with_its_name_and_tag(tmp_path: Path) -> None:
    """Known content was sent again, and files were named after the address of a redirect."""
    (tmp_path / "song.flac").write_bytes(b"music")
    with FileServer(tmp_path) as server, hostile_server(redirect(server.url("song.flac"))) as other:
        found = get(f"{other}/latest?x=1", tmp_path)
        assert found is not None
        assert (found.url, found.name) == (server.url("song.flac"), "song.flac")
        assert (tmp_path / "song").read_bytes() == b"music"
    tagged = reply(f"HTTP/1.1 304 Not Modified\r\nETag: {found.etag}\r\n\r\n")
    with hostile_server(tagged) as address:
        assert get(address, tmp_path, known_etag=found.etag) is None


def test_other_content_is_not_appended(tmp_path: Path) -> None:
    """The file had changed since the break, and was put together from two."""
    content = b"new" * 100_000
    (tmp_path / "song.part").write_bytes(b"old")
    (tmp_path / "song.part.etag").write_text('"old"')
    answer = f'HTTP/1.1 200 OK\r\nETag: "new"\r\nContent-Length: {len(content)}\r\n\r\n'
    with hostile_server(lambda c, _: c.sendall(answer.encode() + content)) as address:
        get(address, tmp_path)
    assert (tmp_path / "song").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["song"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "[::1]"])
def test_the_own_machine_is_not_reached(tmp_path: Path, host: str) -> None:
    """However it is written: a service that trusts its own machine answers."""
    with pytest.raises(AddressForbidden):
        get(f"http://{host}:1/", tmp_path, AddressGuard())
    assert not list(tmp_path.iterdir())


def test_a_redirect_does_not_lead_inside(tmp_path: Path) -> None:
    """Only the first address was checked."""
    for target in ("http://127.0.0.2/", "http://[::ffff:169.254.169.254]/", "//10.0.0.1/x"):
        with hostile_server(redirect(target)) as address, pytest.raises(AddressForbidden):
            get(address, tmp_path)
    for target in ("file:///etc/passwd", "ftp://example.org/", "gopher://x/"):
        with hostile_server(redirect(target)) as address, pytest.raises(InvalidLink):
            get(address, tmp_path)


def test_nothing_is_sent_to_a_forbidden_peer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name resolved to a public address when checked, to the own machine when connected."""
    public = ("93.184.216.34", 80)
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def connect(*_: object, **__: object) -> socket.socket:
            connection = socket.socket()
            connection.connect(listener.getsockname())
            return connection

        monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: [(2, 1, 6, "", public)])
        monkeypatch.setattr(socket, "create_connection", connect)
        with pytest.raises(AddressForbidden):
            get("http://rebinding.example/", tmp_path, AddressGuard())
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(1) == b""


@pytest.mark.parametrize(
    "url",
    [
        "",
        "song.flac",
        "file:///etc/passwd",
        "ftp://example.org/song",
        "http://",
        "http://user:secret@example.org/",
        "http://example.org\\@127.0.0.1/",
        "http://example.org:99999/",
        "http://[::1/",
        "http://ex\r\nX: y/",
        f"http://{'a' * 64}.org/",
        f"http://example.org/{'a' * 5000}",
    ],
)
def test_only_addresses_of_the_web_are_fetched(tmp_path: Path, url: str) -> None:
    """Two programs read the same address differently: one checks it, the other calls it."""
    with pytest.raises(InvalidLink) as caught:
        get(url, tmp_path)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("behaviour", "error", "said"),
    [
        (send_endlessly(HEAD, b"x" * 65536), UploadTooLarge, "larger than"),
        (reply("HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\nx"), UploadTooLarge, "larger"),
        (send_endlessly(HEAD, b"x", 0.02), SourceUnavailable, "in time"),
        (send_endlessly(b"HTTP/1.1 200 OK\r\n", b"A: b\r\n", 0.02), SourceUnavailable, "in time"),
        (
            send_endlessly(b"", b"HTTP/1.1 103 Early Hints\r\n\r\n", 0.02),
            SourceUnavailable,
            "in time",
        ),
        (send_endlessly(b"HTTP/1.1 200 OK\r\nA: ", b"x" * 65536), SourceUnavailable, "fetched"),
        (wait_silently, SourceUnavailable, "in time"),
        (reply("SSH-2.0-OpenSSH_9.2\r\n"), SourceUnavailable, "cannot be fetched"),
        (reply(""), SourceUnavailable, "cannot be fetched"),
        (reply("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n"), SourceUnavailable, "500"),
        (reply("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n"), SourceNotFound, "404"),
        (reply("HTTP/1.1 204 No\r\n\r\n"), SourceNotFound, "204"),
        (
            reply(
                "HTTP/1.1 206 P\r\nContent-Range: bytes 5-9/10\r\nContent-Length: 5\r\n\r\nxxxxx"
            ),
            SourceNotFound,
            "206",
        ),
        (
            reply("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 0\r\n\r\n"),
            SourceNotFound,
            "compressed",
        ),
        (redirect("/again"), SourceNotFound, "redirects"),
    ],
)
def test_hostile_servers_end_in_an_error(
    tmp_path: Path, behaviour: Behaviour, error: type[StemcrateError], said: str
) -> None:
    """Each kept a worker for ever, filled its disk, or left a file that nobody removes."""
    with hostile_server(behaviour) as address, pytest.raises(error, match=said):
        get(address, tmp_path, total_s=0.2, idle_s=0.15)
    if not error.retryable:
        assert not list(tmp_path.iterdir())


def test_a_trickle_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte a second kept the connection below the idle limit for an hour."""
    monkeypatch.setattr(downloads, "SLOW_S", 0.05)
    with (
        hostile_server(send_endlessly(HEAD, b"x", 0.02)) as address,
        pytest.raises(SourceUnavailable, match="slowly"),
    ):
        get(address, tmp_path)


@pytest.mark.parametrize(
    ("header", "name"),
    [
        ('attachment; filename="song.flac"', "song.flac"),
        ("attachment; filename*=UTF-8''S%C3%BC%C3%9F.flac", "S\u00fc\u00df.flac"),
        ('attachment; filename="../../etc/passwd"', "passwd"),
        ("attachment; filename*=utf-8''..%2F..%2Fetc%2Fpasswd", "passwd"),
        ('attachment; filename="a\\b\\c.wav"', "c.wav"),
        ('attachment; filename=""', "x y.wav"),
        ("inline", "x y.wav"),
    ],
)
def test_hostile_names_are_labels(tmp_path: Path, header: str, name: str) -> None:
    """A server named its file as a path of this one."""
    answer = f"HTTP/1.1 200 OK\r\nContent-Disposition: {header}\r\nContent-Length: 1\r\n\r\nx"
    source = DirectSource(SourceSettings(LOCAL))
    with hostile_server(reply(answer)) as address:
        found = source.fetch(f"{address}/a/x%20y.wav", tmp_path, None, lambda: None)
    assert found is not None
    assert found.name == name
    assert found.path.parent == tmp_path
