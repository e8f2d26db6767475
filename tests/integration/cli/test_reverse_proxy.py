"""The example for nginx as it stands in `deploy`, before a real workbench and API."""

import base64
import datetime
import ipaddress
import os
import signal
import socket
import ssl
import sys
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPSConnection
from pathlib import Path

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bench.processes import held_ports, running
from stemcrate.schemas.owners import owner_of_person
from tests.conditions import PATIENCE_S, wait_until
from tests.integration.api.apps import serve, wav_bytes
from tests.integration.cli.shell import ROOT
from tests.integration.cli.test_network import STREAM, UPGRADE, is_up
from tests.programs import find, requires

pytestmark = [pytest.mark.slow, requires("nginx")]
EXAMPLE = ROOT / "deploy" / "nginx" / "stemcrate.conf"
ANNA = ("anna", "a secret")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nginx")


@pytest.fixture(scope="module")
def proxy(folder: Path) -> Iterator[int]:
    """The port of an nginx with the example, its ports and paths replaced by free ones."""
    with (
        serve(folder / "data") as (api_host, api_port),
        held_ports(2) as (ui_port, port),
    ):
        environment = {
            **os.environ,
            "DATA_DIR": str(folder / "data"),
            "UI_PORT": str(ui_port),
            "API_URL": f"http://{api_host}:{api_port}",
            "ALLOWED_HOSTS": "stems.example.org",
            "SIGN_IN": "proxy",
            "SIGN_IN_ALLOWED": "*",
            "PYTHONPATH": str(ROOT),
        }
        workbench = [sys.executable, "-m", "cli.main", "ui"]
        with (
            running(workbench, cwd=folder, env=environment) as process,
            running(nginx_command(folder, ui_port, port), cwd=folder) as nginx,
        ):
            wait_until(lambda: is_up(ui_port) or process.poll() is not None)
            wait_until(lambda: listens(port) or nginx.poll() is not None)
            assert (process.poll(), nginx.poll()) == (None, None)
            yield port
            for each in (nginx, process):
                each.send_signal(signal.SIGTERM)
                each.wait(PATIENCE_S)


def nginx_command(folder: Path, ui_port: int, port: int) -> list[str]:
    write_certificate(folder)
    (folder / "users").write_text(f"{ANNA[0]}:{{PLAIN}}{ANNA[1]}\n")
    example = EXAMPLE.read_text()
    for old, new in (
        ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
        ("127.0.0.1:8501", f"127.0.0.1:{ui_port}"),
        ("/etc/nginx/stemcrate.crt", str(folder / "crt")),
        ("/etc/nginx/stemcrate.key", str(folder / "key")),
        (
            "auth_basic_user_file /etc/nginx/stemcrate.htpasswd",
            f"auth_basic_user_file {folder / 'users'}",
        ),
    ):
        assert old in example
        example = example.replace(old, new)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder / kind};\n" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"daemon off; master_process off; pid {folder / 'pid'}; error_log {folder / 'errors'};\n"
        f"events {{}}\nhttp {{ access_log off;\n{temporary}{example} }}\n"
    )
    return [str(find("nginx")), "-p", str(folder), "-c", str(folder / "nginx.conf")]


def write_certificate(folder: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "stems.example.org")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("stems.example.org"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    (folder / "crt").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )


def listens(port: int) -> bool:
    with closing(socket.socket()) as tried:
        return tried.connect_ex(("127.0.0.1", port)) == 0


@pytest.fixture
def browser(proxy: int, folder: Path) -> Iterator[httpx.Client]:
    """Somebody with no password yet, who trusts the certificate."""
    context = ssl.create_default_context(cafile=str(folder / "crt"))
    headers = {"Host": "stems.example.org"}
    with httpx.Client(
        base_url=f"https://127.0.0.1:{proxy}", verify=context, headers=headers
    ) as found:
        yield found


def test_the_proxy_asks_for_a_password(browser: httpx.Client) -> None:
    for path in ("/", "/api/jobs", STREAM):
        assert browser.get(path).status_code == 401
        assert browser.get(path, auth=(ANNA[0], "wrong")).status_code == 401


def test_who_knows_it_works_with_what_is_their_own(browser: httpx.Client, folder: Path) -> None:
    files = {"file": ("song.wav", wav_bytes(2.0), "audio/wav")}
    claimed = {"Remote-User": "ben"}
    answer = browser.post("/api/process", files=files, auth=ANNA, headers=claimed)
    assert answer.status_code == 202
    job_id = answer.json()["job_id"]
    manifest = browser.get(f"/api/job/{job_id}/manifest", auth=ANNA).json()
    assert manifest["owner"] == owner_of_person("proxy", "anna")
    with browser.stream("GET", f"/api/job/{job_id}/events", auth=ANNA) as events:
        assert next(events.iter_lines()), "it comes while the job waits"
    assert "Stemcrate" in browser.get("/", auth=ANNA).text
    assert "ben" not in (folder / "data" / "logs" / "audit.jsonl").read_text()


def test_a_page_lives_on_its_web_socket(proxy: int, folder: Path) -> None:
    context = ssl.create_default_context(cafile=str(folder / "crt"))
    word = base64.b64encode(":".join(ANNA).encode()).decode()
    own = {"Host": "stems.example.org", "Origin": "https://stems.example.org"}
    for headers, status in (
        ({"Authorization": f"Basic {word}"}, 101),
        ({}, 401),
    ):
        with closing(HTTPSConnection("127.0.0.1", proxy, context=context)) as connection:
            connection.request("GET", STREAM, headers={**UPGRADE, **own, **headers})
            assert connection.getresponse().status == status
