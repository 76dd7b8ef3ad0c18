"""A real HTTP server on loopback for one file, with the faults of real ones."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class FileServer:
    """What is served, how it fails, and what was asked.

    Attributes:
        content: the file.
        cuts: for each request in turn, bytes sent before the connection is cut; later
            requests are served whole.
        knows_ranges: whether ``Range`` is honoured.
        shift: how far the range sent begins after the one asked for.
        status: sent instead of the file, if set.
        stalls: answer the headers and then nothing.
        offsets: where each request wanted to begin.
        url: of the file, once it runs.
    """

    content: bytes
    cuts: list[int] = field(default_factory=list)
    knows_ranges: bool = True
    shift: int = 0
    status: int | None = None
    stalls: bool = False
    offsets: list[int] = field(default_factory=list)
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)
    stalled: threading.Event = field(default_factory=threading.Event)

    @contextmanager
    def running(self) -> Iterator[FileServer]:
        """Serve for the length of the block."""
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{server.server_address[1]}/weights.gguf"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield self
        finally:
            self.released.set()
            server.shutdown()
            thread.join()
            server.server_close()


def _handler(served: FileServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name
            """Say nothing."""

        def do_GET(self) -> None:
            """Send the file, from the offset asked for, as far as this request gets."""
            offset = self._offset()
            served.offsets.append(offset)
            if served.status is not None:
                self.send_error(served.status)
                return
            body = served.content[offset:] if served.knows_ranges else served.content
            self._send_headers(offset, len(body))
            if served.stalls:
                served.stalled.set()
                served.released.wait()
                return
            self.wfile.write(body[: served.cuts.pop(0)] if served.cuts else body)

        def _offset(self) -> int:
            found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
            return int(found[1]) if found else 0

        def _send_headers(self, offset: int, length: int) -> None:
            self.send_response(206 if served.knows_ranges else 200)
            if served.knows_ranges:
                end = len(served.content) - 1
                self.send_header("Content-Range", f"bytes {offset + served.shift}-{end}/{end + 1}")
            self.send_header("Content-Length", str(length))
            self.end_headers()

    return Handler
