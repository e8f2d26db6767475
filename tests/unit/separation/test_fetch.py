"""Fetching, from a server on this machine that answers as the Hugging Face hub does."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from core.errors import ModelUnavailable, UnknownModel
from core.separation.factory import SeparatorFactory
from tests.models import write_tiny_htdemucs
from tests.unit.separation.measure import make_store


@pytest.fixture
def hub(tmp_path):
    """Serve a tiny htdemucs as ``adefossez/HTDemucs``; gives the address."""
    published = write_tiny_htdemucs(tmp_path / "published", layout="hub") / "htdemucs"

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self):
            self._answer(with_body=False)

        def do_GET(self):
            self._answer(with_body=True)

        def _answer(self, *, with_body):
            prefix = "/adefossez/HTDemucs/resolve/main/"
            file = published / self.path.removeprefix(prefix)
            if not self.path.startswith(prefix) or not file.is_file():
                self.send_response(404)
                self.send_header("X-Error-Code", "RepoNotFound")
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            content = file.read_bytes()
            self.send_response(200)
            self.send_header("X-Repo-Commit", "0" * 40)
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if with_body:
                self.wfile.write(content)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def test_fetch_into_model_dir(tmp_path, hub):
    store, seen = make_store(tmp_path, endpoint=hub), []
    assert store.resolve_auto()[0] == "spleeter"
    folder = store.fetch("htdemucs", seen.append)
    assert folder == tmp_path / "models" / "htdemucs"
    assert seen == sorted(seen)
    assert seen[-1] == 1.0
    assert store.resolve_auto()[0] == "htdemucs"
    model = SeparatorFactory.create("htdemucs", device="cpu", model_dir=tmp_path / "models")
    assert len(model.stems) == 4


def test_fetch_into_the_hubs_cache(tmp_path, hub):
    store = make_store(tmp_path, endpoint=hub)
    store._model_dir = None
    folder = store.fetch("htdemucs")
    assert folder.is_relative_to(tmp_path / "hub")
    location = store.require("htdemucs")
    assert location.place == "hub_cache"
    assert len(location.checksums[0]) == 64
    location.verify()


def test_what_is_there_is_not_fetched_again(tmp_path):
    write_tiny_htdemucs(tmp_path / "models")
    nowhere = make_store(tmp_path, endpoint="http://127.0.0.1:9")
    assert nowhere.fetch("htdemucs") == tmp_path / "models"
    assert nowhere.fetch("spleeter").name == "2stems"


@pytest.mark.parametrize("name", ["htdemucs", "mdx_extra"])
def test_without_a_network_or_without_the_files(tmp_path, hub, name, monkeypatch):
    if name == "htdemucs":  # The hub's own switch; a refused connection is tried again for 20 s.
        monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelUnavailable) as caught:
        make_store(tmp_path, endpoint=hub).fetch(name)
    assert f"stemcrate models fetch {name}" in caught.value.hint
    assert "MODEL_DIR" in caught.value.hint
    assert str(tmp_path) not in str(caught.value)


def test_unknown_models_are_not_asked_for(tmp_path):
    with pytest.raises(UnknownModel):
        make_store(tmp_path).fetch("someone/else")
