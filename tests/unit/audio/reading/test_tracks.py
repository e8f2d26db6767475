"""Files with several audio tracks."""

from importlib.util import find_spec
from pathlib import Path

import av
import numpy as np
import pytest

from core.audio.reading.tracks import decode_tracks
from core.errors import NotAudio
from tests.signals import make_song, write_song


def test_every_track_in_its_order(tmp_path: Path) -> None:
    """Tracks decoded one over the other, or the first one five times, look like stems as well."""
    songs = [(0.5 * make_song(0.5, 44100, seed=seed) * 32767).astype(np.int16) for seed in range(3)]
    path = tmp_path / "tracks.mka"
    with av.open(str(path), "w", format="matroska") as container:
        streams = [container.add_stream("flac", rate=44100, layout="stereo") for _ in songs]
        for stream, song in zip(streams, songs, strict=True):
            packed = np.ascontiguousarray(song.T.reshape(1, -1))
            frame = av.AudioFrame.from_ndarray(packed, format="s16", layout="stereo")
            frame.sample_rate = 44100
            frame.pts = 0
            container.mux(stream.encode(frame))
            container.mux(stream.encode(None))
    tracks = decode_tracks(path)
    assert [track.sample_rate for track in tracks] == [44100] * 3
    for track, song in zip(tracks, songs, strict=True):
        np.testing.assert_array_equal(track.samples, song.astype(np.float32) / 32768)


def test_an_ni_stem_file() -> None:
    spec = find_spec("stempeg")
    if spec is None or spec.submodule_search_locations is None:
        pytest.skip("the stempeg package, which carries the file, is not installed")
    (file,) = Path(spec.submodule_search_locations[0]).glob("data/*.stem.mp4")
    tracks = decode_tracks(file)
    assert {track.samples.shape for track in tracks} == {(2, 268288)}
    assert len(tracks) == 5
    mixture, *stems = (track.samples.astype(np.float64) for track in tracks)
    assert all(0.1 < np.corrcoef(mixture[0], stem[0])[0, 1] < 0.99 for stem in stems)


def test_one_track_and_none(tmp_path: Path) -> None:
    song = make_song(0.2, 8000)
    (track,) = decode_tracks(write_song(tmp_path / "a.wav", song, 8000, "FLOAT"))
    np.testing.assert_array_equal(track.samples, song.astype(np.float32))
    (tmp_path / "notes.txt").write_text("no music")
    with pytest.raises(NotAudio, match=r"notes\.txt"):
        decode_tracks(tmp_path / "notes.txt")
