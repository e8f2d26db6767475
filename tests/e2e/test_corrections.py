"""Corrections by hand beside the player: what the library keeps, and what the player does."""

import json
import re
import urllib.request
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from tests.conditions import PATIENCE_S, wait_until
from tests.e2e.conftest import Stack
from tests.e2e.listening import MASTER, record
from tests.e2e.playing import KNOWN, open_player, play, state, wait_for
from tests.programs import requires

pytestmark = requires("chromium")

RATE = 44100
NOTHING: dict[str, None] = dict.fromkeys(
    ("title", "artist", "comment", "rating", "key", "tempo_bpm", "cues")
)


class Library:
    """The track in the library, asked and changed behind the browser's back."""

    def __init__(self, stack: Stack, track_id: str) -> None:
        self.stack = stack
        self.path = f"/library/tracks/{track_id}"

    def read(self) -> Any:
        return self.stack.ask(self.path)

    def facts(self, name: str) -> Any:
        return self.read()["facts"][name]

    def correct(self, **change: Any) -> None:
        asked = urllib.request.Request(
            self.stack.api_url + self.path,
            json.dumps(change).encode(),
            {"Content-Type": "application/json"},
            method="PATCH",
        )
        urllib.request.urlopen(asked, timeout=PATIENCE_S).close()


@pytest.fixture
def library(stack: Stack, finished_job: str) -> Iterator[Library]:
    """The known song, without corrections before and after."""
    job: Any = stack.ask(f"/job/{finished_job}")
    library = Library(stack, job["tracks"][KNOWN]["id"])
    yield library
    if library.read()["corrections"]["values"]["grid"]:
        library.correct(grid=[{"op": "unlock"}])
    library.correct(**NOTHING)


@pytest.fixture
def panel(page: Page, stack: Stack, finished_job: str, library: Library) -> Page:
    open_panel(page, stack, finished_job)
    return page


def open_panel(page: Page, stack: Stack, job: str) -> None:
    open_player(page, stack, job, KNOWN)
    page.get_by_text("Correct", exact=True).click()
    expect(page.get_by_role("region", name="Corrections")).to_be_visible()
    expect(page.get_by_role("spinbutton", name="BPM")).to_have_value("124.00")


def press(page: Page, name: str) -> None:
    """Press a button of the panel, and wait until its change is kept."""
    page.get_by_role("button", name=name, exact=True).click()
    expect(page.get_by_role("status").filter(has_text="Saved")).to_be_visible()


def bpm(page: Page) -> Any:
    box = page.get_by_test_id("stMetric").filter(has_text="BPM")
    return box.get_by_test_id("stMetricValue")


def test_half_the_tempo_is_doubled_and_taken_back(panel: Page, library: Library) -> None:
    """The loudest wish of DJs: a tempo that is wrong by two had to be lived with."""
    beats = state(panel, "engine.session.track.beats.length")
    press(panel, "×2")
    expect(panel.locator(".fact").first).to_have_text("248.0 BPM")
    assert state(panel, "engine.session.track.beats.length") == pytest.approx(2 * beats, abs=1)
    assert library.facts("tempo_bpm") == 248
    expect(bpm(panel)).to_have_text("248.0")  # the page around follows
    tempo = panel.get_by_role("group", name="Tempo", exact=True)
    expect(tempo).to_contain_text("Analysed: 124.00 BPM")
    press(panel, "Tempo: back to what was analysed")
    expect(panel.locator(".fact").first).to_have_text("124.0 BPM")
    expect(tempo).not_to_contain_text("Analysed")
    assert library.read()["corrected"] == []
    expect(bpm(panel)).to_have_text("124.0")


def test_a_tempo_is_typed_or_tapped(panel: Page, library: Library) -> None:
    box = panel.get_by_role("spinbutton", name="BPM")
    box.fill("123.5")
    box.press("Enter")
    wait_until(lambda: library.facts("tempo_bpm") == 123.5)
    box.press("Escape")
    panel.locator(".wave").first.click()
    tap = """(n) => { for (let i = 0; i < n; i++) {
      const event = new KeyboardEvent('keydown', { key: 't', bubbles: true });
      Object.defineProperty(event, 'timeStamp', { value: 1e6 + i * 500 + (i % 2) });
      document.body.dispatchEvent(event);
    } }"""
    panel.evaluate(tap, 9)
    press(panel, "Set 120.0 BPM")
    assert library.facts("tempo_bpm") == 120
    expect(panel.locator(".fact").first).to_have_text("120.0 BPM")


def test_the_grid_goes_where_the_beats_are_heard(panel: Page, library: Library) -> None:
    first = library.facts("beats_s")[0]
    press(panel, "½ beat")
    assert library.facts("beats_s")[0] == pytest.approx(first + 0.242, abs=0.001)
    press(panel, "−10 ms")
    assert library.facts("beats_s")[0] == pytest.approx(first + 0.232, abs=0.001)
    here = round(4.321 * RATE)
    state(panel, f"engine.seek({here})")
    press(panel, "Beat is exactly here")
    assert min(abs(t - here / RATE) for t in library.facts("downbeats_s")) < 1e-5
    there = round(14.5 * RATE)
    state(panel, f"engine.seek({there})")
    press(panel, "Stretch to here")
    assert min(abs(t - there / RATE) for t in library.facts("beats_s")) < 1e-5
    assert min(abs(t - here / RATE) for t in library.facts("beats_s")) < 1e-5
    beats = library.facts("beats_s")
    state(panel, f"engine.seek({round((beats[10] + 0.1) * RATE)})")
    press(panel, "Bar starts here")
    assert library.facts("beats_s") == beats
    assert beats[10] in library.facts("downbeats_s")
    bars = library.facts("downbeats_s")
    wait_until(lambda: state(panel, "engine.session.track.bars") == bars)
    press(panel, "Lock")
    expect(panel.get_by_role("button", name="×2", exact=True)).to_be_disabled()
    expect(panel.get_by_role("spinbutton", name="BPM")).to_be_disabled()
    assert library.read()["corrections"]["values"]["grid"]["is_locked"]
    press(panel, "Locked")
    press(panel, "Undo the last change")
    expect(panel.get_by_role("button", name="Locked")).to_be_visible()


def test_clicks_follow_a_new_grid_while_it_plays(panel: Page, library: Library) -> None:
    """Two seconds of clicks are scheduled ahead: they were those of the old grid."""
    panel.locator(".wave").first.click(position={"x": 0, "y": 20})
    panel.keyboard.press("k")
    for label in ("vocals", "accompaniment"):
        state(panel, f"engine.session.toggleMute('{label}')")
    play(panel)
    wait_for(panel, "engine.frame > 22050")
    press(panel, "½ beat")
    recording = record(panel, [MASTER], 3)
    clicks = np.flatnonzero(np.abs(recording.signals[MASTER][0]) > 0.05)
    starts = clicks[np.diff(clicks, prepend=-RATE) > RATE // 10]
    assert len(starts) >= 4
    beats = np.array(library.facts("beats_s")) * RATE
    for where, frame in recording.parts(margin=0):
        for start in starts[(starts >= where.start) & (starts < where.stop)]:
            assert np.abs(beats - (frame + start - where.start)).min() < RATE / 200


def test_cues_and_loops_are_added_moved_named_coloured_and_deleted(
    panel: Page, library: Library
) -> None:
    found = library.facts("cues")
    state(panel, f"engine.seek({round(4.25 * RATE)})")
    press(panel, "Cue here")
    name = panel.get_by_role("textbox", name="Name of Cue 3")
    name.fill("Drop & <b>roll</b>")
    name.press("Enter")
    colour = panel.get_by_label("Colour of Drop & <b>roll</b>")
    colour.evaluate("(e) => { e.value = '#00aa55'; e.dispatchEvent(new Event('change')); }")

    def own() -> Any:
        return [cue for cue in library.facts("cues") if cue not in found]

    wait_until(lambda: [cue["colour"] for cue in own()] == ["#00aa55"])
    (cue,) = own()
    assert cue == {
        "time_s": pytest.approx(4.25, abs=1e-4),
        "name": "Drop & <b>roll</b>",
        "end_s": None,
        "hot_cue": 3,
        "colour": "#00aa55",
    }
    expect(panel.get_by_label("Go to a section or cue")).to_contain_text("Drop & <b>roll</b>")
    state(panel, f"engine.seek({round(6.5 * RATE)})")
    press(panel, "Move Drop & <b>roll</b> to the playhead")
    assert own()[0]["time_s"] == pytest.approx(6.5, abs=1e-4)
    expect(panel.get_by_role("button", name="Add the loop")).to_be_disabled()
    loop = "(mix.loop = { start_s: 2.5, end_s: 6.25, is_on: true })"
    state(panel, f"engine.session.change((mix) => {loop})")
    press(panel, "Add the loop")
    assert [(c["time_s"], c["end_s"]) for c in own() if c["end_s"]] == [(2.5, 6.25)]
    wait_for(panel, "engine.session.track.facts.loops.length === 1")
    press(panel, "Delete Drop & <b>roll</b>")
    assert len(own()) == 1
    press(panel, "Cues and loops: back to what was analysed")
    assert library.facts("cues") == found


def test_key_texts_and_rating_are_corrected(panel: Page, library: Library) -> None:
    panel.get_by_role("combobox", name="Key", exact=True).select_option("7A")
    expect(panel.locator(".fact").nth(1)).to_have_text("7A")
    expect(panel.get_by_role("group", name="Key", exact=True)).to_contain_text(
        "Analysed: 8A · A minor"
    )
    for label, text in [("Title", "Häfen <i>x</i>"), ("Artist", "Somebody"), ("Comment", "Warm")]:
        box = panel.get_by_role("textbox", name=label, exact=True)
        box.fill(text)
        box.blur()
    press(panel, "4 stars")
    track = library.read()
    assert {n: track[n] for n in ("title", "artist", "comment", "rating", "camelot")} == {
        "title": "Häfen <i>x</i>",
        "artist": "Somebody",
        "comment": "Warm",
        "rating": 4,
        "camelot": "7A",
    }
    expect(panel.get_by_role("heading", level=1)).to_have_text("Somebody – Häfen <i>x</i>")
    panel.get_by_role("button", name="Results", exact=True).click()
    expect(panel.locator(".tracks a").nth(1)).to_contain_text("Häfen <i>x</i>")
    expect(panel.locator(".tracks a").nth(1)).to_contain_text("7A")


def test_two_windows_do_not_overwrite_each_other(
    panel: Page, stack: Stack, finished_job: str, library: Library
) -> None:
    """The last writer won, and nobody was told."""
    other = panel.context.new_page()
    open_panel(other, stack, finished_job)
    press(panel, "×2")
    other.get_by_role("button", name="½ beat", exact=True).click()
    alert = other.get_by_role("alert").filter(has_text="changed in another window")
    expect(alert).to_be_visible()
    expect(other.get_by_role("spinbutton", name="BPM")).to_have_value("248.00")
    assert library.facts("tempo_bpm") == 248
    expect(other.locator(".fact").first).to_have_text("248.0 BPM")
    press(other, "÷2")
    expect(alert).to_be_hidden()
    assert library.facts("tempo_bpm") == 124


def test_what_the_library_refuses_is_told(panel: Page, library: Library) -> None:
    library.correct(grid=[{"op": "lock"}])
    panel.get_by_role("button", name="×2", exact=True).click()
    expect(panel.get_by_role("alert").filter(has_text=re.compile("changed in"))).to_be_visible()
    title = panel.get_by_role("textbox", name="Title", exact=True)
    title.fill("")
    title.blur()
    expect(panel.get_by_role("alert").filter(has_text="A title needs letters")).to_be_visible()
    expect(title).to_have_value("Harbour Lights")
