"""The library in a real browser, over a catalogue of 10,000 tracks."""

import json
import re
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
import soundfile
from playwright.sync_api import Browser, Locator, Page, Route, ViewportSize, expect

from bench.processes import held_ports
from tests.conditions import PATIENCE_S, wait_until
from tests.e2e.conftest import Stack, serve, serve_library
from tests.programs import requires
from tests.signals import make_song

pytestmark = requires("chromium")

N_TRACKS = 10_000
MAX_ROWS = 60
"""Rows that the browser may hold at a time: those in sight, and some on either side."""
IN_THE_MIDDLE = 5_000
PHONE = ViewportSize(width=390, height=844)


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running installation with a large library."""
    with serve_library(tmp_path_factory.mktemp("crate"), N_TRACKS) as running:
        yield running


def open_library(page: Page, stack: Stack) -> None:
    page.goto(stack.page("/library"))
    expect(rows(page).first).to_be_visible()


def rows(page: Page) -> Locator:
    return page.locator(".space .row:not(.waiting)")


def row(page: Page, index: int) -> Locator:
    return page.locator(f".space .row[aria-rowindex='{index + 2}']:not(.waiting)")


def cell(page: Page, index: int, column: str) -> Locator:
    return row(page, index).locator(f".{column}")


def found(stack: Stack, **query: Any) -> Any:
    return stack.ask(f"/library/tracks?{urlencode(query)}")


def titles(stack: Stack, **query: Any) -> list[str]:
    return [track["title"] for track in found(stack, **query)["tracks"]]


def correct(stack: Stack, track_id: str, **change: Any) -> None:
    """Correct a track as another window would."""
    request = urllib.request.Request(
        f"{stack.api_url}/library/tracks/{track_id}",
        json.dumps(change).encode(),
        {"Content-Type": "application/json"},
        method="PATCH",
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S):
        pass


def message(page: Page) -> Locator:
    return page.locator(".message")


def selected(page: Page) -> Locator:
    return page.locator(".bulk b")


def test_any_place_of_ten_thousand_tracks_is_one_scroll_away(page: Page, crate: Stack) -> None:
    """A table that draws every row, or reads them all from the top, is of no use at this size."""
    asked: list[str] = []
    page.on("request", lambda r: asked.append(r.url) if "/library/tracks?" in r.url else None)
    open_library(page, crate)
    expect(page.locator(".count")).to_have_text(f"{N_TRACKS:,} tracks")
    expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", str(N_TRACKS + 1))
    page.locator(".scroll").evaluate("(box) => { box.scrollTop = box.scrollHeight; }")
    (last,) = titles(crate, limit=1, sort="title", descending="true")
    expect(cell(page, N_TRACKS - 1, "title")).to_have_text(re.compile(f"^{last}"))
    page.locator(".scroll").evaluate("(box) => { box.scrollTop = box.scrollHeight / 2; }")
    (middle,) = titles(crate, limit=1, offset=IN_THE_MIDDLE)
    expect(cell(page, IN_THE_MIDDLE, "title")).to_have_text(re.compile(f"^{middle}"))
    assert page.locator(".space .row").count() <= MAX_ROWS
    assert len(asked) <= 6


def test_covers_are_small_and_asked_for_only_where_there_are_some(page: Page, crate: Stack) -> None:
    """A row loaded the whole picture of the file, of up to 10 MB."""
    asked: list[str] = []
    pictures = re.compile("/library/tracks/([^/]+)/(cover|thumbnail)$")
    page.on("request", lambda r: asked.append(r.url) if pictures.search(r.url) else None)
    open_library(page, crate)
    tracks = found(crate, limit=MAX_ROWS)["tracks"]
    images = page.locator(".space .row img:not([hidden])")
    expect(images.first).to_be_visible()
    wait_until(lambda: images.first.evaluate("(image) => image.naturalWidth > 0"))
    with_cover = {track["id"] for track in tracks if track["thumbnail_url"]}
    assert 0 < len(with_cover) < len(tracks)
    shown = [match.groups() for url in asked if (match := pictures.search(url))]
    assert shown
    assert {kind for _, kind in shown} == {"thumbnail"}
    assert {id for id, _ in shown} <= with_cover


def test_search_filters_and_order_are_those_of_the_api(page: Page, crate: Stack) -> None:
    open_library(page, crate)
    page.get_by_role("searchbox").fill("vesper")
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Minimum BPM").fill("120")
    page.get_by_label("Maximum BPM").fill("130")
    page.get_by_label("Key", exact=True).select_option("8A")
    page.get_by_label("and keys that mix with it").check()
    page.locator(".heads").get_by_role("button", name="Energy").click()
    query = {"text": "vesper", "tempo_min_bpm": 120, "tempo_max_bpm": 130, "mixes_with": "8A"}
    expected = found(crate, **query, sort="energy", limit=5)
    assert 5 < expected["total"] < N_TRACKS
    expect(page.locator(".count")).to_have_text(f"{expected['total']} tracks")
    for place, track in enumerate(expected["tracks"]):
        expect(cell(page, place, "title")).to_have_text(re.compile(f"^{track['title']}"))
    energy = page.get_by_role("columnheader", name="Energy")
    expect(energy).to_have_attribute("aria-sort", "ascending")
    page.reload()
    expect(page.locator(".count")).to_have_text(f"{expected['total']} tracks")
    page.get_by_role("button", name="Filters").click()
    page.get_by_role("button", name="Clear search and filters").click()
    expect(page.locator(".count")).to_have_text(f"{N_TRACKS:,} tracks")


def test_a_cell_is_edited_where_it_stands_and_the_change_undone(page: Page, crate: Stack) -> None:
    open_library(page, crate)
    (track,) = found(crate, limit=1)["tracks"]
    for column, text, field, value in (
        ("tempo_bpm", "99,5", "tempo_bpm", 99.5),
        ("camelot", "F#m", "camelot", "11A"),
        ("comment", "<b>loud</b>", "comment", "<b>loud</b>"),
    ):
        cell(page, 0, column).dblclick()
        page.keyboard.type(text)
        page.keyboard.press("Enter")
        expect(message(page)).to_contain_text("saved")
        assert crate.ask(f"/library/tracks/{track['id']}")[field] == value
        page.get_by_role("button", name="Undo").click()
        expect(message(page)).to_contain_text("as it was before")
        assert crate.ask(f"/library/tracks/{track['id']}")[field] == track[field]
    cell(page, 0, "tempo_bpm").dblclick()
    page.keyboard.type("fast")
    page.keyboard.press("Enter")
    expect(message(page)).to_contain_text("not a number")
    cell(page, 0, "tempo_bpm").dblclick()
    page.keyboard.type("9000")
    page.keyboard.press("Enter")
    expect(message(page)).to_contain_text("500")


def test_the_last_of_two_windows_is_told_that_the_track_has_changed(
    page: Page, crate: Stack
) -> None:
    """The second window overwrote what the first had written, and nobody knew."""
    open_library(page, crate)
    (track,) = found(crate, limit=1, offset=2)["tracks"]
    with page.expect_response(re.compile(f"/library/tracks/{track['id']}$")):
        cell(page, 2, "artist").dblclick()
    correct(crate, track["id"], artist="Theirs")
    page.keyboard.type("Mine")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_contain_text("changed in another window")
    expect(cell(page, 2, "artist")).to_have_text("Theirs")
    page.get_by_role("button", name="Save mine").click()
    expect(cell(page, 2, "artist")).to_have_text("Mine")
    assert crate.ask(f"/library/tracks/{track['id']}")["artist"] == "Mine"


def test_everything_is_done_by_keyboard(page: Page, crate: Stack) -> None:
    open_library(page, crate)
    grid = page.get_by_role("grid")
    grid.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("Shift+ArrowDown")
    expect(selected(page)).to_have_text("4 selected")
    expect(page.locator(".space .row[aria-selected='true']")).to_have_count(4)
    page.keyboard.press("ArrowRight")
    expect(grid).to_have_attribute("aria-activedescendant", "artist-4")
    page.keyboard.press("F2")
    expect(page.locator("input.edit")).to_be_focused()
    page.keyboard.press("Escape")
    expect(grid).to_be_focused()
    page.keyboard.press("End")
    expect(row(page, N_TRACKS - 1)).to_have_class(re.compile("active"))
    page.keyboard.press("Escape")
    expect(page.locator(".bulk")).to_be_hidden()
    page.keyboard.press("Control+a")
    expect(selected(page)).to_have_text(f"{N_TRACKS:,} selected")


def test_many_tracks_are_rated_and_deleted_at_once(page: Page, crate: Stack) -> None:
    open_library(page, crate)
    page.get_by_role("searchbox").fill("lattice motion")
    n = found(crate, text="lattice motion")["total"]
    expect(page.locator(".count")).to_have_text(f"{n} tracks")
    cell(page, 1, "title").click()
    cell(page, 3, "title").click(modifiers=["Shift"])
    page.get_by_label("Rate", exact=True).select_option("4")
    expect(message(page)).to_contain_text("3 tracks rated")
    assert found(crate, text="lattice motion", rating_min=4)["total"] == 3
    expect(row(page, 2).get_by_role("gridcell", name="4 of 5 stars")).to_be_visible()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(message(page)).to_contain_text("3 tracks deleted")
    expect(page.locator(".count")).to_have_text(f"{n - 3} tracks")
    assert found(crate, text="lattice motion")["total"] == n - 3


def titles_of(stack: Stack, place: int) -> list[str]:
    """Titles of a playlist by its place, newest first."""
    playlists: Any = stack.ask("/playlists")["playlists"]
    tracks: Any = stack.ask(f"/playlists/{playlists[place]['id']}")["tracks"]
    return [track["title"] for track in tracks]


def test_a_selection_becomes_a_playlist_and_a_set(page: Page, crate: Stack, tmp_path: Path) -> None:
    open_library(page, crate)
    cell(page, 0, "title").click()
    cell(page, 9, "title").click(modifiers=["Shift"])
    page.get_by_role("button", name="Save as playlist").click()
    page.get_by_label("Name").fill("Ten")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(message(page)).to_contain_text("“Ten” is saved with 10 tracks")
    with page.expect_download() as download:
        page.get_by_role("button", name="M3U8").click()
    path = tmp_path / "ten.m3u8"
    download.value.save_as(path)
    assert path.read_text().count("#EXTINF") == 10
    page.get_by_role("button", name="Save as playlist").click()
    page.get_by_label("Name").fill("Again")
    page.get_by_role("button", name="Save", exact=True).click()
    page.get_by_role("button", name="Open the set").click()
    expect(page.get_by_role("heading", name="Again")).to_be_visible()
    ten = set(titles_of(crate, 0))
    open_library(page, crate)
    cell(page, 0, "title").click()
    cell(page, 9, "title").click(modifiers=["Shift"])
    page.get_by_role("button", name="Plan a set").click()
    expect(page.get_by_label("10 selected tracks")).to_be_checked()
    page.get_by_label("Name of the set").fill("Planned")
    page.get_by_label("How long").fill("20")
    page.get_by_role("button", name="Plan the set").click()
    expect(page.get_by_role("heading", name="Planned")).to_be_visible()
    planned = titles_of(crate, 0)
    assert 1 < len(planned) < 10
    assert set(planned) < ten


def test_the_table_goes_on_when_the_api_is_back(page: Page, crate: Stack) -> None:
    is_away = True

    def answer(route: Route) -> None:
        route.fulfill(status=503, body="{}") if is_away else route.continue_()

    page.route(re.compile(r"/api/library/tracks\?"), answer)
    page.goto(crate.page("/library"))
    expect(page.locator(".empty")).to_contain_text("does not answer")
    is_away = False
    expect(rows(page).first).to_be_visible()
    expect(page.locator(".empty")).to_be_hidden()


def test_a_phone_shows_what_matters_and_selects_by_touch(browser: Browser, crate: Stack) -> None:
    context = browser.new_context(viewport=PHONE, has_touch=True, is_mobile=True)
    page = context.new_page()
    open_library(page, crate)
    for column in ("title", "artist", "tempo_bpm", "camelot", "rating"):
        expect(cell(page, 1, column)).to_be_in_viewport()
    row(page, 1).locator(".select").tap()
    row(page, 3).locator(".select").tap()
    expect(selected(page)).to_have_text("2 selected")
    expect(page.get_by_role("button", name="Save as playlist")).to_be_in_viewport()
    main = page.get_by_test_id("stMain")
    assert main.evaluate("(box) => box.scrollWidth === box.clientWidth")
    context.close()


def test_a_track_leads_to_its_page(page: Page, stack: Stack, finished_job: str) -> None:
    wait_until(lambda: found(stack, text="harbour")["total"] == 1)
    open_library(page, stack)
    page.get_by_role("searchbox").fill("harbour")
    expect(rows(page)).to_have_count(1)
    page.get_by_role("grid").focus()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(rf"/track\?job={finished_job}&track=1"))


def test_collections_and_smart_collections(page: Page, crate: Stack) -> None:
    open_library(page, crate)
    cell(page, 0, "title").click()
    cell(page, 2, "title").click(modifiers=["Shift"])
    page.get_by_label("Add to").select_option("new")
    page.get_by_label("Name").fill("Openers")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(message(page)).to_contain_text("“Openers” holds 3 tracks")
    side = page.get_by_role("navigation", name="Collections")
    side.get_by_role("button", name="Openers").click()
    expect(page.locator(".count")).to_have_text("3 tracks")
    cell(page, 1, "title").click()
    page.get_by_role("button", name="Remove from collection").click()
    expect(page.locator(".count")).to_have_text("2 tracks")
    side.get_by_role("button", name="All tracks").click()
    page.get_by_role("button", name="Filters").click()
    page.get_by_label("Minimum energy").select_option("9")
    page.get_by_role("button", name="Keep as smart collection").click()
    page.get_by_label("Name").fill("Peak")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(message(page)).to_contain_text("“Peak” holds")
    page.get_by_role("button", name="Clear search and filters").click()
    side.get_by_role("button", name="Peak").click()
    n = found(crate, energy_min=9, limit=1)["total"]
    expect(page.locator(".count")).to_have_text(f"{n:,} tracks")
    side.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(page.locator(".count")).to_have_text(re.compile(f"^{found(crate)['total']:,} tracks"))
    kept: Any = crate.ask("/library/collections")["collections"]
    assert [(c["name"], c["n_tracks"]) for c in kept if c["name"] != "Peak"] == [("Openers", 2)]


def test_a_track_tells_what_goes_with_it_and_the_map_narrows_the_search(
    page: Page, crate: Stack
) -> None:
    open_library(page, crate)
    cell(page, 1, "title").click()
    page.get_by_role("button", name="Goes with").click()
    panel = page.get_by_role("complementary", name="What goes with the track")
    track = found(crate, limit=2)["tracks"][1]
    expect(panel.get_by_role("heading")).to_have_text(track["title"])
    best: Any = crate.ask(f"/library/tracks/{track['id']}/compatible?limit=1")["tracks"]
    expect(panel.locator("li").first).to_contain_text(best[0]["track"]["title"])
    expect(panel.locator("li").first).to_contain_text(best[0]["transition"]["reasons"][0])
    panel.get_by_role("button", name="Sounds like it").click()
    near: Any = crate.ask(f"/library/tracks/{track['id']}/similar?limit=1")["tracks"]
    expect(panel.locator("li").first).to_contain_text(near[0]["track"]["title"])
    page.get_by_role("button", name="Goes with").click()
    page.get_by_role("button", name="Map").click()
    chart = page.get_by_role("img", name="tracks by key and tempo")
    expect(chart).to_be_visible()
    box = chart.bounding_box()
    assert box is not None
    with page.expect_response(re.compile("tempo_min_bpm")):
        chart.click(position={"x": box["width"] / 2, "y": box["height"] / 2})
    cells: Any = crate.ask("/library/map")["cells"]
    counts = {f"{c['n_tracks']:,} tracks" for c in cells} | {"1 track"}
    wait_until(lambda: page.locator(".count").inner_text() in counts)


def test_duplicates_stand_side_by_side(page: Page, crate: Stack) -> None:
    open_library(page, crate)
    page.get_by_role("button", name="Duplicates").click()
    groups = page.get_by_role("region", name="Duplicates").locator("section")
    n: int = len(crate.ask("/library/duplicates")["groups"])  # type: ignore[arg-type]
    expect(groups).to_have_count(n)
    expect(groups.first).to_contain_text("The same audio with other tags")
    expect(groups.first.locator("thead th")).to_have_count(3)
    groups.first.get_by_role("button", name="Delete").last.click()
    page.get_by_role("button", name="Delete for good").click()
    expect(groups).to_have_count(n - 1)
    page.get_by_role("button", name="All tracks").click()
    expect(rows(page).first).to_be_visible()


def test_tracks_are_added_from_a_job_after_they_were_deleted(
    page: Page, stack: Stack, finished_job: str
) -> None:
    wait_until(lambda: found(stack, text="harbour")["total"] == 1)
    open_library(page, stack)
    page.get_by_role("searchbox").fill("harbour")
    expect(rows(page)).to_have_count(1)
    cell(page, 0, "title").click()
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("button", name="Delete for good").click()
    expect(rows(page)).to_have_count(0)
    page.get_by_role("button", name="Add tracks").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("button", name="Choose files")).to_be_visible()
    dialog.get_by_role("tab", name="From a job").click()
    dialog.get_by_role("combobox").click()
    page.get_by_role("option").filter(has_text="Harbour Lights").click()
    dialog.get_by_role("button", name="Add its tracks").click()
    expect(dialog).to_contain_text("1 track is added")
    assert found(stack, text="harbour")["total"] == 1


def test_a_folder_on_the_server_is_added(page: Page, tmp_path: Path) -> None:
    """Files that lie on the server had to be sent to it, or added on its command line."""
    house = tmp_path / "Music" / "House"
    house.mkdir(parents=True)
    for n in range(3):
        song = make_song(6.0, 44_100, seed=90 + n)
        soundfile.write(house / f"Folder - Song {n}.wav", song.T, 44_100, subtype="PCM_16")
    (house / "broken.mp3").write_bytes(b"no music")
    allowed = {"LIBRARY_FOLDERS": str(tmp_path / "Music")}
    (tmp_path / "stack").mkdir()
    with held_ports(2) as ports, serve(tmp_path / "stack", ports, **allowed) as running:
        page.goto(running.page("/library"))
        page.get_by_role("button", name="Add tracks").click()
        dialog = page.get_by_role("dialog")
        dialog.get_by_role("tab", name="Folder on the server").click()
        for name, n_files in (("Music", 0), ("House", 4)):
            levels = dialog.get_by_role("combobox", name="Folder")
            expect(levels).to_have_count(1)  # the one before is drawn until its run ends
            levels.click()
            page.get_by_role("option", name=name).click()
            expect(dialog.get_by_text(f"{n_files} audio files here")).to_be_visible()
        expect(dialog.get_by_text("Music / House")).to_be_visible()
        dialog.get_by_role("button", name="Add this folder").click()
        expect(dialog.get_by_text("House: 3 added, 0 known, 1 refused")).to_be_visible()
        dialog.get_by_text("Files that were not added").click()
        expect(dialog.get_by_text("broken.mp3").first).to_be_visible()
        dialog.get_by_role("button", name="Close").click()
        expect(rows(page)).to_have_count(3)


def test_without_an_allowed_folder_there_is_none_to_add(page: Page, crate: Stack) -> None:
    open_library(page, crate)
    page.get_by_role("button", name="Add tracks").click()
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("tab", name="From a job")).to_be_visible()
    expect(dialog.get_by_role("tab", name="Folder on the server")).to_have_count(0)
