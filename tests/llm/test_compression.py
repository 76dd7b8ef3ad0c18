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


def _twice(data: bytes) -> bytes:
    return gzip.compress(zlib.compress(data))


_CODINGS = {
    "gzip": gzip.compress,
    "X-GZip": gzip.compress,
    "deflate": zlib.compress,
    "deflate ": _bare,
    "deflate, gzip": _twice,
}


def _decoded(coding: str, pieces: list[bytes]) -> list[bytes]:
    decode = decoder_for({"content-encoding": coding})
    assert decode is not None
    return [part for piece in pieces for part in decode(piece)]


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


@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_what_is_broken_says_so(coding: str) -> None:
    """Bytes that were never compressed are a broken answer, not a crash."""
    with pytest.raises(ProviderProtocolError, match="compression is broken"):
        _decoded(coding, [b"\xff\xff not compressed at all"])


@pytest.mark.parametrize(
    "headers", [{}, {"content-encoding": "identity"}, {"content-encoding": "br"}]
)
def test_what_nobody_can_undo_stays(headers: dict[str, str]) -> None:
    """There is nothing to decode where nothing was named that was asked for."""
    assert decoder_for(headers) is None
