"""TLS that a careful client refuses."""

import functools
import ssl
import subprocess
import tempfile
from pathlib import Path


@functools.cache
def self_signed() -> ssl.SSLContext:
    """Make a server context whose certificate nobody vouches for.

    Uses the `openssl` command; key and certificate live in a temporary folder only while they
    are loaded.
    """
    with tempfile.TemporaryDirectory() as folder:
        key, certificate = Path(folder, "key.pem"), Path(folder, "cert.pem")
        command = (
            "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
            " -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1"
        )
        files = ["-keyout", str(key), "-out", str(certificate)]
        subprocess.run([*command.split(), *files], check=True, capture_output=True)  # noqa: S603 - fixed
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    return context


def no_certificate() -> ssl.SSLContext:
    """Make a server context without a certificate: every handshake is broken off."""
    return ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
