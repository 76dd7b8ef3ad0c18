"""A small real model server for the supervisor to look after: run as a script.

``fake_server.py PORT MANNER [FILE]``, where MANNER is one of

- ``well``: healthy from the start;
- ``loading``: answers 503 for ever, as the engine does while it loads;
- ``mute``: accepts connections and never answers;
- ``falls-mute``: healthy until ``GET /mute``, then mute;
- ``stubborn``: healthy, and ignores SIGTERM;
- ``dies``: says why on standard error, and leaves with code 3;
- ``recovers``: ``dies`` the first two times, then ``well``; counts in FILE.

``GET /key`` gives the first line of standard input, ``GET /pid`` the process id, and
``GET /die`` ends the process with code 7. It leaves when standard input ends.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PORT, MANNER, *FILE = sys.argv[1:]
muted = threading.Event()
key = ""


class Handler(BaseHTTPRequestHandler):
    """Answers as the manner says."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
        """Say nothing."""

    def do_GET(self) -> None:
        """Answer one of the paths above."""
        if muted.is_set():
            threading.Event().wait()
        if self.path == "/die":
            os._exit(7)
        if self.path == "/mute":
            muted.set()
        body = {"/key": key, "/pid": str(os.getpid())}.get(self.path, "{}").encode()
        self.send_response(503 if MANNER == "loading" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


class Server(ThreadingHTTPServer):
    """Shares its port with the socket that reserves it."""

    daemon_threads = True

    def server_bind(self) -> None:
        """Bind as the engine does."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        super().server_bind()


def starts() -> int:
    """How often a server was started with this FILE, this time included."""
    path = Path(FILE[0])
    count = int(path.read_text(encoding="ascii")) + 1 if path.exists() else 1
    path.write_text(str(count), encoding="ascii")
    return count


if MANNER == "dies" or (MANNER == "recovers" and starts() <= 2):
    sys.exit(f"0.00.000.519 E fake: error: {MANNER} on purpose" if MANNER == "dies" else 3)
if MANNER == "mute":
    muted.set()
if MANNER == "stubborn":
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
key = sys.stdin.readline().strip()
server = Server(("127.0.0.1", int(PORT)), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read()
os._exit(0)
