"""Real files into a library, and the library made again from what is on disk."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from core.analysis.store import FactStore
from core.artifacts.job_ids import new_job_id
from core.artifacts.store import JobStore
from core.audio.tagging.tag_writer import write_tags
from core.audio.tagging.tags import Cover, Tags
from core.library.duplicates import find_duplicates
from core.library.intake import job_tracks
from core.library.intake.importing import ImportReport, SourceFile, import_files
from core.library.intake.job_tracks import enter_job, reindex
from core.library.intake.listing import list_files
from core.library.library import Library
from core.pipeline.order import build_pipeline
from core.pipeline.runtime import Runtime
from core.system.isolation import ProcessLimits
from stemcrate.schemas.manifest import JobState
from stemcrate.schemas.options import ProcessingOptions
from stemcrate.schemas.search import TrackQuery
from stemcrate.schemas.sets import SetDescription
from tests.library_records import track_id
from tests.signals import make_song, write_song
from tests.unit.library.songs import encode, play_notes

NO_STORE = FactStore(Path(), 0)
PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.fixture(scope="module")
def originals(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One recording in four forms, another one, and a file that is none."""
    folder = tmp_path_factory.mktemp("originals")
    song = play_notes(24.0, seed=1)
    encode(folder / "Band - Söng.flac", song, "flac")
    encode(folder / "lossy.mp3", song, "mp3")
    shutil.copy(folder / "lossy.mp3", folder / "tagged.mp3")
    tags = Tags(title="Tagged", artist="Band", album="Album", cover=Cover(PNG, "image/png"))
    write_tags(folder / "tagged.mp3", tags, format="mp3")
    encode(folder / "other.mp3", play_notes(24.0, seed=2), "mp3")
    (folder / "bad.mp3").write_bytes(b"no music")
    return folder


@pytest.fixture
def music(originals: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    shutil.copytree(originals, folder)
    shutil.copy(folder / "Band - Söng.flac", folder / "copy.flac")
    (folder / "link.flac").symlink_to(folder / "copy.flac")
    return folder


@pytest.fixture
def plain(tmp_path: Path) -> Library:
    return Library(tmp_path / "data", f"sqlite:///{tmp_path / 'catalogue.sqlite'}")


def add(library: Library, *paths: Any, **options: Any) -> ImportReport:
    sources = [SourceFile(path, path.name) for path in list_files(paths).files]
    return import_files(library, sources, **{"store": NO_STORE, "n_processes": 2, **options})


def test_a_folder_with_copies_and_a_bad_file(plain: Any, music: Path) -> None:
    """The whole import: what is new, what is known, what is bad, what is there twice."""
    before = {path: path.stat().st_mtime_ns for path in music.iterdir()}
    steps = []
    report = add(plain, music, progress=lambda *step: steps.append(step))
    assert (len(report.added), len(report.known)) == (4, 1)
    assert [Path(refusal.path).name for refusal in report.refused] == ["bad.mp3"]
    assert [done for done, _, _ in steps] == [1, 2, 3, 4, 5, 6]
    assert {path: path.stat().st_mtime_ns for path in music.iterdir()} == before

    by_title = {track.title: track for track in plain.search(TrackQuery()).tracks}
    song = by_title["Söng"]
    assert song.artist == "Band"
    assert {Path(path).name for path in song.paths} == {"Band - Söng.flac", "copy.flac"}
    assert song.duration_s == pytest.approx(24.0, abs=0.01)
    assert song.camelot is not None
    path, mime = plain.cover_path(by_title["Tagged"].id)
    assert (path.read_bytes(), mime) == (PNG, "image/png")

    nearest, similarity = plain.similar(song.id)[0]
    assert nearest.title in ("Tagged", "lossy")
    assert similarity > 0.95

    groups = {g.level: [t.title for t in g.tracks] for g in find_duplicates(plain)}
    assert groups["bytes"] == ["Söng"]
    assert sorted(groups["packets"]) == ["Tagged", "lossy"]
    assert sorted(groups["recording"]) == ["Söng", "Tagged", "lossy"]
    assert "review" not in groups

    again = add(plain, music)
    assert (again.added, len(again.known), len(again.refused)) == ([], 5, 1)


def test_what_is_known_is_not_read_again(
    plain: Library, music: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A rescan of a large library takes seconds, not hours."""
    add(plain, music / "lossy.mp3")

    def refuse(path: Path) -> None:
        raise AssertionError(f"{path} was read")

    monkeypatch.setattr("core.library.intake.importing.hash_file", refuse)
    assert len(add(plain, music / "lossy.mp3").known) == 1


def test_a_file_that_vanishes_on_the_way_is_refused(plain: Library, music: Path) -> None:
    """Files move while an import of hours runs."""
    gone = SourceFile(music / "gone.mp3", "gone.mp3")
    report = import_files(plain, [gone], store=NO_STORE, n_processes=1)
    assert [refusal.error.code for refusal in report.refused] == ["invalid_audio"]


def test_new_tags_replace_a_track_rather_than_double_it(plain: Library, music: Path) -> None:
    path = music / "lossy.mp3"
    (first,) = add(plain, path).added
    write_tags(path, Tags(title="Renamed"), format="mp3")
    (second,) = add(plain, path).added
    assert second != first
    assert [track.title for track in plain.search(TrackQuery()).tracks] == ["Renamed"]


def run_job(data_dir: Path, path: Path, name: str) -> tuple[JobStore, str]:
    """Run a real job, separation included."""
    store = JobStore(data_dir)
    pipeline = build_pipeline(store, Runtime())
    job_id = new_job_id()
    with path.open("rb") as file, store.open_upload(name, 10**9) as writer:
        writer.write(file.read())
        upload = writer.commit(job_id)
    options = ProcessingOptions(model="spleeter", stages=["tempo", "key"])
    pipeline.create_job([upload], options, job_id=job_id)
    assert pipeline.run(job_id, pipeline.run_stage) == JobState.COMPLETED
    return store, job_id


def test_reindex_makes_the_library_from_manifests_and_records(
    tmp_path: Path, database_url: str, music: Path
) -> None:
    """The promise of the manifest: every database can be lost."""
    data_dir = tmp_path / "data"
    library = Library(data_dir, database_url)
    add(library, music / "lossy.mp3")
    kept = library.playlists.create("Set", [track_id(1)], SetDescription())
    song = write_song(tmp_path / "song.wav", make_song(4.0, 22_050), 22_050)
    store, job_id = run_job(data_dir, song, "Band - Job.wav")
    again = Library(data_dir, f"sqlite:///{tmp_path / 'again.sqlite'}")
    for made in (library, again):
        report = reindex(made, store, n_processes=1)
        assert report.refused == []
        tracks = {track.title: track for track in made.search(TrackQuery()).tracks}
        assert set(tracks) == {"lossy", "Job"}
        assert tracks["Job"].stems == ["accompaniment", "vocals"]
        assert not tracks["Job"].is_missing
        record = made.record(tracks["Job"].id)
        manifest = store.load(job_id).tracks[0]
        assert record.facts.tempo_bpm == manifest.analysis.tempo_bpm
        assert record.packet_sha256 is not None
    assert again.playlists.get(kept.id).name == "Set"

    known = enter_job(library, store, job_id)
    assert (known.added, len(known.known)) == ([], 1)
    store.delete(job_id)
    reindex(library, store, n_processes=1)
    assert [track.title for track in library.search(TrackQuery()).tracks] == ["lossy"]


def test_a_job_whose_file_takes_too_long_to_read_is_entered_without_it(
    tmp_path: Path, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file could hold the request that adds it, and the worker's thread, for any time."""
    library = Library(tmp_path / "data", database_url)
    song = write_song(tmp_path / "song.wav", make_song(4.0, 22_050), 22_050)
    store, job_id = run_job(tmp_path / "data", song, "Band - Job.wav")
    monkeypatch.setattr(job_tracks, "READ_LIMITS", ProcessLimits(silence_s=1e-3))
    report = enter_job(library, store, job_id)
    assert report.added == []
    (refusal,) = report.refused
    assert refusal.error.code == "worker_lost"
