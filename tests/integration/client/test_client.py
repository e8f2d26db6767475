"""The client against the real API: whole jobs, cut connections, files larger than any buffer."""

import hashlib
import threading
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from stemcrate.client import (
    ApiError,
    ApiUnreachable,
    Client,
    NamedFile,
    UnexpectedAnswer,
    WaitTimeout,
)
from stemcrate.schemas.events import JobStanding, StateEvent
from stemcrate.schemas.jobs import Job, JobQuery, OutputFile
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.playlists import PlaylistRequest
from stemcrate.schemas.search import SortKey, TrackQuery
from tests.integration.api.apps import serve, wav_bytes
from tests.integration.client.conftest import Installation
from tests.integration.client.cutting import cutting_proxy

MIB = 1 << 20
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def largest(client: Client, finished: Job) -> OutputFile:
    """The largest file that the job delivered."""
    return max(client.list_outputs(finished.job_id).artefacts, key=lambda file: file.bytes)


@pytest.fixture
def waiting(client: Client, tmp_path: Path) -> str:
    """A job that no worker takes."""
    song = tmp_path / "waiting.wav"
    song.write_bytes(wav_bytes(0.5, seed=9))
    return client.submit_job([song]).job_id


def test_the_installation_says_what_it_is(client: Client) -> None:
    assert client.get_health().status == "no_workers"
    assert client.get_config().model.resolved == "spleeter"


def test_everything_about_a_job_is_read_as_models(client: Client, finished: Job) -> None:
    assert (finished.state, finished.fraction) == (JobState.COMPLETED, 1.0)
    manifest = client.get_manifest(finished.job_id)
    assert [track.source.name for track in manifest.tracks] == [t.name for t in finished.tracks]
    assert manifest.tracks[0].analysis.tempo_bpm == finished.tracks[0].analysis.tempo_bpm
    files = client.list_outputs(finished.job_id).artefacts
    assert {"stem", "composite", "waveform", "playlist"} == {file.role for file in files}
    pictures = next(file for file in files if file.label == "waveforms")
    waveforms = client.read_waveforms(pictures)
    assert len(waveforms.outputs["vocals"].rms) == waveforms.n_bins
    assert client.list_jobs(JobQuery(state=JobState.COMPLETED)).jobs[0].job_id == finished.job_id


def test_every_event_is_told_and_a_later_start_misses_none(
    client: Client, installation: Installation, waiting: str
) -> None:
    client.cancel_job(waiting)
    events = list(client.stream_job_events(waiting))
    assert isinstance(events[-1], StateEvent)
    assert events[-1].state == JobState.CANCELLED
    for n_seen, event in enumerate(events, start=1):
        later = list(client.stream_job_events(waiting, last_event_id=event.id))
        assert later == events[n_seen:]


def test_a_cut_stream_is_taken_up_where_it_was(
    installation: Installation, client: Client, waiting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that broke once ended the progress of a job that took another hour."""
    monkeypatch.setattr("stemcrate.client.events.RECONNECT_S", 0.01)
    client.cancel_job(waiting)
    whole = [event.id for event in client.stream_job_events(waiting)]
    assert len(whole) >= 2
    n_resumed = 0
    with cutting_proxy(installation.address) as (url, cut), Client(url) as behind:
        for n_bytes in range(100, 1000, 50):
            cut.after = n_bytes
            try:
                seen = [event.id for event in behind.stream_job_events(waiting)]
            except (ApiUnreachable, UnexpectedAnswer):
                continue  # cut within the headers: there was no stream yet
            assert seen == whole
            n_resumed += cut.after is None
    assert n_resumed


def test_waiting_reports_progress_and_returns_the_job(
    client: Client, installation: Installation, waiting: str
) -> None:
    seen: list[JobStanding] = []
    runner = threading.Thread(target=installation.run_job, args=(waiting,))
    runner.start()
    job = client.wait(waiting, progress=seen.append, timeout_s=300)
    runner.join()
    assert job.state == JobState.COMPLETED
    assert seen[-1].fraction == 1.0


def test_waiting_ends_when_its_time_is_over(client: Client, waiting: str) -> None:
    with pytest.raises(WaitTimeout, match=waiting):
        client.wait(waiting, timeout_s=0.2)
    assert client.get_job(waiting).state == JobState.QUEUED


def test_a_job_that_does_not_exist_is_not_waited_for(client: Client) -> None:
    with pytest.raises(ApiError) as caught:
        client.wait("nobody-knows-me")
    assert caught.value.code == "job_not_found"


def test_every_file_arrives_as_it_was_listed(client: Client, finished: Job, tmp_path: Path) -> None:
    for file in client.list_outputs(finished.job_id).artefacts:
        path = client.download(file, tmp_path)
        assert (path.name, path.stat().st_size) == (Path(file.name).name, file.bytes)
    named = client.download_artefact(finished.job_id, file.name, tmp_path / "again")
    assert hashlib.sha256(named.read_bytes()).hexdigest() == file.sha256


def test_a_zip_is_named_by_the_api(client: Client, finished: Job, tmp_path: Path) -> None:
    path = client.download_zip(finished.job_id, tmp_path)
    assert path.name == "Stemcrate set.zip"
    assert zipfile.is_zipfile(path)


def test_a_cut_download_goes_on_where_it_was_cut(
    installation: Installation, largest: OutputFile, tmp_path: Path
) -> None:
    """Four hours over a bad line began anew each time."""
    target = tmp_path / "long.wav"
    part = tmp_path / "long.wav.part"
    progress: list[int] = []
    with cutting_proxy(installation.address) as (url, cut), Client(url) as client:
        cut.after = largest.bytes * 2 // 3
        with pytest.raises(ApiUnreachable):
            client.download(largest, target)
        n_here = part.stat().st_size
        assert 0 < n_here < largest.bytes
        assert not target.exists()
        client.download(largest, target, progress=lambda n, _: progress.append(n))
    assert min(progress) > n_here
    assert hashlib.sha256(target.read_bytes()).hexdigest() == largest.sha256
    assert [path.name for path in tmp_path.iterdir()] == ["long.wav"]


def test_a_cut_zip_goes_on_where_it_was_cut(
    installation: Installation, finished: Job, largest: OutputFile, tmp_path: Path
) -> None:
    """The largest download of all was the only one that began anew."""
    target = tmp_path / "set.zip"
    with cutting_proxy(installation.address) as (url, cut), Client(url) as client:
        cut.after = largest.bytes
        with pytest.raises(ApiUnreachable):
            client.download_zip(finished.job_id, target)
        n_here = (tmp_path / "set.zip.part").stat().st_size
        progress: list[int] = []
        client.download_zip(finished.job_id, target, progress=lambda n, _: progress.append(n))
    assert min(progress) > n_here > 0
    with zipfile.ZipFile(target) as pack:
        assert pack.testzip() is None


def test_a_part_that_is_the_whole_file_becomes_it(
    client: Client, largest: OutputFile, tmp_path: Path
) -> None:
    """Killed before the last step, a program asks for a range that begins at the end."""
    target = client.download(largest, tmp_path / "x")
    target.rename(tmp_path / "x.part")
    (tmp_path / "x.part.etag").write_text(f'"{largest.sha256}"')
    assert client.download(largest, target).stat().st_size == largest.bytes
    assert [path.name for path in tmp_path.iterdir()] == ["x"]


def test_an_upload_needs_no_memory_for_its_file(client: Client, tmp_path: Path) -> None:
    """A set of three hours has two gigabytes."""
    large = tmp_path / "large.wav"
    with large.open("wb") as file:
        file.truncate(64 * MIB)
    tracemalloc.start()
    try:
        with pytest.raises(ApiError) as caught:
            client.submit_job([large])
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert [(f.file, f.code) for f in caught.value.files] == [("large.wav", "not_audio")]
    assert peak < 32 * MIB


def test_a_file_that_is_too_large_is_refused_by_its_name(tmp_path: Path) -> None:
    """The API answers before it has read all; a client that only writes sees a broken pipe."""
    large = tmp_path / "large.wav"
    with large.open("wb") as file:
        file.truncate(64 * MIB)
    with (
        serve(tmp_path / "data", max_upload_bytes=MIB) as (host, port),
        Client(f"http://{host}:{port}") as client,
        pytest.raises(ApiError) as caught,
    ):
        client.submit_job([large])
    assert (caught.value.status, caught.value.code) == (413, "upload_too_large")


def test_the_library_is_searched_and_its_sets_are_exported(
    client: Client, finished: Job, tmp_path: Path
) -> None:
    ids = [track.id for track in finished.tracks]
    assert set(client.add_job_tracks(finished.job_id).known) == set(ids)
    query = TrackQuery(text="wav", sort=SortKey.TEMPO)
    assert {t.id for t in client.list_tracks(query).tracks} >= set(ids)
    assert client.get_track(ids[0]).facts.key == finished.tracks[0].analysis.key
    assert ids[1] in {found.track.id for found in client.list_similar(ids[0]).tracks}
    assert ids[1] in {found.track.id for found in client.list_compatible(ids[0]).tracks}
    client.list_duplicates()
    with pytest.raises(ApiError) as caught:
        client.get_cover(ids[0])
    assert caught.value.code == "artefact_not_found"

    made = client.create_playlist(PlaylistRequest(name="Friday", tracks=ids))
    renamed = client.rename_playlist(made.id, "Fri/day", version=made.version)
    assert (renamed.name, renamed.order) == ("Fri/day", ids)
    with pytest.raises(ApiError) as stale:
        client.rename_playlist(made.id, "Sunday", version=made.version)
    assert stale.value.code == "playlist_changed"
    with pytest.raises(ApiError) as nameless:
        client.rename_playlist(made.id, "\x07 ")
    assert nameless.value.code == "invalid_option"
    made = client.rename_playlist(made.id, "Friday")
    turned = client.reorder_playlist(made.id, ids[::-1], version=made.version)
    assert [t.id for t in turned.tracks] == ids[::-1]
    with pytest.raises(ApiError) as stale:
        client.reorder_playlist(made.id, ids, version=made.version)
    assert stale.value.code == "playlist_changed"
    assert client.list_playlists().playlists[0].id == made.id
    exported = client.export_playlist(made.id, "m3u8", tmp_path)
    assert exported.path == tmp_path / "Friday.m3u8"
    assert exported.path.read_text().startswith("#EXTM3U")
    client.delete_playlist(made.id)
    with pytest.raises(ApiError) as caught:
        client.get_playlist(made.id)
    assert caught.value.code == "playlist_not_found"


def test_a_track_is_uploaded_to_the_library_and_taken_out_again(
    client: Client, installation: Installation, tmp_path: Path
) -> None:
    song = tmp_path / "new.wav"
    song.write_bytes(wav_bytes(1.0, seed=21))
    bad = NamedFile("bad.wav", (tmp_path / "bad").open("w+b"))
    with bad.content:
        adding = client.add_tracks([song, bad])
    assert [refused.name for refused in adding.refused] == ["bad.wav"]
    assert adding.job
    installation.run_job(adding.job.job_id)
    (track,) = client.get_job(adding.job.job_id).tracks
    assert client.get_track(track.id).name == "new.wav"
    client.remove_track(track.id)
    client.delete_job(adding.job.job_id)
    with pytest.raises(ApiError):
        client.get_job(adding.job.job_id)
