"""A real DJ program takes in what we export, and its database says what it understood."""

from pathlib import Path

import pytest

from core.export.format import ExportOptions, target_folder
from core.export.model import Crate, CrateTrack, FileKind
from core.export.registry import export_crate
from core.export.track_tags import SERATO_KINDS
from tests.integration.export.crates import LOOP_S, RATE, make_crate, write_files
from tests.integration.export.mixxx import Mixxx, beat_frames
from tests.programs import requires

pytestmark = [
    pytest.mark.slow,
    pytest.mark.realclient,
    requires("mixxx", "xvfb", "xdotool"),
]

LOOP = 4  # Mixxx's number for the type of a cue


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> tuple[Mixxx, Crate, Path]:
    """Export a crate into a home folder, and let Mixxx import it in its three ways."""
    folder = tmp_path_factory.mktemp("mixxx")
    home = folder / "home"
    music = home / "Music"
    options = ExportOptions(target=target_folder(str(music)))
    crate = write_files(music, make_crate(), options)
    for name, root in (("traktor", home), ("serato", music)):
        for file_name, data in export_crate(crate, name, options).files.items():
            (root / file_name).parent.mkdir(parents=True, exist_ok=True)
            (root / file_name).write_bytes(data)
    mixxx = Mixxx(folder, home)
    mixxx.import_all(music, n_tracks=len(crate.tracks))
    return mixxx, crate, music


def paths_of(crate: Crate, music: Path) -> dict[str, CrateTrack]:
    options = ExportOptions(target=target_folder(str(music)))
    rows = export_crate(crate, "m3u8", options).files["Dark Techno Set.m3u8"].decode().splitlines()
    paths = [line for line in rows if not line.startswith("#")]
    return {
        str(music / path): track for path, track in zip(paths, reversed(crate.tracks), strict=True)
    }


def test_tags_name_every_track_with_its_tempo_and_key(imported: tuple[Mixxx, Crate, Path]) -> None:
    """A tag in the wrong frame, or cut to a whole number, shows nothing or 127 for 127.83."""
    mixxx, crate, music = imported
    rows = mixxx.rows(
        "SELECT t.location, l.title, l.artist, l.bpm, l.key FROM library l "
        "JOIN track_locations t ON t.id = l.location"
    )
    tracks = paths_of(crate, music)
    assert {row[0] for row in rows} == set(tracks)
    for path, title, artist, tempo_bpm, key in rows:
        track = tracks[path]
        assert artist == track.artist
        assert title == track.title.replace("e\u0301", "é")
        assert key.replace("♯", "#").replace("♭", "b") == track.key_text("short")
        # Where there is a grid, Mixxx takes the most common tempo of it.
        assert abs(tempo_bpm - track.tempo_bpm) < 0.2


def test_hot_cues_and_loops_of_serato_lie_where_they_were_put(
    imported: tuple[Mixxx, Crate, Path],
) -> None:
    """A wrong byte in Markers2 loses all cues; a wrong MP3 offset shifts them by 26 ms."""
    mixxx, crate, music = imported
    tracks = paths_of(crate, music)
    for path, track in tracks.items():
        cues = mixxx.rows(
            "SELECT c.position, c.length, c.type, c.label FROM cues c "
            "JOIN library l ON l.id = c.track_id JOIN track_locations t ON t.id = l.location "
            f"WHERE t.location = '{path}' ORDER BY c.position"
        )
        if track.file not in SERATO_KINDS:
            assert cues == []
            continue
        hot = [cue for cue in track.cues if cue.pad is not None]
        assert [label for *_, label in cues] == [cue.name for cue in hot]
        for (position, *_), cue in zip(cues, hot, strict=True):
            assert position / 2 / RATE == pytest.approx(cue.start_s, abs=0.001)
        _, length, kind, _ = cues[-1]
        assert kind == LOOP
        assert length / 2 / RATE == pytest.approx(LOOP_S[1] - LOOP_S[0], abs=0.001)


def test_grids_of_serato_reach_from_the_first_beat_to_the_end(
    imported: tuple[Mixxx, Crate, Path],
) -> None:
    """A grid of a lone marker is legal, and Mixxx shows one beat and 0 BPM of it."""
    mixxx, crate, music = imported
    for path, track in paths_of(crate, music).items():
        if track.file not in SERATO_KINDS:
            continue
        ((version, beats),) = mixxx.rows(
            "SELECT l.beats_version, l.beats FROM library l "
            f"JOIN track_locations t ON t.id = l.location WHERE t.location = '{path}'"
        )
        assert version == "BeatMap-1.0"
        times = [frame / RATE for frame in beat_frames(beats)]
        expected = grid_times(track)
        assert len(times) == len(expected)
        # Whole milliseconds are lost only where the file is an MP3.
        assert times == pytest.approx(expected, abs=0.002)


def grid_times(track: CrateTrack) -> list[float]:
    """Lay out the beats that a grid means, from its first downbeat."""
    times: list[float] = []
    starts = [track.grid[0].downbeat_s, *(segment.start_s for segment in track.grid[1:])]
    for index, (segment, start_s) in enumerate(zip(track.grid, starts, strict=True)):
        step = 60 / segment.tempo_bpm
        if index + 1 < len(starts):
            n_beats = round((starts[index + 1] - start_s) / step)
        else:
            n_beats = int((track.duration_s - start_s) / step) + 1
        times += [start_s + beat * step for beat in range(n_beats)]
    return times


def test_serato_crates_keep_their_order_and_resolve_every_track(
    imported: tuple[Mixxx, Crate, Path],
) -> None:
    """A crate whose paths differ from the database's by a letter shows no tracks."""
    mixxx, crate, _ = imported
    check_playlists(mixxx, crate, "serato", ("Dark Techno Set", "Gigs%%Frïday"))
    tempos = dict(mixxx.rows("SELECT title, bpm FROM serato_library"))
    assert tempos["Plain"] == 125.0
    keys = dict(mixxx.rows("SELECT title, key FROM serato_library"))
    assert keys["日本語 <live>"] == "F#m"


def test_the_traktor_collection_keeps_folders_order_tempo_and_key(
    imported: tuple[Mixxx, Crate, Path],
) -> None:
    """A playlist key that isn't VOLUME + DIR + FILE names no track (Mixxx stores -1)."""
    mixxx, crate, music = imported
    check_playlists(mixxx, crate, "traktor", ("-->Dark Techno Set", "-->Gigs-->Frïday"))
    rows = mixxx.rows("SELECT location, title, bpm, key FROM traktor_library")
    tracks = paths_of(crate, music)
    assert {row[0] for row in rows} == set(tracks)
    for path, title, tempo_bpm, key in rows:
        assert Path(path).is_file()
        assert title == tracks[path].title
        assert tempo_bpm == pytest.approx(tracks[path].tempo_bpm, abs=0.001)
        assert key == tracks[path].key_text("short")


def check_playlists(mixxx: Mixxx, crate: Crate, program: str, names: tuple[str, ...]) -> None:
    rows = mixxx.rows(
        f"SELECT p.name, l.title FROM {program}_playlist_tracks e "
        f"JOIN {program}_playlists p ON p.id = e.playlist_id "
        f"LEFT JOIN {program}_library l ON l.id = e.track_id ORDER BY p.id, e.position"
    )
    for name in names:
        (playlist,) = (p for _, p in crate.walk() if name.endswith(p.name))
        found = [
            title
            for playlist_name, title in rows
            if playlist_name.endswith(name) or playlist_name.endswith(f"/{name}.crate")
        ]
        assert found == [track.title for track in crate.in_order(playlist)]


def test_the_mp3_is_the_only_file_that_is_shifted(imported: tuple[Mixxx, Crate, Path]) -> None:
    """An offset that is applied to all files moves cues that were right."""
    _, crate, _ = imported
    export = export_crate(crate, "serato")
    assert set(export.mp3_offset_ms) == {
        track.id for track in crate.tracks if track.file is FileKind.MP3
    }
