"""Pages of allowed hosts, by the real yt-dlp, from a server on this machine."""

from contextlib import closing
from pathlib import Path

import av
import numpy as np
import pytest

from core.audio.reading.decode import probe, read_through
from core.errors import AddressForbidden, SourceNotFound, StemcrateError
from core.net.addresses import AddressGuard
from core.sources.links import Links
from core.sources.media import MediaSource
from core.sources.source import Fetched, Playlist, SourceSettings
from tests.file_server import FileServer
from tests.signals import make_song, write_song

LOCAL = SourceSettings(AddressGuard(["127.0.0.1"]), hosts=("127.0.0.1",), timeout_s=60.0)
FEED = '<?xml version="1.0"?><rss version="2.0"><channel><title>M</title>{items}</channel></rss>'
ITEM = "<item><title>{title}</title><link>{link}</link></item>"


def told() -> None: ...


@pytest.mark.slow
def test_pages_give_recordings_and_playlists(tmp_path: Path) -> None:
    """yt-dlp changes from month to month: what we ask it for has to exist still."""
    served, folder = tmp_path / "served", tmp_path / "folder"
    for made in (served, folder, tmp_path / "other"):
        made.mkdir()
    song = write_song(served / "recording", make_song(1.0, 8000), 8000)
    with FileServer(served) as server, closing(MediaSource(LOCAL)) as source:
        items = "".join(ITEM.format(title=f"Mix {n}", link=server.url(f"{n}")) for n in range(3))
        (served / "feed").write_text(FEED.format(items=items))
        found = source.fetch(server.url("recording"), folder, None, told)
        assert isinstance(found, Fetched)
        assert found.path.read_bytes() == song.read_bytes()
        playlist = source.fetch(server.url("feed"), tmp_path / "other", None, told)
        assert isinstance(playlist, Playlist)
        assert [(t.title, t.url) for t in playlist.tracks] == [
            (f"Mix {n}", server.url(f"{n}")) for n in range(3)
        ]
        with pytest.raises(SourceNotFound, match="404"):
            source.fetch(server.url("missing"), tmp_path / "other", None, told)


def write_hls(folder: Path) -> None:
    """Write six seconds of a tone as AAC in segments, as services stream recordings."""
    options = {"hls_time": "2", "hls_playlist_type": "vod"}
    with av.open(str(folder / "stream.m3u8"), "w", format="hls", options=options) as container:
        stream = container.add_stream("aac", rate=44_100)
        tone = 0.3 * np.sin(2 * np.pi * 330 * np.arange(6 * 44_100) / 44_100)
        frame = av.AudioFrame.from_ndarray(
            tone[None].astype(np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate = 44_100
        stream.layout = "mono"
        for packets in (stream.encode(frame), stream.encode(None)):
            container.mux(packets)


@pytest.mark.slow
def test_streams_are_fetched_without_ffmpeg(tmp_path: Path) -> None:
    """yt-dlp is kept from FFmpeg: it must put segments together itself, and we must read them."""
    served, folder = tmp_path / "served", tmp_path / "folder"
    served.mkdir()
    folder.mkdir()
    write_hls(served)
    with FileServer(served) as server, closing(MediaSource(LOCAL)) as source:
        found = source.fetch(server.url("stream.m3u8"), folder, None, told)
    assert isinstance(found, Fetched)
    probe(found.path, name=found.name)
    _, seconds = read_through(
        found.path, lambda rate, _, blocks: sum(b.shape[1] for b in blocks) / rate, name=found.name
    )
    assert seconds == pytest.approx(6.0, abs=0.2)


@pytest.mark.slow
def test_nothing_that_yt_dlp_opens_leads_inside(tmp_path: Path) -> None:
    """Its own requests and redirects went around the guard."""
    (tmp_path / "recording").write_bytes(b"x")
    settings = SourceSettings(AddressGuard(), hosts=("127.0.0.1",), timeout_s=60.0)
    with FileServer(tmp_path) as server, closing(MediaSource(settings)) as source:
        with pytest.raises(AddressForbidden):
            source.fetch(server.url("recording"), tmp_path, None, told)
        assert server.n_requests == 0


@pytest.mark.parametrize(
    ("url", "takes"),
    [
        ("https://soundcloud.com/someone/song", True),
        ("https://someone.bandcamp.com/album/x", True),
        ("https://archive.org/download/x/song.flac", False),
        ("https://notsoundcloud.com/x", False),
        ("https://soundcloud.com.example.org/x", False),
        ("https://example.org/soundcloud.com", False),
        ("ytsearch1:Nina Blue", True),
    ],
)
def test_pages_of_allowed_hosts_alone(url: str, takes: bool) -> None:
    """A host that only looks like an allowed one was given to a program that runs its scripts."""
    with closing(MediaSource(SourceSettings(AddressGuard()))) as source:
        assert source.takes(url) is takes


def test_searching_needs_the_host_that_is_searched(tmp_path: Path) -> None:
    """Names in lists were looked for at a host that the operator does not allow."""
    guard = AddressGuard()
    assert Links(SourceSettings(guard)).can_search()
    assert not Links(SourceSettings(guard, hosts=("soundcloud.com",))).can_search()
    off = Links(SourceSettings(guard, is_on=False))
    assert not off.can_search()
    with pytest.raises(StemcrateError, match="INGEST_LINKS"):
        off.fetch("https://example.org/a.mp3", tmp_path, None)
