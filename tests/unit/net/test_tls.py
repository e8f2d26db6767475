"""Encrypted connections of the guarded client."""

import ssl
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from core.errors import SourceUnavailable
from core.net.addresses import AddressGuard
from core.net.outgoing import Outgoing, OutgoingLimits

GUARD = AddressGuard(["127.0.0.1", "::1"])


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(302)
        self.send_header("Location", "http://127.0.0.1:1/")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A certificate for localhost, signed by itself, and its key in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now()
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "certificate.pem"
    encoding, none = serialization.Encoding.PEM, serialization.NoEncryption()
    written = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, none)
    path.write_bytes(written + made.public_bytes(encoding))
    return path


@pytest.fixture
def address(certificate: Path) -> Iterator[str]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"https://localhost:{server.server_port}/hook"
        server.shutdown()
        thread.join()


def post(url: str) -> int:
    outgoing = Outgoing(GUARD, OutgoingLimits(1000, total_s=5.0))
    return outgoing.post(url, b"{}", {"Content-Type": "application/json"}).status


def test_names_are_verified(
    address: str, certificate: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connecting to a checked address must not mean to verify that address, or nothing."""
    with pytest.raises(SourceUnavailable, match="certificate verify failed"):
        post(address)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    assert post(address) == 302  # told, and not followed
    with pytest.raises(SourceUnavailable, match="certificate verify failed"):
        post(address.replace("localhost", "127.0.0.1"))
