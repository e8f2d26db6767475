"""The stem player, by what comes out of its audio graph and by what is on the screen."""

import re
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.e2e.conftest import FLAGS, PAGE_TIMEOUT_MS, Stack
from tests.e2e.listening import MASTER, Recording, Signal, best_offset, read_lanes, record
from tests.e2e.playing import (
    DEBUG,
    ENGINE,
    KNOWN,
    REAL,
    open_player,
    play,
    set_mix,
    state,
    wait_for,
)
from tests.programs import find, requires

pytestmark = requires("chromium")

RATE = 44100
ROUNDING = 1e-6


def level(signal: Signal) -> float:
    return float(np.sqrt(np.mean(np.square(signal, dtype=np.float64))))


def whole_loop(page: Page, seconds: float) -> None:
    """Loop the first seconds, so that a recording of any length finds sound."""
    loop = f"(mix.loop = {{ start_s: 0, end_s: {seconds}, is_on: true }})"
    state(page, f"engine.session.change((mix) => {loop})")


def assert_as_sent(recording: Recording, lanes: dict[str, Signal], names: list[str]) -> None:
    """Each lane is, sample for sample, what the API sent for the frames on the schedule."""
    parts = recording.parts()
    assert parts, "nothing was recorded"
    for where, frame in parts:
        n = where.stop - where.start
        for name in names:
            sent = lanes[name][:, frame : frame + n]
            heard = recording.signals[name][:, where][:, : sent.shape[1]]
            assert np.abs(heard - sent).max() < ROUNDING, (
                f"{name} is late by {frame - best_offset(heard, lanes[name])} frames"
            )


@pytest.fixture(scope="module")
def lanes(stack: Stack, finished_job: str) -> dict[str, Signal]:
    return read_lanes(stack, finished_job, REAL)


def test_all_lanes_are_in_sync_to_the_sample(
    page: Page, stack: Stack, finished_job: str, lanes: dict[str, Signal]
) -> None:
    """Five media elements were up to 40 ms apart after a seek."""
    open_player(page, stack, finished_job, REAL)
    page.get_by_role("button", name="Other versions").click()
    for label in lanes:
        state(page, f"engine.session.changeLane('{label}', (lane) => (lane.mute = false))")
    play(page)
    wait_for(page, "engine.frame > 22050")
    recording = record(page, [*lanes, MASTER], 5)
    assert_as_sent(recording, lanes, list(lanes))
    where, _ = max(recording.parts(), key=lambda part: part[0].stop - part[0].start)
    offsets = {
        name: best_offset(recording.signals[name][:, where], lanes[name])
        for name in lanes
        if level(recording.signals[name][:, where]) > 1e-4
    }
    assert {"original", "vocals", "accompaniment", "main"} <= offsets.keys()
    assert len(set(offsets.values())) == 1, offsets
    total = sum(recording.signals[name] for name in lanes)
    assert np.abs(recording.signals[MASTER] - total).max() < 1e-5


def test_a_click_on_a_waveform_goes_there_and_plays_on(
    page: Page, stack: Stack, finished_job: str, lanes: dict[str, Signal]
) -> None:
    """A click on the waveform did nothing."""
    open_player(page, stack, finished_job, REAL)
    play(page)
    wave = page.locator(".wave").first
    box = wave.bounding_box()
    assert box is not None
    wave.click(position={"x": box["width"] * 0.6, "y": 20})
    wait_for(page, "engine.state === 'playing' && engine.frame > 0.6 * engine.session.track.frames")
    recording = record(page, ["vocals", "accompaniment"], 2)
    assert_as_sent(recording, lanes, ["vocals", "accompaniment"])
    assert recording.parts()[0][1] > 0.55 * lanes["vocals"].shape[1]


def test_a_loop_dragged_on_the_ruler_snaps_to_bars_and_repeats_exactly(
    page: Page, stack: Stack, finished_job: str
) -> None:
    open_player(page, stack, finished_job, KNOWN)
    track: Any = stack.ask(f"/job/{finished_job}/tracks/{KNOWN}/player")
    bars = track["grid"]["downbeats_s"]
    ruler = page.locator(".ruler")
    box = ruler.bounding_box()
    assert box is not None

    def x_of(seconds: float) -> float:
        return float(box["x"] + box["width"] * seconds / track["duration_s"])

    middle = box["y"] + box["height"] / 2
    page.mouse.move(x_of(bars[2] + 0.2), middle)
    page.mouse.down()
    page.mouse.move(x_of(bars[3]), middle)
    page.mouse.move(x_of(bars[3] + 0.3), middle)
    page.mouse.up()
    loop = state(page, "engine.session.mix.loop")
    assert loop == {"start_s": bars[2], "end_s": bars[3], "is_on": True}
    expect(page.get_by_role("slider", name="Loop start")).to_have_attribute(
        "aria-valuetext", re.compile("bar 3")
    )
    page.get_by_label("Go to a section or cue").evaluate("(list) => list.blur()")
    state(page, f"engine.seek({round(bars[2] * RATE)})")
    play(page)
    recording = record(page, [MASTER], 6)
    heard = recording.signals[MASTER][:, recording.run()]
    period = round(bars[3] * RATE) - round(bars[2] * RATE)
    assert heard.shape[1] > 1.5 * period
    assert level(heard) > 0.01
    assert np.abs(heard[:, period:] - heard[:, :-period]).max() < ROUNDING


def test_mute_and_solo_by_what_comes_out(
    page: Page, stack: Stack, finished_job: str, lanes: dict[str, Signal]
) -> None:
    open_player(page, stack, finished_job, REAL)
    whole_loop(page, 8)
    play(page)
    names = ["vocals", "accompaniment"]

    def heard() -> Recording:
        recording = record(page, [*names, MASTER], 1)
        total = sum(recording.signals[name] for name in names)
        assert np.abs(recording.signals[MASTER] - total).max() < ROUNDING
        return recording

    page.keyboard.press("1")
    expect(page.get_by_role("button", name="Mute Vocals")).to_have_attribute("aria-pressed", "true")
    recording = heard()
    assert not recording.signals["vocals"].any()
    assert_as_sent(recording, lanes, ["accompaniment"])
    page.keyboard.press("1")
    page.keyboard.press("Shift+Digit1")
    recording = heard()
    assert not recording.signals["accompaniment"].any()
    assert_as_sent(recording, lanes, ["vocals"])
    page.keyboard.press("Shift+Digit2")
    assert_as_sent(heard(), lanes, names)
    page.keyboard.press("Control+Shift+Digit2")
    assert not heard().signals["vocals"].any()
    page.get_by_role("button", name="Solo Accompaniment").click()
    assert_as_sent(heard(), lanes, names)


def test_faders_pan_and_master_do_what_they_say(
    page: Page, stack: Stack, finished_job: str, lanes: dict[str, Signal]
) -> None:
    open_player(page, stack, finished_job, REAL)
    whole_loop(page, 8)
    fader = page.get_by_role("slider", name="Volume of Accompaniment")
    state(page, "engine.session.changeLane('accompaniment', (lane) => (lane.gain_db = -6))")
    expect(fader).to_have_attribute("aria-valuetext", "−6.0 dB")
    state(page, "engine.session.changeLane('vocals', (lane) => (lane.pan = -1))")
    play(page)
    recording = record(page, ["vocals", "accompaniment"], 1)
    (where, frame), *_ = recording.parts()
    sent = lanes["accompaniment"][:, frame : frame + where.stop - where.start]
    heard = recording.signals["accompaniment"][:, where]
    assert np.abs(heard - sent * 10 ** (-6 / 20)).max() < ROUNDING
    assert not recording.signals["vocals"][1].any()
    assert recording.signals["vocals"][0].any()
    fader.dblclick()
    expect(fader).to_have_attribute("aria-valuetext", "0.0 dB")
    fader.focus()
    page.keyboard.press("ArrowUp")
    expect(fader).not_to_have_attribute("aria-valuetext", "0.0 dB")


def semitones_between(first: Signal, second: Signal) -> float:
    """By how much the second sounds higher: the shift of their spectra over pitch."""
    steps = 20  # a semitone
    pitches = np.arange(45 * steps, 95 * steps) / steps
    bins = 440 * 2 ** ((pitches - 69) / 12)

    def profile(signal: Signal) -> Any:
        n = 1 << 15
        mono = signal.mean(axis=0)
        frames = np.lib.stride_tricks.sliding_window_view(mono, n)[:: n // 4] * np.hanning(n)
        spectrum = np.log1p(1e3 * np.abs(np.fft.rfft(frames)).mean(axis=0))
        values = np.interp(bins, np.fft.rfftfreq(n, 1 / RATE), spectrum)
        smooth = np.convolve(values, np.ones(7 * steps) / (7 * steps), "same")
        return values - smooth

    a, b = profile(first), profile(second)
    reach = 8 * steps
    scores = [
        float(np.dot(b[reach + k : len(b) - reach + k], a[reach : len(a) - reach]))
        for k in range(-reach, reach + 1)
    ]
    return (int(np.argmax(scores)) - reach) / steps


def record_loop(page: Page, seconds: float) -> Recording:
    return record(page, [MASTER], seconds)


def test_tempo_keeps_the_pitch_and_pitch_keeps_the_tempo(
    page: Page, stack: Stack, finished_job: str
) -> None:
    open_player(page, stack, finished_job, KNOWN)
    whole_loop(page, 8)
    play(page)
    plain = record_loop(page, 8).signals[MASTER]
    set_mix(page, tempo=1.25)
    wait_for(page, "engine.graph.route === 'together' && engine.timeline.pieces.at(-1).rate > 1")
    faster = record_loop(page, 6.4)
    at, end_at, _ = faster.pieces[-1]
    rate = state(page, "(() => { const p = engine.timeline.pieces.at(-1); return p.rate; })()")
    assert rate == 1.25
    assert end_at > at
    assert abs(semitones_between(plain, faster.signals[MASTER])) < 0.3
    set_mix(page, tempo=1, pitch_semitones=3)
    wait_for(page, "engine.graph.route === 'delayed' && engine.timeline.pieces.at(-1).rate === 1")
    higher = record_loop(page, 8).signals[MASTER]
    assert abs(semitones_between(plain, higher) - 3) < 0.3
    expect(page.locator(".fact").nth(1)).to_have_text("5A")


@pytest.fixture
def plain_page(browser: Browser) -> Iterator[Page]:
    """A page of a browser to which `workbench` is this machine: a name, so no secure context."""
    with browser.browser_type.launch(
        executable_path=find("chromium"),
        args=[*FLAGS, "--host-resolver-rules=MAP workbench 127.0.0.1"],
    ) as other:
        page = other.new_page()
        page.set_default_timeout(PAGE_TIMEOUT_MS)
        yield page


def test_without_a_worklet_tempo_moves_the_pitch_and_a_note_says_so(
    plain_page: Page, stack: Stack, finished_job: str
) -> None:
    """On plain http, browsers offer no worklet: playing must not need one."""
    page = plain_page
    page.add_init_script(DEBUG)
    port = stack.ui_url.rsplit(":", 1)[1]
    page.goto(f"http://workbench:{port}/track?job={finished_job}&track={KNOWN}")
    expect(page.locator(".player")).to_be_visible()
    assert page.evaluate("isSecureContext") is False
    expect(page.get_by_role("note")).to_contain_text("Tempo changes the pitch too")
    expect(page.get_by_role("slider", name="Pitch")).to_be_disabled()
    play(page)
    set_mix(page, tempo=1.2)
    wait_for(page, "engine.timeline.pieces.at(-1)?.rate === 1.2")
    wait_for(page, "engine.state === 'playing' && engine.frame > 44100")
    assert state(page, "engine.graph.route") == "direct"


def test_the_original_is_compared_at_the_same_loudness(
    page: Page, stack: Stack, finished_job: str, lanes: dict[str, Signal]
) -> None:
    """Louder sounds better: an unmatched comparison says nothing."""
    open_player(page, stack, finished_job, REAL)
    whole_loop(page, 8)
    play(page)
    mix = record(page, [MASTER], 1)
    page.keyboard.press("a")
    button = page.get_by_role("button", name="Original", exact=True)
    expect(button).to_have_attribute("aria-pressed", "true")
    wait_for(page, "engine.segments.get(engine.session.track.original.segmentUrl(0)) !== undefined")
    original = record(page, [MASTER, "original", "vocals"], 1)
    assert not original.signals["vocals"].any()
    heard, wanted = [], []
    for recording in (mix, original):
        (where, frame), *_ = recording.parts()
        n = where.stop - where.start
        heard.append(level(recording.signals[MASTER][:, where]))
        wanted.append(level(lanes["main"][:, frame : frame + n]))
    assert 20 * abs(np.log10(heard[1] / wanted[1])) < 0.3
    assert 20 * abs(np.log10(heard[0] / wanted[0])) < 0.3


def test_late_audio_is_waited_for_by_all_lanes_together(
    page: Page, stack: Stack, finished_job: str, lanes: dict[str, Signal]
) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    page.route(re.compile(r"/lanes/vocals/segments/1"), hold)
    open_player(page, stack, finished_job, REAL)
    play(page)
    expect(page.get_by_role("status").filter(has_text="Buffering")).to_be_visible()
    assert state(page, "engine.timeline.cursor.frame") == 131072
    for route in held:
        route.continue_()
    page.unroute(re.compile(r"/lanes/vocals/segments/1"))
    wait_for(page, "engine.state === 'playing'")
    recording = record(page, ["vocals", "accompaniment"], 2)
    assert_as_sent(recording, lanes, ["vocals", "accompaniment"])


def test_lanes_that_start_late_start_late_together(
    page: Page, stack: Stack, finished_job: str, lanes: dict[str, Signal]
) -> None:
    """A busy audio thread took sources over one by one: a lane was heard 896 frames late."""
    open_player(page, stack, finished_job, REAL)
    page.evaluate(
        """() => {
          const { start } = AudioBufferSourceNode.prototype;
          let calls = 0;
          AudioBufferSourceNode.prototype.start = function (when, ...rest) {
            calls += 1;
            return start.call(this, when + (calls % 2 ? 0 : 896 / 44100), ...rest);
          };
        }"""
    )
    play(page)
    names = ["vocals", "accompaniment"]
    recording = record(page, names, 3)
    where, _ = max(recording.parts(), key=lambda part: part[0].stop - part[0].start)
    offsets = {n: best_offset(recording.signals[n][:, where], lanes[n]) for n in names}
    assert len(set(offsets.values())) == 1, offsets


@pytest.mark.parametrize("failure", ["cut", "503"])
def test_the_player_goes_on_by_itself_when_the_server_is_back(
    page: Page, stack: Stack, finished_job: str, lanes: dict[str, Signal], failure: str
) -> None:
    """A waveform that failed once was missing until the page was loaded again."""
    pieces = re.compile(r"/api/(job/.*/lanes/|download/)")

    def fail(route: Route) -> None:
        if failure == "cut":
            route.abort()
        else:
            route.fulfill(status=503, json={"code": "api_unreachable", "detail": "Away."})

    page.route(pieces, fail)
    open_player(page, stack, finished_job, REAL)
    away = page.get_by_role("status").filter(has_text="The server is away, trying again")
    expect(away).to_be_visible()
    page.keyboard.press("Space")
    wait_for(page, "engine.state === 'waiting'")
    page.unroute(pieces)
    wait_for(page, "engine.state === 'playing'")
    expect(away).to_be_hidden()
    assert_as_sent(record(page, ["vocals", "accompaniment"], 2), lanes, ["vocals", "accompaniment"])
    assert set(page.locator(".hint").all_inner_texts()) == {""}


def test_clicks_fall_on_the_beats_after_a_bar_of_count_in(
    page: Page, stack: Stack, finished_job: str
) -> None:
    open_player(page, stack, finished_job, KNOWN)
    track: Any = stack.ask(f"/job/{finished_job}/tracks/{KNOWN}/player")
    page.keyboard.press("k")
    page.get_by_role("button", name="Count-in").click()
    for label in ("vocals", "accompaniment"):
        state(page, f"engine.session.toggleMute('{label}')")
    # The count-in may be over before a recorder is ready that starts after it.
    recording = record(page, [MASTER], 4, begin=lambda: play(page))
    clicks = np.flatnonzero(np.abs(recording.signals[MASTER][0]) > 0.05)
    starts = clicks[np.diff(clicks, prepend=-RATE) > RATE // 10] + recording.at
    (at, _, frame), *_ = recording.pieces
    beats = np.array(track["grid"]["beats_s"]) * RATE - frame + at
    period = np.median(np.diff(beats))
    wanted = np.concatenate([beats[0] - period * np.arange(4, 0, -1), beats])
    assert len(starts) >= 5
    assert all(np.abs(wanted - start).min() < RATE / 200 for start in starts)
    assert sum(starts < at) >= 3


N_COLOURS = """
([canvas]) => {
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  const found = new Set();
  for (let i = 0; i < data.length; i += 4) {
    if (data[i + 3] > 200) found.add(data.slice(i, i + 3).join());
  }
  return found.size;
}
"""


def test_the_visualiser_shows_what_is_heard(page: Page, stack: Stack, finished_job: str) -> None:
    open_player(page, stack, finished_job, KNOWN)
    shown = page.get_by_role("region", name="Visualiser")
    expect(shown).to_be_hidden()
    page.get_by_role("button", name="Visualiser").click()
    canvas = shown.locator("canvas")
    expect(shown).to_be_visible()
    assert canvas.evaluate_all(N_COLOURS) == 0, "nothing sounds"
    play(page)
    wait_for(page, "engine.frame > 2 * engine.session.track.sampleRate")
    assert canvas.evaluate_all(N_COLOURS) > 2, "lanes in their colours"
    expect(shown.locator(".beats")).to_contain_text("●")
    expect(shown).to_contain_text(re.compile(r" in 0:\d\d"))
    page.emulate_media(reduced_motion="reduce")
    page.reload()
    expect(page.locator(".player")).to_be_visible()
    expect(page.get_by_role("button", name="Visualiser")).to_be_hidden()
    expect(shown).to_be_hidden()


def test_the_keys_do_what_the_help_says(page: Page, stack: Stack, finished_job: str) -> None:
    open_player(page, stack, finished_job, KNOWN)
    track: Any = stack.ask(f"/job/{finished_job}/tracks/{KNOWN}/player")
    bars = track["grid"]["downbeats_s"]
    seconds = f"{ENGINE}.frame / {RATE}"
    for key, place in [
        ("ArrowRight", 5.0),
        ("ArrowLeft", 0.0),
        ("Shift+ArrowRight", bars[1]),
        ("Shift+ArrowRight", bars[2]),
        ("Shift+ArrowLeft", bars[1]),
        ("End", track["duration_s"]),
        ("Home", 0.0),
    ]:
        page.keyboard.press(key)
        assert page.evaluate(seconds) == pytest.approx(place, abs=0.001), key
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("i")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("]")
    loop = state(page, "engine.session.mix.loop")
    assert loop["start_s"] == bars[1]
    assert loop["end_s"] in bars
    page.keyboard.press("l")
    assert state(page, "engine.session.mix.loop.is_on") is False
    page.keyboard.press("+")
    expect(page.locator(".overview .window")).to_be_visible()
    page.keyboard.press("0")
    expect(page.locator(".overview .window")).to_be_hidden()
    page.keyboard.press("v")
    expect(page.get_by_role("button", name="Bands")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("?")
    dialog = page.get_by_role("dialog", name="Keys of the player")
    expect(dialog).to_be_visible()
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    page.keyboard.press("Space")
    wait_for(page, "engine.isRunning")
    page.keyboard.press("Space")
    wait_for(page, "!engine.isRunning")


def test_a_toolbar_of_a_lane_is_one_tab_stop(page: Page, stack: Stack, finished_job: str) -> None:
    """Seven stops a lane made 49 for a song."""
    open_player(page, stack, finished_job, KNOWN)
    page.get_by_role("button", name="Mute Vocals").focus()
    page.keyboard.press("ArrowRight")
    expect(page.get_by_role("button", name="Solo Vocals")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Solo Vocals")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("ArrowDown")
    expect(page.get_by_role("button", name="Solo Accompaniment")).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Mute Original")).to_be_focused()


def test_the_mix_of_a_track_is_kept(page: Page, stack: Stack, finished_job: str) -> None:
    open_player(page, stack, finished_job, KNOWN)
    page.keyboard.press("2")
    set_mix(page, tempo=0.9)
    page.wait_for_function(
        "Object.values(localStorage).some((text) => text.includes('\"tempo\":0.9'))"
    )
    page.reload()
    expect(page.get_by_role("button", name="Mute Accompaniment")).to_have_attribute(
        "aria-pressed", "true"
    )
    expect(page.locator(".fact").first).to_have_text("111.6 BPM")
    page.get_by_role("button", name="Reset the mix").click()
    expect(page.locator(".fact").first).to_have_text("124.0 BPM")


def test_the_dock_plays_on_across_pages(page: Page, stack: Stack, finished_job: str) -> None:
    """Every change of the page stopped the sound and forgot the place."""
    open_player(page, stack, finished_job, KNOWN)
    dock = page.locator(".dock")
    expect(dock).to_be_hidden()
    whole_loop(page, 8)
    play(page)
    page.get_by_role("link", name="History").click()
    expect(page).to_have_url(re.compile("/history"))
    expect(dock).to_be_visible()
    expect(dock).to_contain_text("Harbour Lights")
    recording = record(page, [MASTER], 1)
    assert level(recording.signals[MASTER]) > 0.01
    assert state(page, "engine.state") == "playing"
    dock.get_by_role("button", name="Pause").click()
    wait_for(page, "engine.state === 'paused'")
    dock.get_by_role("button", name="Play").click()
    wait_for(page, "engine.state === 'playing'")
    dock.get_by_role("link").click()
    expect(page).to_have_url(re.compile(rf"/track\?job={finished_job}&track={KNOWN}"))
    expect(page.locator(".player")).to_be_visible()
    expect(dock).to_be_hidden()
    assert state(page, "engine.isRunning") is True
    expect(page.get_by_role("button", name="Pause")).to_be_visible()


@pytest.fixture
def phone(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    context.set_default_timeout(PAGE_TIMEOUT_MS)
    yield context.new_page()
    context.close()


def test_a_phone_plays_by_touch(phone: Page, stack: Stack, finished_job: str) -> None:
    open_player(phone, stack, finished_job, KNOWN)
    wave = phone.locator(".wave").first
    box = wave.bounding_box()
    assert box is not None
    assert box["width"] > 300
    wave.tap(position={"x": box["width"] / 2, "y": 20})
    wait_for(phone, "engine.frame > 0.45 * engine.session.track.frames")
    phone.get_by_role("button", name="Play", exact=True).tap()
    wait_for(phone, "engine.state === 'playing'")
