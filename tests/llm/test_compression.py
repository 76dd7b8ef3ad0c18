"""Bodies decompressed in bounded steps."""

import gzip
import zlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.errors import ProviderProtocolError
from faultmaven.infrastructure.llm.transport.compression import decoder_for

_STEP = 256 * 1024


def _bare(data: bytes) -> bytes:
    deflate = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return deflate.compress(data) + deflate.flush()


def _in_members(data: bytes) -> bytes:
    half = len(data) // 2
    return gzip.compress(data[:half]) + gzip.compress(data[half:]) + bytes(8)


_CODINGS = {
    "gzip": gzip.compress,
    "X-GZip": gzip.compress,
    "deflate": zlib.compress,
    "deflate ": _bare,
    "gzip, identity": _in_members,
}


def _decoded(coding: str, pieces: list[bytes]) -> list[bytes]:
    decode = decoder_for({"content-encoding": coding}, 200)
    parts = [part for piece in pieces for part in decode(piece)]
    decode.end()
    return parts


@pytest.mark.parametrize(("coding", "encode"), _CODINGS.items())
@given(data=st.binary(max_size=2000), size=st.integers(1, 100))
def test_any_cut_decodes_the_same(
    coding: str, encode: Callable[[bytes], bytes], data: bytes, size: int
) -> None:
    """Each coding that is asked for, and deflate as some servers wrongly send it."""
    wire = encode(data)
    pieces = [wire[start : start + size] for start in range(0, len(wire), size)]
    assert b"".join(_decoded(coding, pieces)) == data


@pytest.mark.parametrize("encode", [gzip.compress, _bare])
def test_a_bomb_comes_in_steps(encode: Callable[[bytes], bytes]) -> None:
    """A piece that holds a thousand times its size is never whole in memory."""
    coding = "gzip" if encode is gzip.compress else "deflate"
    parts = _decoded(coding, [encode(bytes(10 * _STEP + 1))])
    assert [len(part) for part in parts] == [_STEP] * 10 + [1]


_BROKEN = pytest.raises(ProviderProtocolError, match="compression is broken")
_TOO_LARGE = pytest.raises(ProviderProtocolError, match="larger than 32 MiB")


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_what_is_broken_says_so(coding: str) -> None:
    """Bytes that were never compressed are a broken answer, not a crash."""
    with _BROKEN:
        _decoded(coding, [b"\xff\xff not compressed at all"])


@pytest.mark.parametrize(("coding", "encode"), _CODINGS.items())
def test_what_was_cut_is_broken(coding: str, encode: Callable[[bytes], bytes]) -> None:
    """A body that ends before its compression does is not passed as whole."""
    wire = encode(b"The disk is full.")
    for end in (1, len(wire) // 2, len(wire) - 9):
        with _BROKEN:
            _decoded(coding, [wire[:end]])


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_nothing_at_all_is_whole(coding: str) -> None:
    """An empty answer was compressed by nobody."""
    assert _decoded(coding, []) == []


@pytest.mark.parametrize("coding", ["gzip, gzip", "deflate, gzip", ", ".join(["gzip"] * 1500)])
def test_one_coding_at_most(coding: str) -> None:
    """Nobody asked for a coding within a coding, each of which can be a bomb within a bomb."""
    with _BROKEN:
        decoder_for({"content-encoding": coding}, 200)


def test_bytes_that_hold_nothing_have_an_end_too() -> None:
    """What follows a whole body costs next to nothing, and not for ever."""
    decode = decoder_for({"content-encoding": "gzip"}, 200)
    assert list(decode(gzip.compress(b"hi"))) == [b"hi"]
    with _TOO_LARGE:
        for _ in range(33):
            assert list(decode(bytes(1 << 20))) == []


def test_members_have_an_end_too() -> None:
    """Thousands of members that hold nothing are no answer."""
    with _BROKEN:
        _decoded("gzip", [gzip.compress(b"") * 2000])


@pytest.mark.parametrize(
    "headers", [{}, {"content-encoding": "identity"}, {"content-encoding": "br"}]
)
def test_what_nobody_can_undo_stays(headers: dict[str, str]) -> None:
    """There is nothing to decode where nothing was named that was asked for."""
    decode = decoder_for(headers, 200)
    assert list(decode(b"as it is")) == [b"as it is"]
    decode.end()
