"""Objects in lines are cut alike, however the bytes arrive."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.errors import ProviderProtocolError
from faultmaven.infrastructure.llm.wire.lines import MOST_BYTES
from faultmaven.infrastructure.llm.wire.ndjson import JSONLines
from faultmaven.infrastructure.llm.wire.types import WireEvent

_NASTY = '\ufeff{"a":"é😀"}\r\n\n \r\n{"b":"\\n"}\n{"done":true}'.encode()
_EVENTS = [
    WireEvent('{"a":"é😀"}'.encode()),
    WireEvent(b'{"b":"\\n"}'),
    WireEvent(b'{"done":true}'),
]

_objects = st.dictionaries(st.text(max_size=3), st.text(max_size=5) | st.integers(), max_size=3)


def _read(*chunks: bytes) -> list[WireEvent]:
    framing = JSONLines()
    events = [event for chunk in chunks for event in framing.feed(chunk)]
    return [*events, *framing.close()]


def test_every_cut_gives_the_same_lines() -> None:
    """A stream may be cut anywhere: within a line end, a character, the byte order mark."""
    for cut in range(len(_NASTY) + 1):
        assert _read(_NASTY[:cut], _NASTY[cut:]) == _EVENTS, cut
    assert _read(*(bytes([byte]) for byte in _NASTY)) == _EVENTS


@given(
    objects=st.lists(_objects, max_size=5),
    end=st.sampled_from([b"\n", b"\r\n"]),
    size=st.integers(1, 30),
    last=st.booleans(),
)
def test_what_is_written_is_read(
    objects: list[dict[str, Any]], end: bytes, size: int, *, last: bool
) -> None:
    """Objects come back as they were written, in pieces of any size, last line end or not."""
    lines = [json.dumps(item, ensure_ascii=False).encode() for item in objects]
    stream = end.join(lines) + (end if last else b"")

    chunks = (stream[start : start + size] for start in range(0, len(stream), size))

    assert _read(*chunks) == [WireEvent(line) for line in lines]


def test_half_an_object_is_never_given() -> None:
    """What was cut within an object is dropped, at whatever byte."""
    content = b'{"text":"\xc3\xa9{}","more":[1,{"a":null}]}'

    for cut in range(len(content)):
        assert _read(content[:cut]) == []


@pytest.mark.parametrize(
    "chunks",
    [
        [b"x" * (MOST_BYTES + 1)],
        [b"x" * (MOST_BYTES + 1) + b"\n"],
        [b"x" * MOST_BYTES, b"x"],
        [b"x" * MOST_BYTES, b"x\n"],
        [b"{}\n" + b"x" * MOST_BYTES, b"x\n{}\n"],
    ],
    ids=["unended", "ended", "cut unended", "cut ended", "between others"],
)
def test_a_line_that_does_not_end_is_refused(chunks: list[bytes]) -> None:
    """A server cannot fill the memory, in whatever pieces it tries."""
    with pytest.raises(ProviderProtocolError, match="does not end"):
        _read(*chunks)


def test_a_line_as_long_as_may_be_is_read() -> None:
    """The bound is the longest line that is still read."""
    line = b"x" * MOST_BYTES

    assert _read(line, b"\n") == _read(line + b"\n") == [WireEvent(line)]
