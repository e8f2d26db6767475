"""What holds for the whole API: its description, its documents, its headers, its imports."""

import re
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from api import problems
from core import errors
from stemcrate.schemas.options import ProcessingOptions
from tests.integration.api.apps import open_client

DOCUMENT = Path("docs/api.md").read_text(encoding="utf-8")
ORIGIN = "http://localhost:8501"


def all_errors(cls: Any = errors.StemcrateError) -> list[Any]:
    return [cls, *(found for sub in cls.__subclasses__() for found in all_errors(sub))]


OUR_ERRORS = [cls for cls in all_errors() if cls.__module__ == "core.errors"][1:]


@pytest.mark.parametrize("cls", OUR_ERRORS, ids=lambda cls: cls.code)
def test_every_error_is_in_the_documents_with_its_status(cls: Any) -> None:
    assert f"| `{cls.code}` | {problems.status_of(cls)} |" in DOCUMENT


def test_every_code_of_a_malformed_request_is_in_the_documents() -> None:
    for status, code in problems.CODE_OF.items():
        assert f"`{code}` ({status}" in DOCUMENT or f"`{code}` | {status} |" in DOCUMENT


def test_every_route_is_in_the_documents(shared: Any) -> None:
    for path, methods in shared.get("/openapi.json").json()["paths"].items():
        for method in methods:
            assert f"### `{method.upper()} {path}`" in DOCUMENT


def test_the_description_names_operations_options_and_problems(shared: Any) -> None:
    description = shared.get("/openapi.json").json()
    operations = {
        operation["operationId"]
        for methods in description["paths"].values()
        for operation in methods.values()
    }
    assert operations == {
        "get_health",
        "get_config",
        "get_system",
        "check_alive",
        "check_ready",
        "get_metrics",
        "submit_job",
        "list_jobs",
        "get_job",
        "get_manifest",
        "list_outputs",
        "stream_job_events",
        "cancel_job",
        "retry_job",
        "delete_job",
        "create_webhook",
        "list_webhooks",
        "get_webhook",
        "delete_webhook",
        "rotate_webhook",
        "list_deliveries",
        "replay_delivery",
        "create_batch",
        "list_batches",
        "get_batch",
        "list_batch_jobs",
        "get_batch_manifest",
        "cancel_batch",
        "delete_batch",
        "download_artefact",
        "download_zip",
        "list_tracks",
        "add_tracks",
        "create_upload",
        "get_upload",
        "append_upload",
        "delete_upload",
        "create_render",
        "get_render",
        "delete_render",
        "download_render",
        "fetch_weights",
        "get_weights_fetch",
        "cancel_weights_fetch",
        "add_job_tracks",
        "get_map",
        "list_collections",
        "create_collection",
        "get_collection",
        "change_collection",
        "delete_collection",
        "list_folders",
        "create_import",
        "list_imports",
        "get_import",
        "cancel_import",
        "get_decks",
        "stream_decks",
        "create_ingest",
        "list_ingests",
        "get_ingest",
        "get_ingest_manifest",
        "create_transfer",
        "list_transfers",
        "get_transfer",
        "cancel_transfer",
        "cancel_ingest",
        "create_enrichment",
        "list_enrichments",
        "get_enrichment",
        "cancel_enrichment",
        "get_track",
        "correct_track",
        "undo_correction",
        "remove_track",
        "get_player",
        "get_segment",
        "get_waveform",
        "get_spectrogram",
        "get_stream",
        "get_lane_stream",
        "get_track_player",
        "get_track_segment",
        "get_track_waveform",
        "get_track_spectrogram",
        "get_cover",
        "get_thumbnail",
        "list_similar",
        "list_compatible",
        "list_duplicates",
        "create_playlist",
        "list_playlists",
        "get_playlist",
        "rename_playlist",
        "reorder_playlist",
        "delete_playlist",
        "export_playlist",
    }
    submit = description["paths"]["/process"]["post"]
    body = submit["requestBody"]["content"]["multipart/form-data"]["schema"]
    sources = {"file", "upload_ids", "from_job", "from_library", "webhook_id"}
    assert set(body["properties"]) == sources | set(ProcessingOptions.model_fields)
    assert all(
        schema["type"] in ("string", "number", "integer", "boolean", "array")
        for schema in body["properties"].values()
    )
    too_large = submit["responses"]["413"]["content"]["application/problem+json"]["schema"]
    assert too_large == {"$ref": "#/components/schemas/Problem"}
    assert {"Problem", "ProblemItem"} <= set(description["components"]["schemas"])
    progress = description["components"]["schemas"]["ProgressEvent"]["properties"]
    assert set(progress) == {"at", "job", "kind", "stage", "track_index", "fraction", "eta_s"}
    text = str(description)
    for name in text.split("#/components/schemas/")[1:]:
        assert name.split("'")[0] in description["components"]["schemas"]


def test_config_tells_models_options_and_limits(shared: Any) -> None:
    config = shared.get("/config").json()
    spleeter = next(m for m in config["models"] if m["name"] == "spleeter")
    assert spleeter["available"] is True
    assert config["model"]["configured"] == config["model"]["resolved"] == "spleeter"
    assert set(config["defaults"]) == set(ProcessingOptions.model_fields)
    assert config["defaults"]["model"] == "spleeter"
    assert "flac" in config["formats"]
    assert "32f" in config["bit_depths"]
    assert "tempo" in config["stages"]
    assert {"instrumental", "acapella"} <= {r["name"] for r in config["recipes"]}
    assert config["limits"]["max_upload_bytes"] == 500_000_000


def test_health_without_a_worker(shared: Any) -> None:
    health = shared.get("/health")
    assert health.status_code == 200
    body = health.json()
    assert (body["status"], body["database"], body["workers"]) == ("no_workers", True, 0)
    assert body["version"]


def test_health_without_a_database(client: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client.app.state.services.queue.__class__, "is_healthy", lambda _: False)
    health = client.get("/health")
    assert (health.status_code, health.json()["status"]) == (503, "no_database")


@pytest.mark.parametrize(
    ("method", "path", "status", "code", "allow"),
    [
        ("GET", "/nowhere", 404, "not_found", None),
        ("PUT", "/process", 405, "method_not_allowed", "POST"),
        ("POST", "/job/x", 405, "method_not_allowed", "DELETE, GET, HEAD"),
        ("PATCH", "/download/x/a/b", 405, "method_not_allowed", "GET, HEAD"),
    ],
)
def test_unknown_paths_and_methods_are_problems(
    shared: Any, method: str, path: str, status: int, code: str, allow: str | None
) -> None:
    """`Allow` named the methods of the first route of a path alone."""
    answer = shared.request(method, path)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == code
    assert answer.json()["instance"] == path
    assert answer.headers.get("allow") == allow


@pytest.mark.slow
def test_head_is_answered_wherever_get_is(shared: Any, finished: Any) -> None:
    """Monitors and caches ask with HEAD; most paths said that they have no such method."""
    values = {"{id}": finished["job_id"], "{track}": "Stemcrate set.m3u8", "{format}": "m3u8"}
    n_found = 0
    for path, methods in shared.get("/openapi.json").json()["paths"].items():
        if "get" not in methods:
            continue
        for name, value in values.items():
            path = path.replace(name, value)
        got, asked = shared.get(path), shared.head(path)
        n_found += got.status_code == 200
        assert asked.status_code == got.status_code, path
        assert asked.content == b""
        for name in ("content-type", "content-length", "etag", "cache-control"):
            if (path, name) == ("/metrics", "content-length"):
                continue  # it counts these requests, too
            assert asked.headers.get(name) == got.headers.get(name), (path, name)
    assert n_found >= 8
    assert shared.head("/process").status_code == 405


def test_a_defect_tells_the_client_nothing_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError("a secret of the server")

    with open_client(tmp_path, cors_origins=ORIGIN) as client:
        monkeypatch.setattr("core.artifacts.store.JobStore.load", fail)
        answer = client.get("/job/x", headers={"Origin": ORIGIN})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal_error")
    assert "secret" not in answer.text
    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert answer.headers["x-request-id"] in caplog.text
    assert "a secret of the server" in caplog.text


@pytest.mark.parametrize(
    ("given", "is_kept"), [("trace-1.a_b", True), ("x" * 65, False), ("a b", False)]
)
def test_every_answer_has_a_request_id_and_forbids_sniffing(
    shared: Any, given: str, is_kept: bool
) -> None:
    for path in ("/health", "/nowhere", "/job/x"):
        answer = shared.get(path, headers={"X-Request-ID": given})
        assert (answer.headers["x-request-id"] == given) is is_kept
        assert answer.headers["x-request-id"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_only_origins_of_the_settings_may_read(tmp_path: Path) -> None:
    with open_client(tmp_path, cors_origins="http://workbench.test") as client:
        ours = client.get("/health", headers={"Origin": "http://workbench.test"})
        assert ours.headers["access-control-allow-origin"] == "http://workbench.test"
        exposed = ours.headers["access-control-expose-headers"]
        assert {"Location", "ETag", "Content-Range"} <= set(exposed.split(", "))
        other = client.get("/health", headers={"Origin": "http://evil.test"})
        assert "access-control-allow-origin" not in other.headers
        preflight = {"Origin": "http://workbench.test", "Access-Control-Request-Method": "DELETE"}
        assert client.options("/job/x", headers=preflight).status_code == 200


@pytest.mark.slow
def test_the_api_process_never_loads_models_or_analysis(tmp_path: Path) -> None:
    script = """
import sys
import uuid
from pathlib import Path
from fastapi.testclient import TestClient
from api.main import create_app
from config import Settings

app = create_app(Settings(_env_file=None, data_dir=Path(sys.argv[1])))
with TestClient(app, base_url="http://localhost") as client:
    assert client.get("/config").status_code == 200
    assert client.get("/health").status_code == 200
    files = {"file": ("a.wav", b"not audio")}
    assert client.post("/process", files=files).status_code == 422
heavy = {"torch", "demucs", "librosa", "numba", "sklearn", "streamlit"} & set(sys.modules)
sys.exit(f"loaded: {sorted(heavy)}" if heavy else 0)
"""
    command = [sys.executable, "-c", script, str(tmp_path)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


@pytest.mark.parametrize("path", ["/process", f"/job/{uuid.UUID(int=0)}/cancel"])
def test_a_foreign_page_may_not_change_anything(client: Any, path: Any) -> None:
    """A form on any web page reaches an API on localhost without a preflight."""
    answer = client.post(path, headers={"Origin": "http://evil.test"}, files={"file": b"x"})
    assert answer.status_code == 403
    assert answer.json()["code"] == "forbidden_origin"
    assert client.get("/jobs", headers={"Origin": "http://evil.test"}).status_code == 200


@pytest.mark.parametrize(
    ("site", "status"),
    [("cross-site", 403), ("same-origin", 404), ("same-site", 404), ("none", 404)],
)
def test_a_foreign_page_without_an_origin_may_not_either(
    client: Any, site: str, status: int
) -> None:
    """Privacy settings can leave `Origin` out; `Sec-Fetch-Site` no page can change."""
    headers = {"Sec-Fetch-Site": site}
    path = f"/job/{uuid.UUID(int=0)}"
    assert client.post(f"{path}/cancel", headers=headers).status_code == status
    assert client.delete(path, headers=headers).status_code == status
    assert client.get("/jobs", headers=headers).status_code == 200


@pytest.mark.parametrize("origin", ["http://testserver", ORIGIN])
def test_our_own_pages_and_those_of_the_settings_may(tmp_path: Path, origin: str) -> None:
    with open_client(tmp_path, cors_origins=ORIGIN) as client:
        answer = client.post(f"/job/{uuid.UUID(int=0)}/cancel", headers={"Origin": origin})
    assert answer.status_code == 404


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_name_that_is_not_ours_is_refused(shared: Any, method: str) -> None:
    """A web site whose name was made to lead here would be of one origin with the API."""
    headers = {"Host": "evil.test:8000", "Origin": "http://evil.test:8000"}
    answer = shared.request(method, "/jobs", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (421, "unknown_host")
    assert "evil.test" in answer.json()["detail"]
    assert answer.headers["x-request-id"]


@pytest.mark.parametrize(
    ("host", "changes"),
    [
        ("api.lan:8000", {"allowed_hosts": "nas.lan, API.lan"}),
        ("stems.example.org", {"cors_origins": "https://Stems.example.org"}),
        ("anything.test", {"allowed_hosts": "*"}),
        ("10.0.0.7:8000", {}),
    ],
)
def test_names_of_the_settings_and_addresses_are_answered(
    tmp_path: Path, host: str, changes: dict[str, Any]
) -> None:
    with open_client(tmp_path, **changes) as client:
        assert client.get("/health", headers={"Host": host}).status_code == 200


@pytest.mark.parametrize("page", ["/docs", "/redoc"])
def test_the_pages_of_documentation_load_nothing_from_elsewhere(shared: Any, page: str) -> None:
    """Scripts of another server ran in the origin of the API, and offline the pages were blank."""
    answer = shared.get(page)
    assert answer.status_code == 200
    assert "://" not in answer.text
    policy = answer.headers["content-security-policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    loaded = re.findall(r'(?:src|href)="(docs/[^"]+)"', answer.text)
    assert len(loaded) >= 2
    for path in loaded:
        asset = shared.get(f"/{path}")
        assert asset.status_code == 200
        assert asset.headers["content-type"].startswith(("text/javascript", "text/css"))
    assert shared.get("/docs/favicon.png").status_code == 404


@pytest.mark.parametrize(
    ("method", "path", "statuses"),
    [
        ("post", "/library/tracks", {"200", "202"}),
        ("post", "/playlists", {"201", "422"}),
    ],
)
def test_the_description_has_every_success(
    shared: Any, method: str, path: str, statuses: set[str]
) -> None:
    responses = shared.get("/openapi.json").json()["paths"][path][method]["responses"]
    assert statuses <= set(responses)
    assert all(responses[status]["content"] for status in statuses)


def test_the_description_names_the_types_of_exports(shared: Any) -> None:
    export = shared.get("/openapi.json").json()["paths"]["/playlists/{id}/export/{format}"]["get"]
    types = set(export["responses"]["200"]["content"])
    assert {"application/vnd.apple.mpegurl", "application/zip", "application/xml"} <= types


@pytest.mark.parametrize("path", ["/jobs", "/playlists", "/library/tracks"])
def test_the_description_says_that_empty_text_is_refused(shared: Any, path: str) -> None:
    """Clients made from the description sent an empty cursor, and were refused."""
    parameters = shared.get("/openapi.json").json()["paths"][path]["get"]["parameters"]
    (cursor,) = (p for p in parameters if p["name"] == "cursor")
    assert cursor["schema"]["anyOf"][0]["minLength"] == 1
    assert shared.get(path, params={"cursor": ""}).status_code == 422


@pytest.mark.parametrize(
    "wishes",
    [
        {"duration_s": 5e-324},
        {"duration_s": 0.5},
        {"artist_gap": False},
        {"n_tracks": True},
        {"max_pitch_percent": True},
    ],
)
def test_wishes_that_are_no_sensible_numbers_are_refused(
    shared: Any, wishes: dict[str, Any]
) -> None:
    """The smallest float divided to infinity: no plan was better than another, and 500."""
    answer = shared.post("/playlists", json={"name": "x", **wishes})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"].endswith(next(iter(wishes)))


def test_the_data_folder_opens_to_its_owner_alone(tmp_path: Path) -> None:
    """Every user of the machine could read uploads, results and the database."""
    existing = tmp_path / "existing"
    existing.mkdir(mode=0o755)
    for folder, mode in ((tmp_path / "new", 0o700), (existing, 0o755)):
        with open_client(folder) as client:
            assert client.get("/health").status_code == 200
        assert folder.stat().st_mode & 0o777 == mode
