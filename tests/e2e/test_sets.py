"""Sets in a real browser: planned, put in order, heard, taken away."""

import json
import math
import re
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, Route, ViewportSize, expect

from tests.conditions import PATIENCE_S, wait_until
from tests.e2e.conftest import JOB_TIMEOUT_MS, Stack, serve_library
from tests.e2e.playing import KNOWN, open_player, play, wait_for
from tests.e2e.test_accessibility import barriers
from tests.programs import requires
from ui.assets import asset_url
from ui.parts.wheel import wheel_data

pytestmark = requires("chromium")

N_TRACKS = 60
PHONE = ViewportSize(width=390, height=844)


@pytest.fixture(scope="module")
def crate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """A running installation with a library of tracks without audio."""
    with serve_library(tmp_path_factory.mktemp("crate"), N_TRACKS) as running:
        yield running


def post(stack: Stack, path: str, body: Any, method: str = "POST") -> Any:
    request = urllib.request.Request(
        stack.api_url + path,
        json.dumps(body).encode(),
        {"Content-Type": "application/json"},
        method=method,
    )
    with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
        return json.load(answer)


def ask(stack: Stack, path: str) -> Any:
    return stack.ask(path)


def make_set(stack: Stack, **wishes: Any) -> Any:
    return post(stack, "/playlists", {"name": "Friday", "n_tracks": 6, "curve": "peak", **wishes})


def read_set(stack: Stack, set_id: str) -> Any:
    return ask(stack, f"/playlists/{set_id}")


def titles_of(view: Any) -> list[str]:
    names = {track["id"]: track["title"] for track in view["tracks"]}
    return [names[track_id] for track_id in view["order"]]


def open_set(page: Page, stack: Stack, set_id: str) -> None:
    page.goto(stack.page(f"/sets?set={set_id}"))
    expect(entries(page).first).to_be_visible()


def entries(page: Page) -> Locator:
    return page.locator(".order .entry")


def titles(page: Page) -> list[str]:
    return page.locator(".order .title").all_text_contents()


def grip(page: Page, place: int) -> Locator:
    return entries(page).nth(place).locator(".grip")


def expect_rated(page: Page, view: Any) -> None:
    """The screen shows what the server rated."""
    n = len(view["order"])
    words = f"{n} tracks · .* · transitions {round(100 * view['score'])} %"
    expect(page.locator(".summary")).to_have_text(re.compile(words))
    assert titles(page) == titles_of(view)
    scores = page.locator(".order .mix .score")
    expect(scores).to_have_count(n - 1)
    for place, step in enumerate(view["transitions"]):
        expect(scores.nth(place)).to_contain_text(f"{round(100 * step['score'])} %")


def test_a_set_is_planned_with_curve_pins_and_filter(page: Page, crate: Stack) -> None:
    """The planner was for those who write JSON."""
    page.goto(crate.page("/sets"))
    page.get_by_role("button", name="New set").click()
    planner = page.locator(".planner")
    planner.get_by_label("Name of the set").fill("Saturday")
    planner.get_by_label("some of it").check()
    planner.get_by_label("Energy from").fill("4")
    n_left = ask(crate, "/library/tracks?energy_min=4&limit=1")["total"]
    expect(planner.get_by_text(f"{n_left} tracks to choose from.")).to_be_visible()
    planner.get_by_label("Counted in").select_option("tracks")
    planner.get_by_label("How long").fill("5")
    quiet = ask(crate, "/library/tracks?energy_max=3&limit=1")["tracks"][0]
    planner.get_by_label("Search a track to pin").fill(quiet["title"])
    planner.get_by_role("button", name=f"First: {quiet['title']}").click()
    expect(planner.locator(".pinned")).to_contain_text(quiet["title"])
    planner.get_by_role("button", name="Warm up").click()
    handle = planner.locator(".handle").last
    box = handle.locator(".knob").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"], 0, steps=5)
    page.mouse.up()
    expect(handle).to_have_attribute("aria-valuenow", "10.0")
    expect(planner.get_by_role("button", name="Drawn by hand")).to_have_attribute(
        "aria-pressed", "true"
    )
    planner.get_by_role("slider").first.focus()
    page.keyboard.press("ArrowDown")
    expect(planner.get_by_role("slider").first).to_have_attribute("aria-valuenow", "2.5")
    planner.get_by_role("button", name="Plan the set").click()
    expect(page.get_by_role("heading", name="Saturday")).to_be_visible()
    expect(entries(page)).to_have_count(5)
    found = re.search(r"set=([0-9a-f-]{36})", page.url)
    assert found
    view = read_set(crate, found.group(1))
    assert view["request"]["curve"][0] == [0, 2.5]
    assert view["request"]["curve"][-1][1] == 10
    assert view["order"][0] == quiet["id"] == view["request"]["start"]
    assert all(track["energy"] >= 4 for track in view["tracks"] if track["id"] != quiet["id"])
    expect_rated(page, view)
    page.reload()
    expect(entries(page)).to_have_count(5)


def test_a_set_is_planned_again_from_its_wishes(page: Page, crate: Stack) -> None:
    first = ask(crate, "/library/tracks?limit=1")["tracks"][0]
    curve = [[0.0, 2.0], [0.5, 9.0], [1.0, 4.0]]
    made = make_set(crate, curve=curve, start=first["id"], max_pitch_percent=8, artist_gap=3)
    open_set(page, crate, made["id"])
    page.get_by_role("button", name="Plan again").click()
    planner = page.locator(".planner")
    expect(planner.get_by_label("How long")).to_have_value("6")
    expect(planner.locator(".pinned")).to_contain_text(first["title"])
    expect(planner.get_by_role("slider")).to_have_count(3)
    planner.get_by_label("How long").fill("4")
    planner.get_by_role("button", name="Plan the set").click()
    expect(entries(page)).to_have_count(4)
    found = re.search(r"set=([0-9a-f-]{36})", page.url)
    assert found
    again = read_set(crate, found.group(1))
    assert again["id"] != made["id"]
    assert again["request"] == {**made["request"], "n_tracks": 4}
    page.go_back()
    expect(planner).to_be_visible()
    page.go_back()
    expect(entries(page)).to_have_count(6)


def test_the_order_is_changed_by_keyboard_and_rated_at_once(page: Page, crate: Stack) -> None:
    made = make_set(crate)
    open_set(page, crate, made["id"])
    expect_rated(page, made)
    first, second = titles(page)[:2]
    wheel = page.locator("svg.wheel")
    keys = wheel.get_attribute("aria-label")
    grip(page, 0).focus()
    page.keyboard.press("Alt+ArrowDown")
    assert titles(page)[:2] == [second, first]
    expect(grip(page, 1)).to_be_focused()
    expect(page.locator(".unseen[role=status]")).to_have_text(f"“{first}” is now number 2 of 6.")
    wait_until(lambda: read_set(crate, made["id"])["version"] != made["version"])
    expect_rated(page, read_set(crate, made["id"]))
    assert keys is not None
    expect(wheel).not_to_have_attribute("aria-label", keys)
    page.keyboard.press("Delete")
    expect(entries(page)).to_have_count(5)
    page.get_by_role("button", name="Undo").click()
    page.get_by_role("button", name="Undo").click()
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    wait_until(lambda: read_set(crate, made["id"])["order"] == made["order"])
    expect_rated(page, made)


def test_a_track_is_dragged_to_another_place(page: Page, crate: Stack) -> None:
    made = make_set(crate)
    open_set(page, crate, made["id"])
    before = titles(page)
    start, end = grip(page, 0).bounding_box(), entries(page).nth(3).locator(".song").bounding_box()
    assert start
    assert end
    page.mouse.move(start["x"] + 8, start["y"] + 8)
    page.mouse.down()
    page.mouse.move(start["x"] + 8, start["y"] + 20, steps=3)
    # The transitions are folded away while a track is in the air.
    for place in (1, 2, 3):
        box = page.locator(".order .entry:not(.lifted) .song").nth(place - 1).bounding_box()
        assert box
        page.mouse.move(start["x"] + 8, box["y"] + box["height"] - 4, steps=3)
    page.mouse.up()
    after = [*before[1:4], before[0], *before[4:]]
    assert titles(page) == after
    wait_until(lambda: titles_of(read_set(crate, made["id"])) == after)
    expect_rated(page, read_set(crate, made["id"]))


def test_tracks_are_added_by_search_and_by_what_mixes(page: Page, crate: Stack) -> None:
    made = make_set(crate, n_tracks=3)
    open_set(page, crate, made["id"])
    other = next(
        track
        for track in ask(crate, "/library/tracks?limit=50")["tracks"]
        if track["id"] not in made["order"]
    )
    page.get_by_label("Search the library").fill(other["title"])
    page.get_by_role("button", name=f"Add “{other['title']}”").click()
    expect(entries(page)).to_have_count(4)
    assert titles(page)[-1] == other["title"]
    page.get_by_label("After", exact=True).select_option("0")
    page.get_by_role("button", name="What mixes here").click()
    best = page.locator(".found li").first
    expect(best.locator(".score")).to_be_visible()
    name = best.locator("b").text_content()
    best.get_by_role("button", name="Add").click()
    expect(entries(page)).to_have_count(5)
    assert titles(page)[1] == name
    wait_until(lambda: len(read_set(crate, made["id"])["order"]) == 5)
    expect_rated(page, read_set(crate, made["id"]))


def test_the_second_of_two_windows_is_told(page: Page, crate: Stack) -> None:
    """The later window overwrote what the earlier one had done, and nobody knew."""
    made = make_set(crate)
    path = f"/playlists/{made['id']}/tracks"
    open_set(page, crate, made["id"])
    post(crate, path, {"tracks": made["order"][::-1]}, "PUT")
    grip(page, 0).focus()
    page.keyboard.press("Alt+ArrowDown")
    message = page.locator(".message")
    expect(message).to_contain_text("changed in another window")
    assert read_set(crate, made["id"])["order"] == made["order"][::-1]
    message.get_by_role("button", name="Show what it is now").click()
    expect_rated(page, read_set(crate, made["id"]))
    post(crate, path, {"tracks": made["order"]}, "PUT")
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(message).to_contain_text("This is what it is now")
    assert titles(page) == titles_of(made)


def test_a_change_that_the_server_missed_is_saved_when_it_is_back(page: Page, crate: Stack) -> None:
    """The order on the screen was not the one that was exported."""
    made = make_set(crate)
    open_set(page, crate, made["id"])
    page.route("**/api/playlists/**", lambda route: route.abort())
    grip(page, 0).focus()
    page.keyboard.press("Alt+ArrowDown")
    message = page.locator(".message")
    expect(message).to_contain_text("The server does not answer. Trying again.")
    wanted = titles(page)
    assert read_set(crate, made["id"]) == made
    page.unroute("**/api/playlists/**")
    wait_until(lambda: titles_of(read_set(crate, made["id"])) == wanted)
    expect(message).to_be_hidden()
    expect_rated(page, read_set(crate, made["id"]))


def test_changes_are_not_lost_while_one_is_saved(page: Page, crate: Stack) -> None:
    """The answer to the first of two quick changes put the second one back."""
    made = make_set(crate)
    open_set(page, crate, made["id"])
    held: list[Route] = []

    def hold_first(route: Route) -> None:
        if held:
            route.continue_()
        else:
            held.append(route)

    page.route("**/tracks", hold_first)
    grip(page, 0).focus()
    with page.expect_request("**/tracks"):
        page.keyboard.press("Alt+ArrowDown")
    page.keyboard.press("Alt+ArrowDown")
    wanted = titles(page)
    assert wanted.index(titles_of(made)[0]) == 2
    assert titles_of(read_set(crate, made["id"])) == titles_of(made)
    with page.expect_response("**/tracks"):
        held[0].continue_()
    expect(page.locator(".unrated")).to_have_count(0)
    assert titles_of(read_set(crate, made["id"])) == wanted
    expect_rated(page, read_set(crate, made["id"]))
    expect(page.locator(".message")).to_be_hidden()


DRAW = """
async ([url, data]) => {
  const wheel = (await import(url)).drawWheel(data);
  const at = (mark) => ['cx', 'cy'].map((name) => Number(mark.previousSibling.getAttribute(name)));
  const marks = [...wheel.querySelectorAll('.place')].map((mark) => [mark.textContent, at(mark)]);
  return [wheel.getAttribute('aria-label'), Object.fromEntries(marks)];
}
"""


def draw(page: Page, crate: Stack, path: list[str | None]) -> Any:
    """The label of the wheel, and where each track is marked."""
    page.goto(crate.page("/_stcore/health"))
    words = {"wheelLabel": "{order}", "unknown": "unknown", "smooth": ""}
    data = {**wheel_data(), "words": words, "path": path, "scores": [1] * max(len(path) - 1, 0)}
    return page.evaluate(DRAW, [asset_url("wheel/wheel.js"), data])


def test_the_path_on_the_wheel_goes_round_like_a_clock(page: Page, crate: Stack) -> None:
    _, marks = draw(page, crate, ["12B", "3B", "6A"])
    assert marks["1"][0] == pytest.approx(0, abs=0.1)
    assert marks["1"][1] < 0
    assert marks["2"][0] > 0
    assert marks["2"][1] == pytest.approx(0, abs=0.1)
    assert marks["3"][1] > 0
    assert math.hypot(*marks["3"]) < math.hypot(*marks["1"])


def test_each_track_on_the_wheel_is_seen(page: Page, crate: Stack) -> None:
    """Tracks of one key hide each other; one without a key has no place."""
    _, marks = draw(page, crate, ["8A"] * 4)
    assert len({(round(x), round(y)) for x, y in marks.values()}) == 4
    label, marks = draw(page, crate, ["8A", None, "9A"])
    assert label == "8A, unknown, 9A"
    assert list(marks) == ["1", "3"]
    assert draw(page, crate, []) == ["", {}]


def test_a_set_is_deleted_after_a_question(page: Page, crate: Stack) -> None:
    made = make_set(crate, name="Gone soon")
    open_set(page, crate, made["id"])
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete the set").click()
    expect(page.get_by_role("heading", name="Sets", exact=True)).to_be_visible()
    ids = [one["id"] for one in ask(crate, "/playlists?limit=200")["playlists"]]
    assert made["id"] not in ids


def test_a_set_is_renamed(page: Page, crate: Stack) -> None:
    made = make_set(crate, name="Before")
    open_set(page, crate, made["id"])
    page.get_by_role("button", name="Rename").click()
    dialog = page.get_by_role("dialog", name="Rename")
    dialog.get_by_label("Name").fill("After <b>midnight</b>")
    dialog.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_role("heading", name="After <b>midnight</b>", exact=True)).to_be_visible()
    assert ask(crate, f"/playlists/{made['id']}")["name"] == "After <b>midnight</b>"
    # The order can still be changed: it is saved for the version that renaming has made.
    grip(page, 0).focus()
    page.keyboard.press("Delete")
    n = len(made["order"])
    wait_until(lambda: len(ask(crate, f"/playlists/{made['id']}")["order"]) == n - 1)


def test_exports_name_the_folder_and_are_saved(page: Page, crate: Stack, tmp_path: Path) -> None:
    made = make_set(crate)
    open_set(page, crate, made["id"])
    panel = page.locator(".export")
    panel.get_by_role("button", name="rekordbox XML").click()
    expect(panel.get_by_role("alert")).to_contain_text("Name the folder")
    panel.get_by_label("System").select_option("windows")
    panel.get_by_label("Folder of the audio").fill("/Music")
    panel.get_by_role("button", name="Traktor NML").click()
    expect(panel.get_by_role("alert")).to_contain_text("no absolute path of windows")
    panel.get_by_label("Folder of the audio").fill("D:\\Music")
    for name in ("rekordbox XML", "M3U8 playlist"):
        with page.expect_download() as download:
            panel.get_by_role("button", name=name).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        assert path.stem == "Friday" or path.suffix == ".xml"
        if path.suffix == ".xml":
            assert "file://localhost/D:/Music/" in path.read_text()
    expect(panel.get_by_role("status")).to_contain_text("is saved")


def test_nothing_is_wider_than_a_phone(browser: Browser, crate: Stack) -> None:
    made = make_set(crate, name="A" * 300)
    context = browser.new_context(viewport=PHONE, has_touch=True)
    page = context.new_page()
    for path in ("/sets", "/sets?new=1", f"/sets?set={made['id']}"):
        page.goto(crate.page(path))
        expect(page.locator(".sets")).to_be_visible()
        widest = page.locator(".sets *").evaluate_all(
            "(all) => Math.max(...all.map((one) => one.getBoundingClientRect().right))"
        )
        assert widest <= PHONE["width"], path
    context.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_set_and_its_planner_have_no_barrier(browser: Browser, crate: Stack, theme: Any) -> None:
    made = make_set(crate)
    context = browser.new_context(color_scheme=theme, reduced_motion="reduce")
    page = context.new_page()
    open_set(page, crate, made["id"])
    page.get_by_role("button", name="Why the transition from number 1 to 2").click()
    page.get_by_role("button", name="What mixes here").click()
    expect(page.locator(".found li").first).to_be_visible()
    found = barriers(page)
    page.get_by_role("button", name="Plan again").click()
    expect(page.get_by_role("slider").first).to_be_visible()
    page.get_by_label("some of it").check()
    found += barriers(page)
    context.close()
    assert not found, "\n".join(found)


def test_the_playlist_of_a_job_becomes_a_set(page: Page, stack: Stack, finished_job: str) -> None:
    tracks = ask(stack, f"/job/{finished_job}")["tracks"]
    wait_until(lambda: len(ask(stack, "/library/tracks")["tracks"]) >= len(tracks))
    page.goto(stack.page(f"/results?job={finished_job}"))
    page.get_by_role("button", name="Edit as a set").click()
    expect(entries(page)).to_have_count(len(tracks))
    expect(page).to_have_url(re.compile(r"/sets\?set="))


def test_a_transition_is_heard_and_saved_and_the_pack_holds_the_audio(
    page: Page, stack: Stack, finished_job: str, tmp_path: Path
) -> None:
    ids = [track["id"] for track in ask(stack, f"/job/{finished_job}")["tracks"]]
    wait_until(lambda: {one["id"] for one in ask(stack, "/library/tracks")["tracks"]} >= {*ids})
    made = post(stack, "/playlists", {"name": "Heard", "tracks": ids})
    open_set(page, stack, made["id"])
    page.get_by_role("button", name="Preview of the transition from number 1 to 2").click()
    audio = page.locator(".preview audio")
    expect(audio).to_be_visible(timeout=JOB_TIMEOUT_MS)
    wait_until(lambda: audio.evaluate("(one) => !one.paused && one.currentTime > 0.2"))
    # A set that is drawn anew does not end the sound.
    audio.evaluate("(one) => { one.loop = true; }")
    post(stack, f"/playlists/{made['id']}/tracks", {"tracks": [*ids, ids[0]]}, "PUT")
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(entries(page)).to_have_count(3)
    assert not audio.evaluate("(one) => one.paused")
    with page.expect_download() as download:
        page.locator(".preview").get_by_role("link", name="Download").click()
    preview = tmp_path / download.value.suggested_filename
    download.value.save_as(preview)
    assert preview.suffix == ".mp3"
    assert preview.stat().st_size > 10_000
    with page.expect_download(timeout=JOB_TIMEOUT_MS) as download:
        page.get_by_role("button", name="DJ pack").click()
    pack = tmp_path / "pack.zip"
    download.value.save_as(pack)
    with zipfile.ZipFile(pack) as files:
        assert files.testzip() is None
        names = files.namelist()
    assert any(name.endswith(".wav") or name.endswith(".flac") for name in names)
    assert any("rekordbox" in name for name in names)


def test_a_preview_and_the_player_do_not_sound_at_once(
    page: Page, stack: Stack, finished_job: str
) -> None:
    """The song in the dock went on under the preview."""
    ids = [track["id"] for track in ask(stack, f"/job/{finished_job}")["tracks"]]
    wait_until(lambda: {one["id"] for one in ask(stack, "/library/tracks")["tracks"]} >= {*ids})
    post(stack, "/playlists", {"name": "One at a time", "tracks": ids})
    open_player(page, stack, finished_job, KNOWN)
    play(page)
    page.get_by_role("link", name="Sets").click()
    page.get_by_role("button", name="One at a time").click()
    wait_for(page, "engine.state === 'playing'")
    page.get_by_role("button", name="Preview of the transition from number 1 to 2").click()
    audio = page.locator(".preview audio")
    expect(audio).to_be_visible(timeout=JOB_TIMEOUT_MS)
    wait_until(lambda: audio.evaluate("(one) => !one.paused && one.currentTime > 0.2"))
    wait_for(page, "engine.state === 'paused'")
    page.get_by_role("region", name="Player").get_by_role("button", name="Play").click()
    wait_until(lambda: audio.evaluate("(one) => one.paused"))
    wait_for(page, "engine.state === 'playing'")
