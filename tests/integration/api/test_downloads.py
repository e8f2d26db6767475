"""Artefacts by name and range, and the ZIP."""

import hashlib
import http.client
import io
import zipfile
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from core.artifacts.store import JobStore
from stemcrate.schemas.manifest import Artefact, JobState
from tests.conditions import wait_until
from tests.integration.api.apps import open_client, serve, submit


@pytest.fixture(scope="module")
def outputs(shared: Any, finished: Any) -> Any:
    return shared.get(finished["links"]["outputs"]).json()["artefacts"]


@pytest.fixture(scope="module")
def stem(outputs: Any) -> Any:
    return next(a for a in outputs if a["role"] == "stem")


@pytest.mark.slow
def test_an_artefact_is_served_whole_and_says_what_it_is(shared: Any, stem: Any) -> None:
    answer = shared.get(stem["url"])
    assert hashlib.sha256(answer.content).hexdigest() == stem["sha256"]
    assert answer.headers["etag"] == f'"{stem["sha256"]}"'
    assert answer.headers["repr-digest"].startswith("sha-256=:")
    assert answer.headers["content-type"] == "audio/wav"
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["x-content-type-options"] == "nosniff"
    file_name = quote(stem["name"].rpartition("/")[2], safe="")
    assert answer.headers["content-disposition"].startswith("attachment; ")
    assert f"filename*=UTF-8''{file_name}" in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-99", slice(0, 100)),
        ("bytes=100-", slice(100, None)),
        ("bytes=-7", slice(-7, None)),
    ],
)
def test_a_range_is_that_part_of_the_whole(shared: Any, stem: Any, header: Any, part: Any) -> None:
    whole = shared.get(stem["url"]).content
    answer = shared.get(stem["url"], headers={"Range": header})
    assert answer.status_code == 206
    assert answer.content == whole[part]
    start = range(len(whole))[part].start
    expected = f"bytes {start}-{start + len(answer.content) - 1}/{len(whole)}"
    assert answer.headers["content-range"] == expected
    assert answer.headers["etag"] == f'"{stem["sha256"]}"'


def test_a_range_beyond_the_end_is_a_problem_that_tells_the_length(shared: Any, stem: Any) -> None:
    answer = shared.get(stem["url"], headers={"Range": f"bytes={stem['bytes']}-"})
    assert (answer.status_code, answer.json()["code"]) == (416, "range_not_satisfiable")
    assert answer.headers["content-range"] == f"bytes */{stem['bytes']}"


@pytest.mark.parametrize(
    "header",
    ["bytes=abc", "bytes=5-2", "bytes=", "bytes", "bytes=-", "bytes=+1-2", "bytes=0-9,x", "s=0-9"],
)
def test_a_malformed_range_or_one_in_unknown_units_is_ignored(
    shared: Any, stem: Any, header: str
) -> None:
    """A server must not refuse what it does not understand (RFC 9110, 14.2)."""
    answer = shared.get(stem["url"], headers={"Range": header})
    assert (answer.status_code, len(answer.content)) == (200, stem["bytes"])


def test_if_range_gives_the_whole_when_the_tag_is_another(shared: Any, stem: Any) -> None:
    for tag, status in ((f'"{stem["sha256"]}"', 206), ('"other"', 200)):
        answer = shared.get(stem["url"], headers={"Range": "bytes=0-9", "If-Range": tag})
        assert answer.status_code == status


def test_unchanged_bytes_are_not_sent_again(shared: Any, stem: Any) -> None:
    tag = f'"{stem["sha256"]}"'
    answer = shared.get(stem["url"], headers={"If-None-Match": f'"x", {tag}'})
    assert (answer.status_code, answer.content) == (304, b"")
    assert answer.headers["etag"] == tag


def test_head_tells_the_length_and_sends_nothing(shared: Any, finished: Any, stem: Any) -> None:
    answer = shared.head(stem["url"])
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) == stem["bytes"]
    answer = shared.head(finished["links"]["zip"])
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["content-length"]) > stem["bytes"]


@pytest.mark.parametrize(
    "track", ["no.wav", "manifest.json", "../manifest.json", "%2e%2e/%2e%2e/etc/passwd", "", "/"]
)
def test_only_listed_names_are_served(shared: Any, finished: Any, track: str) -> None:
    answer = shared.get(f"/download/{finished['job_id']}/{track}")
    assert answer.status_code == 404
    assert answer.json()["code"] in ("artefact_not_found", "not_found", "job_not_found")


def test_an_artefact_whose_file_was_taken_away_is_not_found(
    shared: Any, finished: Any, outputs: Any
) -> None:
    name = next(a["name"] for a in outputs if a["role"] == "playlist")
    store, job_id = shared.app.state.services.store, finished["job_id"]
    path = store.artefact_path(job_id, store.artefact(job_id, name))
    data = path.read_bytes()
    path.unlink()
    try:
        for url in (f"/download/{finished['job_id']}/{quote(name)}", finished["links"]["zip"]):
            answer = shared.get(url)
            assert (answer.status_code, answer.json()["code"]) == (404, "artefact_not_found")
    finally:
        path.write_bytes(data)


def test_every_link_saves_its_file(shared: Any, finished: Any, outputs: Any) -> None:
    """Browsers ignore `download` on links to another origin: a stem opened in a tab that played."""
    for url in [*(output["url"] for output in outputs), finished["links"]["zip"]]:
        answer = shared.head(url)
        assert answer.headers["content-disposition"].startswith("attachment; filename="), url
        assert int(answer.headers["content-length"]) > 0, url


def test_the_zip_holds_the_artefacts_and_the_manifest_and_knew_its_length(
    shared: Any, finished: Any, outputs: Any
) -> None:
    answer = shared.get(finished["links"]["zip"])
    assert answer.headers["content-type"] == "application/zip"
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["content-disposition"].startswith("attachment; filename=")

    with zipfile.ZipFile(io.BytesIO(answer.content)) as pack:
        assert pack.testzip() is None
        packed = [a for a in outputs if a["role"] != "waveform" and a["same_as"] is None]
        assert sorted(pack.namelist()) == sorted([*(a["name"] for a in packed), "manifest.json"])
        assert all(i.compress_type == zipfile.ZIP_STORED for i in pack.infolist())
        for artefact in packed:
            data = pack.read(artefact["name"])
            assert hashlib.sha256(data).hexdigest() == artefact["sha256"]


def test_a_repeated_output_is_downloaded_under_its_own_name(shared: Any, outputs: Any) -> None:
    """With two stems acapella and vocals were two files of the same samples."""
    acapella = next(a for a in outputs if a["label"] == "acapella")
    vocals = next(a for a in outputs if a["label"] == "vocals" and a["role"] == "stem")
    assert (acapella["same_as"], acapella["sha256"]) == (vocals["name"], vocals["sha256"])
    answer = shared.get(acapella["url"])
    assert answer.content == shared.get(vocals["url"]).content
    assert quote("[acapella].wav", safe="") in answer.headers["content-disposition"]


@pytest.mark.parametrize(
    ("header", "part"),
    [
        ("bytes=0-99", slice(0, 100)),
        ("bytes=70000-", slice(70_000, None)),
        ("bytes=-7", slice(-7, None)),
        ("bytes=10-999999999999", slice(10, None)),
    ],
)
def test_a_range_of_the_zip_is_that_part_of_it(
    shared: Any, finished: Any, header: str, part: slice
) -> None:
    """A large ZIP that broke off at its end began anew."""
    whole = shared.get(finished["links"]["zip"])
    answer = shared.get(finished["links"]["zip"], headers={"Range": header})
    assert answer.status_code == 206
    assert answer.content == whole.content[part]
    start = range(len(whole.content))[part].start
    expected = f"bytes {start}-{start + len(answer.content) - 1}/{len(whole.content)}"
    assert answer.headers["content-range"] == expected
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert answer.headers["etag"] == whole.headers["etag"]


def test_a_zip_is_resumed_only_while_it_is_the_same(shared: Any, finished: Any) -> None:
    url = finished["links"]["zip"]
    whole = shared.head(url)
    tag, length = whole.headers["etag"], int(whole.headers["content-length"])
    assert whole.headers["accept-ranges"] == "bytes"
    for if_range, status, n_bytes in ((tag, 206, 10), ('"other"', 200, length)):
        answer = shared.get(url, headers={"Range": "bytes=0-9", "If-Range": if_range})
        assert (answer.status_code, len(answer.content)) == (status, n_bytes)
    assert shared.get(url, headers={"If-None-Match": tag}).status_code == 304
    beyond = shared.get(url, headers={"Range": f"bytes={length}-"})
    assert (beyond.status_code, beyond.json()["code"]) == (416, "range_not_satisfiable")
    assert beyond.headers["content-range"] == f"bytes */{length}"


def test_a_zip_that_loses_a_file_on_the_way_breaks_off_with_one_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A job deleted while it is downloaded is no defect, and half a ZIP must not look whole."""
    with serve(tmp_path) as (host, port):
        store = JobStore(tmp_path)
        with open_client(tmp_path) as client:
            job_id = submit(client)
        with store.update(job_id) as manifest:
            manifest.state = JobState.COMPLETED
            for name, n_bytes in (("long.wav", 64 * 2**20), ("gone.wav", 5)):
                with (store.job_folder(job_id) / name).open("wb") as file:
                    file.truncate(n_bytes)
                artefact = Artefact(
                    name=name,
                    stage="delivery",
                    role="stem",
                    label=name,
                    format="wav",
                    sha256="0" * 64,
                    bytes=n_bytes,
                )
                manifest.tracks[0].artefacts.append(artefact)
        connection = http.client.HTTPConnection(host, port, timeout=60)
        connection.request("GET", f"/download/{job_id}/all")
        answer = connection.getresponse()
        answer.read(4)
        (store.job_folder(job_id) / "gone.wav").unlink()
        with pytest.raises(http.client.IncompleteRead):
            answer.read()
        answer.close()
        connection.close()
        wait_until(lambda: "was broken off" in caplog.text)
    assert "Traceback" not in caplog.text
