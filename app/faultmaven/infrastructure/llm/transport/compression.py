"""Decompressing an answer in bounded steps: a small body may hold gigabytes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping

from faultmaven.infrastructure.llm.transport import failures

_STEP = 256 * 1024  # bytes

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
        self._untried = window == zlib.MAX_WBITS

    def __call__(self, data: bytes) -> Iterator[bytes]:
        """What ``data`` holds.

        Raises:
            ProviderProtocolError: it is broken.
        """
        try:
            yield from self._inflate(self._fitting(data))
        except zlib.error as error:
            raise failures.broken_compression() from error

    def _fitting(self, data: bytes) -> bytes:
        """Some servers send deflate bare, without the wrapping that RFC 9110 8.4.1.2 asks for."""
        if self._untried and data:
            self._untried = False
            try:
                self._zlib.copy().decompress(data, 1)
            except zlib.error:
                self._zlib = zlib.decompressobj(-zlib.MAX_WBITS)
        return data

    def _inflate(self, data: bytes) -> Iterator[bytes]:
        piece = self._zlib.decompress(data, _STEP)
        while piece:
            yield piece
            if len(piece) < _STEP and not self._zlib.unconsumed_tail:
                return
            piece = self._zlib.decompress(self._zlib.unconsumed_tail, _STEP)


def _gzip() -> Decoder:
    return _Inflating(zlib.MAX_WBITS | 16)


def _deflate() -> Decoder:
    return _Inflating(zlib.MAX_WBITS)


_CODINGS: Mapping[str, Callable[[], Decoder]] = {
    "gzip": _gzip,
    "x-gzip": _gzip,
    "deflate": _deflate,
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
