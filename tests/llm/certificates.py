"""A certificate authority of a test's own."""

import ssl
import subprocess
from pathlib import Path

_MAKE = (
    "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1"
    " -subj /CN=localhost -addext subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:vendor.invalid"
)


def vouched(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """Make a server's context, and the file that vouches for it when it is trusted."""
    key, certificate = folder / "key.pem", folder / "cert.pem"
    files = ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run([*_MAKE.split(), *files], check=True, capture_output=True)  # noqa: S603 - fixed
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate
