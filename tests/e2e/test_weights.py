"""The four-stem model, fetched by a click on the page Separate, from a hub on this machine."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from bench.processes import held_ports
from tests.conditions import PATIENCE_S, wait_until
from tests.e2e.conftest import Stack, serve
from tests.file_server import FileServer
from tests.models import write_tiny_htdemucs
from tests.programs import requires

pytestmark = requires("chromium")
OFFER = "Get the four-stem model"


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FileServer]:
    folder = tmp_path_factory.mktemp("hub")
    published = write_tiny_htdemucs(folder, layout="hub") / "htdemucs"
    with FileServer(published, prefix="/adefossez/HTDemucs/resolve/main/") as server:
        yield server


@pytest.fixture(scope="module")
def first_run(hub: FileServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """An installation with Spleeter alone, whose hub is the one on this machine."""
    folder = tmp_path_factory.mktemp("first-run")
    with ExitStack() as stack:
        environment = stack.enter_context(pytest.MonkeyPatch.context())
        environment.setenv("HF_ENDPOINT", hub.address)
        environment.setenv("MODEL_DIR", str(folder / "models"))
        for name in ("http_proxy", "https_proxy", "all_proxy"):
            environment.delenv(name, raising=False)
            environment.delenv(name.upper(), raising=False)
        ports = stack.enter_context(held_ports(2))
        yield stack.enter_context(serve(folder, ports))


def available(stack: Stack) -> set[str]:
    models = stack.ask("/config")["models"]
    assert isinstance(models, list)
    return {model["name"] for model in models if model["available"]}


def test_four_stems_are_fetched_by_a_click(
    page: Page, first_run: Stack, hub: FileServer, tmp_path: Path
) -> None:
    """Shown while it runs, stopped by a click, and usable without a restart or a reload."""
    (weights,) = hub.folder.glob("*.safetensors")
    hub.break_after, hub.stall = weights.stat().st_size // 2, True
    page.goto(first_run.page())
    offer = page.get_by_role("button", name=OFFER)
    offer.click()
    assert hub.stalled.wait(PATIENCE_S)
    expect(page.get_by_text("Fetching htdemucs: ")).to_be_visible()
    page.screenshot(path=tmp_path / "fetching.png")
    page.get_by_role("button", name="Cancel").click()
    expect(offer).to_be_visible()
    assert "htdemucs" not in available(first_run)

    hub.break_after, hub.stall = None, False
    offer.click()
    wait_until(lambda: "htdemucs" in available(first_run))
    expect(offer).to_be_hidden()
    page.get_by_text("Models", exact=True).click()
    row = page.get_by_role("row", name="htdemucs Drums, Bass, Other, Vocals")
    expect(row.get_by_role("cell", name="Ready")).to_be_visible()
