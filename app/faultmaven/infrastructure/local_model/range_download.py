"""A child that writes a URL's bytes from an offset on to standard output.

Run as ``python -m faultmaven.infrastructure.local_model.range_download URL OFFSET``. A child,
because a blocked read in a thread cannot be cancelled, and because ``urllib`` follows the
user's proxies and redirects. A cut shows as a short output, never as an error.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from typing import Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

STALL_SECONDS: Final = 30.0
"""Silence after which the connection counts as cut."""

_CHUNK: Final = 1 << 16


def open_at(url: str, offset: int) -> HTTPResponse:
    """Open ``url`` so that the next byte read is the one at ``offset``.

    Raises:
        OSError: refused, reset, timed out, or an error status.
        ValueError: not an HTTP URL, or the server answered with another range.
    """
    if not url.startswith(("https://", "http://")):
        raise ValueError("not an HTTP URL")
    headers = {"Range": f"bytes={offset}-", "User-Agent": "faultmaven"}
    request = Request(url, headers=headers)  # noqa: S310 - the scheme is checked above
    response: HTTPResponse = urlopen(request, timeout=STALL_SECONDS)  # noqa: S310 - as above
    if response.status == HTTPStatus.OK:
        _skip(response, offset)  # a server that does not know ranges
    elif not response.headers.get("Content-Range", "").startswith(f"bytes {offset}-"):
        raise ValueError("the server answered with another range")
    return response


def _skip(response: HTTPResponse, count: int) -> None:
    while count > 0 and (piece := response.read(min(count, _CHUNK))):
        count -= len(piece)


def _describe(error: Exception) -> str:
    if isinstance(error, HTTPError):
        return f"HTTP {error.code} {error.reason}"
    return str(getattr(error, "reason", None) or error) or type(error).__name__


def main(argv: Sequence[str]) -> None:
    """Copy; on failure leave with one line on standard error."""
    url, offset = argv
    try:
        with open_at(url, int(offset)) as response:
            shutil.copyfileobj(response, sys.stdout.buffer, _CHUNK)
    except (OSError, HTTPException, ValueError) as error:
        raise SystemExit(_describe(error)) from error


if __name__ == "__main__":
    main(sys.argv[1:])
