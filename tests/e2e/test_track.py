"""The Track page beside the player: what is exported."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Stack, added_file, pick, settle
from tests.e2e.listening import Signal
from tests.e2e.playing import DEBUG, KNOWN, open_player, play, state, wait_for
from tests.programs import requires
from tests.signals import make_song

pytestmark = requires("chromium")

NULL_DB = -60


def read_stems(stack: Stack, job: str, index: int, folder: Path) -> tuple[dict[str, Signal], int]:
    """Return the stems of a track as they were delivered, ``(2, n)`` each, and their rate."""
    outputs: Any = stack.ask(f"/job/{job}/outputs")
    stems, rate = {}, 0
    for file in outputs["artefacts"]:
        if file["role"] == "stem" and file["track_index"] == index:
            path = folder / f"{file['label']}.wav"
            path.write_bytes(stack.read(file["url"]))
            samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
            stems[file["label"]] = samples.T
    return stems, rate


def download_export(page: Page, folder: Path, file_format: str = "wav") -> tuple[Signal, int]:
    """Click the link to the finished export, and read what is saved."""
    link = page.get_by_role("link", name=re.compile(rf"Download .*\.{file_format}"))
    expect(link).to_be_visible()
    with page.expect_download() as download:
        link.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    return samples.T, rate


def level_db(signal: Signal) -> float:
    return float(20 * np.log10(max(np.sqrt(np.mean(np.square(signal, dtype=np.float64))), 1e-9)))


def test_the_exported_loop_is_what_the_faders_say(
    page: Page, stack: Stack, finished_job: str, tmp_path: Path
) -> None:
    """A mix could be heard and not taken away."""
    stems, rate = read_stems(stack, finished_job, KNOWN, tmp_path)
    open_player(page, stack, finished_job, KNOWN)
    page.get_by_text("Export this mix").click()
    state(page, "engine.session.changeLane('vocals', (lane) => (lane.gain_db = -6))")
    state(page, "engine.session.changeLane('accompaniment', (lane) => (lane.gain_db = -1.5))")
    loop = "(mix.loop = { start_s: 2.5, end_s: 6.25, is_on: true })"
    state(page, f"engine.session.change((mix) => {loop})")
    expect(page.get_by_text("Vocals −6.0 dB · Accompaniment −1.5 dB · 0:02 – 0:06")).to_be_visible()
    page.get_by_role("button", name="Export", exact=True).click()
    heard, heard_rate = download_export(page, tmp_path)
    where = slice(round(2.5 * rate), round(6.25 * rate))
    wanted = stems["vocals"][:, where] * 10 ** (-6 / 20)
    wanted = wanted + stems["accompaniment"][:, where] * 10 ** (-1.5 / 20)
    assert heard_rate == rate
    assert heard.shape == wanted.shape
    assert level_db(wanted) > -40
    assert level_db(heard - wanted) - level_db(wanted) < NULL_DB


@pytest.mark.parametrize("file_format", ["wav", "flac"])
def test_a_muted_lane_is_not_in_the_file(
    page: Page, stack: Stack, finished_job: str, tmp_path: Path, file_format: str
) -> None:
    stems, _ = read_stems(stack, finished_job, KNOWN, tmp_path)
    open_player(page, stack, finished_job, KNOWN)
    page.get_by_text("Export this mix").click()
    if file_format != "wav":
        pick(page, "Format", "FLAC")
    page.keyboard.press("Escape")
    page.locator(".player").get_by_role("button", name="Mute Vocals").click()
    # A click right after a change is meant for the mix as it is heard.
    page.get_by_role("button", name="Export", exact=True).click()
    heard, _ = download_export(page, tmp_path, file_format)
    wanted = stems["accompaniment"]
    assert heard.shape == wanted.shape
    assert level_db(heard - wanted) - level_db(wanted) < NULL_DB


def test_a_mix_without_sound_is_not_exported(page: Page, stack: Stack, finished_job: str) -> None:
    open_player(page, stack, finished_job, KNOWN)
    page.get_by_text("Export this mix").click()
    page.locator(".player").get_by_role("button", name="Mute Vocals").click()
    page.locator(".player").get_by_role("button", name="Mute Accompaniment").click()
    expect(page.get_by_text("No lane sounds")).to_be_visible()
    expect(page.get_by_role("button", name="Export", exact=True)).to_be_disabled()
    page.reload()  # the browser keeps the mix, and tells it anew
    page.get_by_text("Export this mix").click()
    expect(page.get_by_text("No lane sounds")).to_be_visible()


def test_an_export_can_be_cancelled(page: Page, stack: Stack, finished_job: str) -> None:
    open_player(page, stack, finished_job, KNOWN)
    page.get_by_text("Export this mix").click()
    state(page, "engine.session.change((mix) => (mix.pitch_semitones = -3))")
    expect(page.get_by_text("pitch −3 semitones")).to_be_visible()
    with stack.held_worker():
        page.get_by_role("button", name="Export", exact=True).click()
        expect(page.get_by_text("Waiting for a worker")).to_be_visible()
        page.get_by_role("button", name="Cancel", exact=True).click()
        expect(page.get_by_text("Waiting for a worker")).to_be_hidden()
    expect(page.get_by_role("link", name=re.compile("Download .*mix"))).to_have_count(0)


def test_a_file_of_the_library_is_played_corrected_and_separated(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    """A track without a job could not be opened at all."""
    path = tmp_path / "Nobody - Unheard.wav"
    soundfile.write(path, make_song(8.0, 44_100, seed=77).T, 44_100, subtype="PCM_16")
    with added_file(stack, path) as track_id:
        page.add_init_script(DEBUG)
        page.goto(stack.page("/library"))
        page.get_by_role("searchbox").fill("unheard")
        expect(page.locator(".space .row:not(.waiting)")).to_have_count(1)
        page.get_by_role("grid").focus()
        page.keyboard.press("Enter")
        expect(page).to_have_url(re.compile(rf"/track\?id={track_id}"))
        expect(page.get_by_role("heading", name="Nobody – Unheard")).to_be_visible()
        expect(page.locator(".player")).to_be_visible()
        expect(page.get_by_role("button", name="Original", exact=True)).to_have_count(0)
        play(page)
        page.get_by_text("Correct", exact=True).click()
        panel = page.get_by_role("region", name="Corrections")
        panel.get_by_role("textbox", name="Title").fill("Heard")
        panel.get_by_role("textbox", name="Title").press("Enter")
        expect(page.get_by_role("heading", name="Nobody – Heard")).to_be_visible()
        wait_for(page, "engine.state === 'playing'")
        page.get_by_text("Goes with").click()
        page.get_by_role("link", name="History").click()
        dock = page.get_by_role("region", name="Player")
        dock.get_by_role("link", name="Heard").click()
        expect(page).to_have_url(re.compile(rf"/track\?id={track_id}"))
        expect(page.locator(".player")).to_be_visible()
        wait_for(page, "engine.state === 'playing'")
        page.get_by_role("button", name="Separate", exact=True).click()
        expect(page.get_by_text("From the library: Nobody – Heard")).to_be_visible()
        settle(page)
        page.get_by_role("button", name="Separate 1 track").click()
        expect(page).to_have_url(re.compile(r"/separate\?job=|/\?job="))
        job_id = re.findall(r"job=([^&]+)", page.url)[0]
        job: Any = stack.ask(f"/job/{job_id}")
        assert [track["id"] for track in job["tracks"]] == [track_id]


def test_a_file_that_is_gone_is_said_and_its_track_still_corrected(
    page: Page, stack: Stack, tmp_path: Path
) -> None:
    path = tmp_path / "Gone.wav"
    soundfile.write(path, make_song(2.0, 44_100, seed=78).T, 44_100, subtype="PCM_16")
    with added_file(stack, path) as track_id:
        path.unlink()
        page.goto(stack.page(f"/track?id={track_id}"))
        expect(page.get_by_text("moved or deleted")).to_be_visible()
        expect(page.get_by_role("button", name="Separate", exact=True)).to_be_disabled()
        page.get_by_text("Correct", exact=True).click()
        panel = page.get_by_role("region", name="Corrections")
        panel.get_by_role("textbox", name="Title").fill("Lost")
        panel.get_by_role("textbox", name="Title").press("Enter")
        expect(page.get_by_role("heading", name="Lost")).to_be_visible()
        panel.get_by_role("button", name="Cue here").click()
        expect(panel.get_by_role("button", name="Delete Cue 1")).to_be_visible()
