"""Objects and prefixes of a real S3 server."""

from pathlib import Path

import obstore
import pytest
from obstore.store import from_url

from core.errors import InvalidLink, SourceNotFound, SourceUnavailable, UploadTooLarge
from core.net.addresses import AddressGuard
from core.sources.links import Links
from core.sources.source import Fetched, Playlist, SourceSettings
from tests.object_store import BUCKET, ObjectStore
from tests.programs import requires

ROOT = f"s3://{BUCKET}/music"
SETTINGS = SourceSettings(AddressGuard(), buckets=(f"{ROOT}/",), max_bytes=1000)


@requires("seaweedfs")
def test_objects_and_prefixes_are_fetched(
    object_store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A collection in a bucket had to be copied by hand; and others' buckets were readable."""
    for name, value in object_store.environment.items():
        monkeypatch.setenv(name, value)
    store = from_url(f"s3://{BUCKET}", client_options={"allow_http": True})
    for name in ("music/a b.wav", "music/sub/ü.flac", "music/notes.txt", "musical/c.wav"):
        obstore.put(store, name, name.encode())
    obstore.put(store, "music/large.wav", b"x" * 1001)
    links = Links(SETTINGS)
    listed = links.fetch(f"{ROOT}/", tmp_path, None)
    assert isinstance(listed, Playlist)
    names = ("a b.wav", "large.wav", "sub/ü.flac")
    assert [track.url for track in listed.tracks] == [f"{ROOT}/{name}" for name in names]
    inner = links.fetch(f"{ROOT}/sub", tmp_path, None)
    assert isinstance(inner, Playlist)
    assert len(inner.tracks) == 1
    found = links.fetch(f"{ROOT}/sub/ü.flac", tmp_path, None)
    assert isinstance(found, Fetched)
    assert (found.name, found.path.read_text()) == ("ü.flac", "music/sub/ü.flac")
    assert links.fetch(f"{ROOT}/sub/ü.flac", tmp_path, found.etag) is None
    with pytest.raises(UploadTooLarge):
        links.fetch(f"{ROOT}/large.wav", tmp_path, None)
    for gone in ("gone.wav", "empty/"):
        with pytest.raises(SourceNotFound):
            links.fetch(f"{ROOT}/{gone}", tmp_path, None)
    for outside in (f"s3://{BUCKET}/musical/c.wav", f"s3://{BUCKET}", "s3://other/music/x.wav"):
        with pytest.raises(InvalidLink, match="may be read"):
            links.fetch(outside, tmp_path, None)
    with pytest.raises((SourceNotFound, SourceUnavailable)):
        links.fetch(f"{ROOT}/../musical/c.wav", tmp_path, None)
