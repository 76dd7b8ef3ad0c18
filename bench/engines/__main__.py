"""Compare the clients: `python -m bench.engines [NAME …]`."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.engines.candidates import CANDIDATES

_CA = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 1 -subj"


def main() -> None:
    """Measure one after the other, and print a table."""
    parser = argparse.ArgumentParser(prog="python -m bench.engines", description=__doc__)
    parser.add_argument("names", nargs="*", help=f"which: {'; '.join(CANDIDATES)} (all)")
    names = parser.parse_args().names or list(CANDIDATES)
    with tempfile.TemporaryDirectory() as folder, _upstream(Path(folder)) as (ports, authority):
        rows = {name: _measured(name, ports, authority) for name in names}
    _print_table({name: row for name, row in rows.items() if row})


@contextmanager
def _upstream(folder: Path) -> Iterator[tuple[list[str], Path]]:
    """The server on the last core; its ports without and with TLS, and who vouches for it."""
    authority, certificate, key = _certificates(folder)
    command = [sys.executable, "-m", "bench.engines.upstream", str(certificate), str(key)]
    with subprocess.Popen(  # noqa: S603 - our own module
        _pinned(command, (os.cpu_count() or 1) - 1), stdout=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stdout is not None  # noqa: S101 - it is a pipe
            yield server.stdout.readline().split(), authority
        finally:
            server.terminate()


def _certificates(folder: Path) -> tuple[Path, Path, Path]:
    """An authority, and a certificate of its making with the key; rustls wants the two apart."""
    authority, signing = folder / "authority.pem", folder / "signing.pem"
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    run = [*_CA.split(), "/CN=bench", "-keyout", str(signing), "-out", str(authority)]
    subprocess.run(run, check=True, capture_output=True)  # noqa: S603 - fixed
    leaf = [*_CA.split(), "/CN=localhost", "-keyout", str(key), "-out", str(certificate)]
    leaf += ["-CA", str(authority), "-CAkey", str(signing)]
    leaf += ["-addext", "subjectAltName=IP:127.0.0.1", "-addext", "basicConstraints=CA:FALSE"]
    subprocess.run(leaf, check=True, capture_output=True)  # noqa: S603 - fixed
    return authority, certificate, key


def _measured(name: str, ports: list[str], authority: Path) -> dict[str, float]:
    plain, secure = ports
    origins = [f"http://127.0.0.1:{plain}", f"https://127.0.0.1:{secure}"]
    command = [sys.executable, "-m", "bench.engines.child", name, *origins, str(authority)]
    environment = {**os.environ, "SSL_CERT_FILE": str(authority)}  # noqa: TID251 - passed on
    done = subprocess.run(  # noqa: S603 - our own module
        _pinned(command, 0), env=environment, capture_output=True, text=True, check=False
    )
    if done.returncode:
        print(f"{name}: {done.stderr.strip().splitlines()[-1]}", file=sys.stderr)
        return {}
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _pinned(command: list[str], core: int) -> list[str]:
    return ["taskset", "-c", str(core), *command]


def _print_table(rows: dict[str, dict[str, float]]) -> None:
    columns = list(next(iter(rows.values()), {}))
    print("CPU µs an exchange by number at once; µs to a stream's first piece; CPU µs a piece")
    print("|", " | ".join(["client", *columns]), "|")
    print("|" + "---|" * (len(columns) + 1))
    for name, row in rows.items():
        print("|", " | ".join([name, *(f"{row[column]:.0f}" for column in columns)]), "|")


if __name__ == "__main__":
    main()
