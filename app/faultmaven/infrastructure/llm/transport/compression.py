"""Decompressing an answer in bounded steps: a small body may hold gigabytes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping

from faultmaven.infrastructure.llm.transport import failures

_STEP = 256 * 1024  # bytes
_WRAPPING = 2  # bytes that tell whether there is one (RFC 1950, 2.2)

Decoder = Callable[[bytes], Iterator[bytes]]
"""Takes the next bytes of a body; gives what they hold, in steps of at most 256 KiB."""


def decoder_for(headers: Mapping[str, str]) -> Decoder | None:
    """What undoes an answer's ``Content-Encoding``, or ``None`` where there is nothing to undo.

    What was not asked for, and nobody here can undo, stays as it is.
    """
    named = headers.get("content-encoding")
    if named is None:
        return None
    codings = [coding.strip().lower() for coding in named.split(",")]
    decoders = [_CODINGS[coding]() for coding in reversed(codings) if coding in _CODINGS]
    return _chained(decoders) if decoders else None


class _Inflating:
    """One body on its way through zlib.

    Args:
        window: the format, as `zlib.decompressobj` counts them.
    """

    def __init__(self, window: int) -> None:
        self._zlib = zlib.decompressobj(window)

    def __call__(self, data: bytes) -> Iterator[bytes]:
        """What ``data`` holds.

        Raises:
            ProviderProtocolError: it is broken.
        """
        try:
            piece = self._zlib.decompress(data, _STEP)
            while piece:
                yield piece
                if len(piece) < _STEP and not self._zlib.unconsumed_tail:
                    return
                piece = self._zlib.decompress(self._zlib.unconsumed_tail, _STEP)
        except zlib.error as error:
            raise failures.broken_compression() from error


class _Deflate:
    """Deflate, wrapped as RFC 9110 8.4.1.2 asks for, or bare as some servers send it."""

    def __init__(self) -> None:
        self._start = b""
        self._inflating: _Inflating | None = None

    def __call__(self, data: bytes) -> Iterator[bytes]:
        """What ``data`` holds; see `_Inflating`."""
        if self._inflating is None:
            data = self._start + data
            if len(data) < _WRAPPING:
                self._start = data
                return
            wrapped = data[0] & 15 == zlib.DEFLATED and int.from_bytes(data[:_WRAPPING]) % 31 == 0
            self._inflating = _Inflating(zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS)
        yield from self._inflating(data)


def _gzip() -> Decoder:
    return _Inflating(zlib.MAX_WBITS | 16)


_CODINGS: Mapping[str, Callable[[], Decoder]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _Deflate,
}


def _chained(decoders: list[Decoder]) -> Decoder:
    first, *others = decoders
    if not others:
        return first
    rest = _chained(others)

    def decode(data: bytes) -> Iterator[bytes]:
        for piece in first(data):
            yield from rest(piece)

    return decode
