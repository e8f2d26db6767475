"""AcoustID, which a local server stands in for: what is sent, proposed, refused and waited for."""

import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import numpy as np
import pytest

from core.enrichment import acoustid
from core.enrichment.acoustid import AcoustidEnricher
from core.enrichment.enricher import EnrichedTrack
from core.enrichment.settings import EnricherSettings
from core.errors import (
    AddressForbidden,
    InvalidOption,
    ModelUnavailable,
    SourceNotFound,
    SourceUnavailable,
)
from core.library.identity.fingerprint import Algorithm, Fingerprint
from stemcrate.schemas.facts import TrackFacts

HASHES = np.random.default_rng(1).integers(0, 2**32, 900, dtype=np.uint32)
FOUND = {
    "status": "ok",
    "results": [
        {"id": "x", "score": 0.6, "recordings": [{"id": "rec-2", "title": "Blue (live)"}]},
        {
            "id": "y",
            "score": 0.98,
            "recordings": [
                {"id": "rec-0"},
                {
                    "id": "rec-1",
                    "title": "Blue",
                    "artists": [
                        {"id": "a", "name": "Nina", "joinphrase": " & "},
                        {"id": "b", "name": "Tom"},
                    ],
                    "releasegroups": [{"id": "g", "title": "Songs"}],
                },
            ],
        },
    ],
}


class Service:
    """What the server answers, and what it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.answer: Any = FOUND
        self.sent: list[dict[str, list[str]]] = []
        self.url = ""


@pytest.fixture
def service() -> Iterator[Service]:
    service = Service()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            service.sent.append(parse_qs(body.decode()))
            data = json.dumps(service.answer).encode()
            self.send_response(service.status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        service.url = f"http://127.0.0.1:{server.server_port}/v2/lookup"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield service
        server.shutdown()
        thread.join()


def enricher(service: Service, **changes: Any) -> AcoustidEnricher:
    settings = {"acoustid_key": "key", "outgoing_allowed": ("127.0.0.1",), **changes}
    return AcoustidEnricher(EnricherSettings(acoustid_url=service.url, **settings))


def track(hashes: Any = HASHES, algorithm: Algorithm = Algorithm.CHROMAPRINT) -> EnrichedTrack:
    prints = Fingerprint(algorithm, hashes)
    return EnrichedTrack("0" * 64, "a.wav", None, TrackFacts(duration_s=120.4), prints)


@pytest.fixture
def chromaprint() -> Any:
    return pytest.importorskip("chromaprint", reason="needs the C library", exc_type=ImportError)


def test_recordings_are_proposed_best_first(service: Service, chromaprint: Any) -> None:
    found = enricher(service).enrich(track()).proposals
    assert [proposal.recording_id for proposal in found] == ["rec-1", "rec-0", "rec-2"]
    best = found[0]
    assert (best.artist, best.title, best.album) == ("Nina & Tom", "Blue", "Songs")
    assert (best.artist_ids, best.release_group_id, best.score) == (["a", "b"], "g", 0.98)
    (sent,) = service.sent
    assert (sent["client"], sent["duration"]) == (["key"], ["120"])
    decoded, version = chromaprint.decode_fingerprint(sent["fingerprint"][0].encode())
    np.testing.assert_array_equal(np.array(decoded, dtype=np.int64).astype(np.uint32), HASHES)
    assert version == 1


def test_requests_keep_to_the_rate(
    service: Service, chromaprint: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More than three a second, and AcoustID blocks the installation."""
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", slept.append)
    one = enricher(service)
    one.enrich(track())
    monkeypatch.setattr(time, "monotonic", lambda at=one._next_at: at - 0.2)
    one._keep_to_the_rate()
    assert slept == [0.0, pytest.approx(0.2)]
    assert acoustid.PAUSE_S >= 1 / 3


@pytest.mark.parametrize(
    ("status", "answer", "error"),
    [
        (503, {}, SourceUnavailable),
        (429, {}, SourceUnavailable),
        (200, {"status": "ok", "results": 7}, SourceUnavailable),
        (400, {"status": "error", "error": {"code": 14, "message": "slow"}}, SourceUnavailable),
        (
            400,
            {"status": "error", "error": {"code": 4, "message": "invalid API key"}},
            InvalidOption,
        ),
        (400, {"status": "error", "error": {"code": 3, "message": "bad print"}}, SourceNotFound),
    ],
)
def test_what_the_service_says_is_told(
    service: Service, chromaprint: Any, status: int, answer: Any, error: type[Exception]
) -> None:
    service.status, service.answer = status, answer
    with pytest.raises(error):
        enricher(service).enrich(track())


def test_nothing_is_sent_without_key_or_fingerprint(service: Service) -> None:
    with pytest.raises(InvalidOption, match="needs a key"):
        enricher(service, acoustid_key="").enrich(track())
    with pytest.raises(ModelUnavailable, match="no fingerprint of Chromaprint"):
        enricher(service).enrich(track(algorithm=Algorithm.BANDS))
    assert enricher(service).enrich(track(HASHES[:0])).proposals == ()
    assert service.sent == []


def test_the_service_is_called_as_the_guard_permits(service: Service, chromaprint: Any) -> None:
    with pytest.raises(AddressForbidden):
        enricher(service, outgoing_allowed=()).enrich(track())
    assert service.sent == []
