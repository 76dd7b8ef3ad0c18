"""Decompressing an answer in bounded steps: a small body may hold gigabytes."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Protocol

from faultmaven.infrastructure.llm.transport import failures

_STEP = 256 * 1024  # bytes
_SLICE = 64 * 1024  # bytes given to zlib at once: it copies what it leaves for the next step
_START = 2  # bytes that tell a format (RFC 1950, 2.2; RFC 1952, 2.3.1)
_GZIP = b"\x1f\x8b"
_MOST_MEMBERS = 1024  # each costs a start; an answer of 32 MiB in pieces of 64 KiB has half as many


class Decoder(Protocol):
    """What makes of a body as it comes what it means, up to what any answer needs."""

    def __call__(self, data: bytes) -> Iterable[bytes]:
        """What ``data`` holds, in steps of at most 256 KiB where it was compressed.

        Raises:
            ProviderProtocolError: it is broken, or there is more of it than of any answer.
        """
        ...

    def end(self) -> None:
        """The body is over.

        Raises:
            ProviderProtocolError: what it holds is not.
        """
        ...


def decoder_for(headers: Mapping[str, str], status: int) -> Decoder:
    """What undoes an answer's ``Content-Encoding``; what nobody here can undo stays as it is.

    Raises:
        ProviderProtocolError: several codings are named, of which none was asked for together:
            each may hold a thousand times what the one around it does.
    """
    named = headers.get("content-encoding")
    if named is None:
        return _Plain(status)
    codings = [coding.strip().lower() for coding in named.split(",")]
    known = [_CODINGS[coding] for coding in codings if coding in _CODINGS]
    if len(known) > 1:
        raise failures.broken_compression()
    return _Inflating(known[0], status) if known else _Plain(status)


class _Bound:
    """Counts bytes up to what any answer needs."""

    def __init__(self, status: int) -> None:
        self._status = status
        self._size = 0

    def count(self, data: bytes) -> None:
        """Raises `ProviderProtocolError` where it is too much."""
        self._size += len(data)
        if self._size > failures.MAX_BODY:
            raise failures.too_large(self._status)


class _Plain(_Bound):
    """A body that is what it is."""

    def __call__(self, data: bytes) -> Iterable[bytes]:
        self._size += len(data)  # counted here: this is done for each token of a stream
        if self._size > failures.MAX_BODY:
            raise failures.too_large(self._status)
        return (data,)

    def end(self) -> None:
        """Whether it was cut, its length has told."""


_Start = Callable[[bytes, int], int | None]
"""From the first bytes of a member and how many were before it, the format as
`zlib.decompressobj` counts them; ``None`` where no member follows."""


class _Inflating:
    """A body on its way through zlib, of one member or, as gzip allows, several.

    Bytes that hold nothing are counted too: they cost time, and there may be no end of them.

    Args:
        start: tells the format of what begins.
        status: the answer's HTTP status.
    """

    def __init__(self, start: _Start, status: int) -> None:
        self._format = start
        self._came, self._gave = _Bound(status), _Bound(status)
        self._zlib: zlib._Decompress | None = None
        self._members = 0
        self._start = b""
        self._over = False

    def __call__(self, data: bytes) -> Iterator[bytes]:
        self._came.count(data)
        for start in range(0, len(data), _SLICE):
            yield from self._inflated(data[start : start + _SLICE])

    def end(self) -> None:
        """See `Decoder`; nothing at all is whole too."""
        if self._zlib is None and not self._start:
            return
        if self._zlib is None or not self._zlib.eof:
            raise failures.broken_compression()

    def _inflated(self, data: bytes) -> Iterator[bytes]:
        while not self._over:
            if self._zlib is None or self._zlib.eof:
                data = self._begun(data)
            if self._zlib is None or not data:
                return
            yield from self._steps(self._zlib, data)
            data = self._zlib.unused_data

    def _begun(self, data: bytes) -> bytes:
        """Begin a member with what came; what it is to take, nothing where that is too short."""
        data = self._start + data
        if len(data) < _START:
            self._start = data
            return b""
        self._start = b""
        window = self._format(data, self._members)
        if window is None:
            self._over = True
            return b""
        self._members += 1
        if self._members > _MOST_MEMBERS:
            raise failures.broken_compression()
        self._zlib = zlib.decompressobj(window)
        return data

    def _steps(self, member: zlib._Decompress, data: bytes) -> Iterator[bytes]:
        try:
            piece = member.decompress(data, _STEP)
            while piece:
                self._gave.count(piece)
                yield piece
                if member.eof or (len(piece) < _STEP and not member.unconsumed_tail):
                    return
                piece = member.decompress(member.unconsumed_tail, _STEP)
        except zlib.error as error:
            raise failures.broken_compression() from error


def _gzip(start: bytes, before: int) -> int | None:
    """Members follow each other (RFC 1952, 2.2); anything else behind them means nothing."""
    if before and not start.startswith(_GZIP):
        return None
    return zlib.MAX_WBITS | 16


def _deflate(start: bytes, before: int) -> int | None:
    """Wrapped as RFC 9110 8.4.1.2 asks for, or bare as some servers send it."""
    if before:
        return None
    wrapped = start[0] & 15 == zlib.DEFLATED and int.from_bytes(start[:_START]) % 31 == 0
    return zlib.MAX_WBITS if wrapped else -zlib.MAX_WBITS


_CODINGS: Mapping[str, _Start] = {"gzip": _gzip, "x-gzip": _gzip, "deflate": _deflate}
