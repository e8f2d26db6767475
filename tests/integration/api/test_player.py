"""Players: lanes, segments, waveforms and spectrograms of jobs that really ran."""

import io
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from fastapi.testclient import TestClient
from numpy.typing import NDArray

from core.analysis.store import FactStore
from core.library.intake.importing import SourceFile, import_files
from core.listening import listener as listening
from stemcrate.schemas.player import PlayerLane, PlayerTrack
from tests.conditions import wait_until
from tests.integration.api.apps import open_client, run_here, services_of, submit, wav_bytes
from tests.signals import make_song

pytestmark = pytest.mark.slow

UPLOAD = wav_bytes(13.0, seed=3)


def job_of(client: TestClient, data: bytes, **options: str) -> str:
    answer = client.post("/process", files=[("file", ("song.wav", data))], data=options)
    assert answer.status_code == 202, answer.text
    job_id: str = answer.json()["job_id"]
    run_here(client, job_id)
    return job_id


def player(client: TestClient, job_id: str) -> PlayerTrack:
    answer = client.get(f"/job/{job_id}/tracks/0/player")
    assert answer.status_code == 200, answer.text
    return PlayerTrack.model_validate_json(answer.content)


def lane_of(track: PlayerTrack, label: str) -> PlayerLane:
    return next(lane for lane in track.lanes if lane.label == label)


def decode(data: bytes) -> NDArray[np.float64]:
    samples: NDArray[np.float64] = soundfile.read(io.BytesIO(data), always_2d=True)[0]
    return samples


def heard(client: TestClient, track: PlayerTrack, label: str) -> NDArray[np.float64]:
    """What a player plays of a lane, ``(n_frames, n_channels)``."""
    lane = lane_of(track, label)
    parts = []
    for number in range(track.n_segments):
        answer = client.get(lane.segments_url.format(segment=number))
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "audio/flac"
        parts.append(decode(answer.content))
        assert number == track.n_segments - 1 or len(parts[-1]) == track.segment_frames
    return np.concatenate(parts) * lane.scale


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with open_client(tmp_path_factory.mktemp("players")) as client:
        yield client


@pytest.fixture(scope="module")
def job(app: TestClient) -> str:
    stages = "composite,normalization,tempo,waveform"
    return job_of(app, UPLOAD, stages=stages, recipes="main,acapella")


@pytest.fixture(scope="module")
def track(app: TestClient, job: str) -> PlayerTrack:
    return player(app, job)


def test_segments_are_the_delivered_files_sample_by_sample(
    app: TestClient, track: PlayerTrack
) -> None:
    """Two lanes that are a sample apart make a comb filter of the mix."""
    assert (track.n_segments, track.sample_rate, track.n_channels) == (3, 22_050, 2)
    roles = [(lane.role, lane.label) for lane in track.lanes]
    assert roles == [
        ("original", "original"),
        ("stem", "vocals"),
        ("stem", "accompaniment"),
        ("composite", "main"),
        ("composite", "acapella"),
    ]
    assert lane_of(track, "acapella").same_as == "vocals"
    assert {lane.same_as for lane in track.lanes[:-1]} == {None}
    for lane in track.lanes[1:]:
        assert lane.download_url is not None
        delivered = decode(app.get(lane.download_url).content)
        assert len(delivered) == track.n_frames
        np.testing.assert_array_equal(heard(app, track, lane.label), delivered)
    np.testing.assert_array_equal(heard(app, track, "original"), decode(UPLOAD))


def test_original_and_stems_can_be_compared_at_equal_loudness(
    app: TestClient, track: PlayerTrack
) -> None:
    """A/B of unequal levels is won by the louder one."""
    main = lane_of(track, "main")
    assert main.gain_db != 0
    assert track.original_loudness_lufs is not None
    assert track.main_loudness_lufs == pytest.approx(
        track.original_loudness_lufs + main.gain_db, abs=1e-3
    )
    matched = heard(app, track, "main") * 10 ** (-main.gain_db / 20)
    np.testing.assert_allclose(matched, decode(UPLOAD), atol=1e-5)


def test_without_the_upload_the_original_is_the_sum_of_the_stems(app: TestClient) -> None:
    """Whoever clears the uploads by hand would lose A/B with them."""
    job_id = job_of(app, wav_bytes(1.5, seed=8), stages="normalization")
    store = services_of(app).store
    sha256 = store.load(job_id).tracks[0].source.sha256
    expected = decode(store.upload_path(sha256).read_bytes())
    store.upload_path(sha256).unlink()
    fresh = player_after_restart(app, job_id)
    assert fresh.lanes[0].source == "stems"
    np.testing.assert_allclose(heard(app, fresh, "original"), expected, atol=1e-5)


def player_after_restart(client: TestClient, job_id: str) -> PlayerTrack:
    services_of(client).listener._known.clear()
    return player(client, job_id)


def test_stems_that_do_not_sum_to_the_original_do_not_stand_for_it(app: TestClient) -> None:
    job_id = job_of(app, wav_bytes(1.0, seed=9), stages="normalization", residual="off")
    store = services_of(app).store
    store.upload_path(store.load(job_id).tracks[0].source.sha256).unlink()
    roles = {lane.role for lane in player_after_restart(app, job_id).lanes}
    assert roles == {"stem"}


def test_an_analysis_has_its_original(app: TestClient) -> None:
    """It delivers nothing: the recording is all there is to look at."""
    mono = io.BytesIO()
    soundfile.write(mono, make_song(0.5, 22_050, 1)[0], 22_050, format="FLAC", subtype="PCM_16")
    track = player(app, job_of(app, mono.getvalue(), model="none", stages="tempo"))
    (lane,) = track.lanes
    assert (lane.label, lane.download_url, lane.bit_depth) == ("original", None, 16)
    assert (track.n_channels, track.n_segments) == (1, 1)
    assert (track.grid.downbeats_s, track.sections, track.loops) == ([], [], [])
    np.testing.assert_array_equal(heard(app, track, "original"), decode(mono.getvalue()))
    for url, size in ((lane.waveform_url, 24 + 2 * 22), (lane.bands_url, 24 + 3 * 22)):
        answer = app.get(url)
        assert (answer.status_code, len(answer.content)) == (200, size)
    assert app.get(lane.spectrogram_url).content[8:12] == b"WEBP"


@pytest.mark.parametrize("form", ["mp3", "m4a"])
def test_an_mp3_and_what_was_made_of_it_are_aligned(app: TestClient, form: str) -> None:
    """Decoders that keep the encoder's delay are 26 ms late."""
    mp3 = io.BytesIO()
    song = make_song(7.0, 44_100, seed=5)
    soundfile.write(mp3, song.T, 44_100, format="MP3", subtype="MPEG_LAYER_III")
    options = {"stages": "composite,normalization,waveform", "recipes": "main", "format": form}
    track = player(app, job_of(app, mp3.getvalue(), **options))
    assert track.n_frames == song.shape[1]
    original, main = heard(app, track, "original"), heard(app, track, "main")
    main *= 10 ** (-lane_of(track, "main").gain_db / 20)
    inner = slice(4096, -4096)
    for found in (original, main):
        late = np.roll(found[inner], 1, axis=0)
        error, error_late = (np.abs(x - song.T[inner]).mean() for x in (found[inner], late))
        assert error < error_late
        assert np.corrcoef(found[inner, 0], song[0, inner])[0, 1] > 0.95


def test_waveforms_of_the_job_are_those_made_on_request(
    app: TestClient, track: PlayerTrack
) -> None:
    """Jobs of older versions are drawn by the second, those of this one by the first."""
    for lane in track.lanes:
        for kind, url in (("dat", lane.waveform_url), ("bands", lane.bands_url)):
            assert url.startswith("/download/")
            of_job = app.get(url).content
            base = f"/job/{track.job_id}/tracks/0/lanes/{lane.label}"
            made = app.get(f"{base}/waveform.{kind}").content
            assert of_job[:24] == made[:24]
            codes = [np.frombuffer(data[24:], dtype=np.int8) for data in (of_job, made)]
            assert np.abs(np.subtract(*codes, dtype=np.int16)).max() <= 1


def test_a_piece_can_be_kept_and_asked_for_in_part(app: TestClient, track: PlayerTrack) -> None:
    """A player that fetches its segments again at each seek stutters on a slow line."""
    url = lane_of(track, "vocals").segments_url.format(segment=1)
    whole = app.get(url)
    assert whole.headers["cache-control"] == "private, max-age=31536000, immutable"
    etag = whole.headers["etag"]
    assert app.get(url, headers={"If-None-Match": etag}).status_code == 304
    part = app.get(url, headers={"Range": "bytes=10-19", "If-Range": etag})
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["content-range"] == f"bytes 10-19/{len(whole.content)}"
    assert app.get(url, headers={"Range": f"bytes={len(whole.content)}-"}).status_code == 416
    assert app.get(url.partition("?")[0]).headers["cache-control"] == "private, no-cache"


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("tracks/0/lanes/vocals/segments/3", "artefact_not_found"),
        ("tracks/0/lanes/guitar/segments/0", "artefact_not_found"),
        ("tracks/1/player", "artefact_not_found"),
    ],
)
def test_what_does_not_exist_is_not_found(app: TestClient, job: str, path: str, code: str) -> None:
    answer = app.get(f"/job/{job}/{path}")
    assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_a_file_that_was_removed_by_hand_is_not_found(app: TestClient) -> None:
    """Its absence is no defect of the server."""
    job_id = job_of(app, wav_bytes(0.5, seed=12), stages="normalization")
    track = player(app, job_id)
    folder = services_of(app).store.job_folder(job_id)
    (folder / lane_of(track, "vocals").name).unlink()
    answer = app.get(lane_of(track, "vocals").segments_url.format(segment=0))
    assert (answer.status_code, answer.json()["code"]) == (404, "artefact_not_found")


def test_what_is_decoded_whole_leaves_nothing_of_a_deleted_job(app: TestClient) -> None:
    """The decoding goes on after the segment that was asked for."""
    mp3 = io.BytesIO()
    soundfile.write(mp3, make_song(40.0, 44_100).T, 44_100, format="MP3")
    job_id = job_of(app, mp3.getvalue(), model="none", stages="tempo")
    listener = services_of(app).listener
    url = lane_of(player(app, job_id), "original").segments_url.format(segment=0)
    assert app.get(url).status_code == 200
    assert app.delete(f"/job/{job_id}").status_code == 204
    wait_until(lambda: not listener._decoding)
    wait_until(lambda: not (services_of(app).store.listening / job_id).exists())


def test_a_track_that_is_not_done_cannot_be_played(app: TestClient) -> None:
    answer = app.get(f"/job/{submit(app)}/tracks/0/player")
    assert (answer.status_code, answer.json()["code"]) == (409, "job_not_finished")


def test_a_segment_is_made_once_for_all_who_ask(
    app: TestClient, job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two tabs on one song would double the work."""
    listener = services_of(app).listener
    shutil.rmtree(services_of(app).store.listening)
    made = []
    call = listening._Pool.call

    def counting(pool: Any, function: Any, *arguments: Any) -> Any:
        made.append(function)
        return call(pool, function, *arguments)

    monkeypatch.setattr(listening._Pool, "call", counting)
    track, lane = listener.lane(job, 0, "vocals")
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(listener.segment(track, lane, 0)))
        for _ in range(6)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert len(set(found)) == 1
    assert len(found) == 6


def test_a_deleted_job_leaves_nothing_of_its_player(app: TestClient) -> None:
    job_id = job_of(app, wav_bytes(0.5, seed=11), stages="normalization")
    track = player(app, job_id)
    url = track.lanes[0].segments_url.format(segment=0)
    assert app.get(url).status_code == 200
    folder: Path = services_of(app).store.listening / job_id
    assert list(folder.rglob("*.flac"))
    assert app.delete(f"/job/{job_id}").status_code == 204
    assert not folder.exists()
    assert app.get(url).json()["code"] == "job_not_found"


def test_a_process_that_dies_fails_one_piece_alone(app: TestClient, job: str) -> None:
    """The next request finds a new process."""
    listener = services_of(app).listener
    track, lane = listener.lane(job, 0, "main")
    shutil.rmtree(services_of(app).store.listening, ignore_errors=True)
    listener.segment(track, lane, 0)
    for process in listener._short._processes:
        process.close()
    assert decode(listener.segment(track, lane, 1)).shape == (track.segment(1)[1] - 131_072, 2)


def add_to_library(client: TestClient, path: Path) -> str:
    """Add a file as `stemcrate library add` does; return its track."""
    services = services_of(client)
    store = FactStore(services.settings.data_dir, 10_000_000)
    source = SourceFile(path.resolve(), path.name)
    (track_id,) = import_files(services.library, [source], store=store, n_processes=1).added
    return track_id


def library_player(client: TestClient, track_id: str) -> PlayerTrack:
    answer = client.get(f"/library/tracks/{track_id}/player")
    assert answer.status_code == 200, answer.text
    return PlayerTrack.model_validate_json(answer.content)


def test_a_file_of_the_library_is_heard_without_a_job(app: TestClient, tmp_path: Path) -> None:
    """A track had to be separated before it could be listened to."""
    path = tmp_path / "Band - Own.wav"
    path.write_bytes(wav_bytes(7.0, seed=21))
    track_id = add_to_library(app, path)
    assert app.patch(f"/library/tracks/{track_id}", json={"title": "Mine"}).status_code == 200
    track = library_player(app, track_id)
    assert (track.job_id, track.index, track.track_id) == (None, None, track_id)
    assert (track.title, track.artist, track.n_segments) == ("Mine", "Band", 2)
    assert track.grid.beats_s
    (lane,) = track.lanes
    assert (lane.label, lane.name, lane.download_url) == ("original", path.name, None)
    np.testing.assert_array_equal(heard(app, track, "original"), decode(path.read_bytes()))
    for url in (lane.waveform_url, lane.bands_url, lane.spectrogram_url):
        assert app.get(url).status_code == 200
    folder: Path = services_of(app).store.listening / track_id
    assert list(folder.rglob("*.flac"))
    assert app.delete(f"/library/tracks/{track_id}").status_code == 204
    assert not folder.exists()
    assert path.exists()
    assert app.get(lane.spectrogram_url).json()["code"] == "track_not_found"


def test_a_lossy_file_of_the_library_is_decoded_from_its_start(
    app: TestClient, tmp_path: Path
) -> None:
    song = make_song(7.0, 44_100, seed=22)
    path = tmp_path / "song.mp3"
    soundfile.write(path, song.T, 44_100, format="MP3", subtype="MPEG_LAYER_III")
    track = library_player(app, add_to_library(app, path))
    found = heard(app, track, "original")
    assert found.shape == (song.shape[1], 2)
    assert np.corrcoef(found[4096:-4096, 0], song[0, 4096:-4096])[0, 1] > 0.95


@pytest.mark.parametrize("change", ["rewritten", "linked", "gone"])
def test_only_the_file_that_was_added_is_read(app: TestClient, tmp_path: Path, change: str) -> None:
    """Whoever can put a link in its place could have any file of the server sent."""
    path = tmp_path / f"{change}.wav"
    path.write_bytes(wav_bytes(1.0, seed={"rewritten": 31, "linked": 32, "gone": 33}[change]))
    track_id = add_to_library(app, path)
    url = library_player(app, track_id).lanes[0].segments_url.format(segment=0)
    assert app.get(url).status_code == 200  # and what was kept of it is not sent any more either
    status = path.stat()
    other = tmp_path / "other.wav"
    other.write_bytes(wav_bytes(1.0, seed=34))
    os.utime(other, ns=(status.st_atime_ns, status.st_mtime_ns))
    path.unlink()
    if change == "rewritten":
        path.write_bytes(wav_bytes(1.0, seed=35))
    if change == "linked":
        path.symlink_to(other)
    for wanted in (f"/library/tracks/{track_id}/player", url):
        answer = app.get(wanted)
        assert (answer.status_code, answer.json()["code"]) == (404, "artefact_not_found")
    answer = app.post("/process", files={"from_library": (None, track_id)})
    assert (answer.status_code, answer.json()["code"]) == (404, "upload_not_found")


def test_a_track_of_the_library_is_separated_from_its_file(app: TestClient, tmp_path: Path) -> None:
    """A file on the server had to be sent to it."""
    path = tmp_path / "separated.wav"
    path.write_bytes(wav_bytes(0.6, seed=41))
    track_id = add_to_library(app, path)
    options = {"from_library": (None, track_id), "stages": (None, "normalization")}
    answer = app.post("/process", files=options)
    assert answer.status_code == 202, answer.text
    job_id = answer.json()["job_id"]
    run_here(app, job_id)
    (track,) = app.get(f"/job/{job_id}").json()["tracks"]
    assert (track["id"], track["name"], track["state"]) == (track_id, path.name, "completed")
    again = app.post("/process", files=options)  # from the bytes that the job keeps
    assert again.status_code == 202
    for id in (job_id, again.json()["job_id"]):
        app.post(f"/job/{id}/cancel")
        assert app.delete(f"/job/{id}").status_code == 204
    assert not services_of(app).store.upload_path(track_id).exists()
    assert path.read_bytes() == wav_bytes(0.6, seed=41)
    missing = app.post("/process", files={"from_library": (None, "0" * 64)})
    assert missing.json()["code"] == "track_not_found"
