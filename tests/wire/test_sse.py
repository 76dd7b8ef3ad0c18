"""Server-sent events are cut alike, however the bytes arrive."""

import json
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.errors import ProviderProtocolError
from faultmaven.infrastructure.llm.wire.lines import MOST_BYTES
from faultmaven.infrastructure.llm.wire.sse import ServerSentEvents
from faultmaven.infrastructure.llm.wire.types import WireEvent

_NASTY = (
    "\ufeff: a comment\r\n\r\n"
    'data:{"a":"é€😀"}\n\n'
    "event: delta\r\nid: 7\r\nretry: 10\r\ndata: one\r\ndata:two\r\n\r\n"
    "data:  a blank stays\r\r"
    "event: lonely\n\n"
    "data\n\ndata:\n\n"
    "data: [DONE]\r\n\r\n"
).encode()
_EVENTS = [
    WireEvent('{"a":"é€😀"}'.encode()),
    WireEvent(b"one\ntwo", "delta"),
    WireEvent(b" a blank stays"),
    WireEvent(b"[DONE]"),
]


def _read(*chunks: bytes) -> list[WireEvent]:
    framing = ServerSentEvents()
    events = [event for chunk in chunks for event in framing.feed(chunk)]
    return [*events, *framing.close()]


def _pieces(stream: bytes, cuts: list[int]) -> list[bytes]:
    places = [0, *sorted(cuts), len(stream)]
    return [stream[begin:end] for begin, end in pairwise(places)]


def test_every_form_of_a_line_is_read() -> None:
    """Line ends of three kinds, comments, missing blanks, several data lines, names, a BOM."""
    assert _read(_NASTY) == _EVENTS


def test_every_pair_of_cuts_gives_the_same_events() -> None:
    """A stream may be cut anywhere: within a line end, a field name, a character, the BOM."""
    for cuts in combinations(range(len(_NASTY)), 2):
        assert _read(*_pieces(_NASTY, list(cuts))) == _EVENTS, cuts


def test_one_byte_at_a_time_gives_the_same_events() -> None:
    """The smallest pieces there are."""
    assert _read(*(bytes([byte]) for byte in _NASTY)) == _EVENTS


def test_an_event_is_given_as_soon_as_it_is_whole() -> None:
    """Its blank line completes it; the line feed of a CRLF is not waited for."""
    framing = ServerSentEvents()

    assert list(framing.feed(b"data: x\r\n")) == []
    assert list(framing.feed(b"\r")) == [WireEvent(b"x")]
    assert list(framing.feed(b"\ndata: y\n\n")) == [WireEvent(b"y")]


_any_bytes = st.lists(
    st.sampled_from([b"data", b"event", b":", b" ", b"\r", b"\n", b"\r\n", b"x", b"{}", b"\xe2"]),
    max_size=40,
).map(b"".join)


@given(stream=_any_bytes | st.binary(max_size=60), data=st.data())
def test_any_bytes_are_read_alike_in_any_pieces(stream: bytes, data: st.DataObject) -> None:
    """Whatever is sent, its events do not depend on how it is cut."""
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=8))

    assert _read(*_pieces(stream, cuts)) == _read(stream)


_names = st.text("abc_.", max_size=5)
_lines = st.text(st.characters(exclude_characters="\r\n", codec="utf-8"), max_size=10)
_contents = st.lists(_lines, min_size=1, max_size=3).map("\n".join).filter(str.strip)


@given(
    events=st.lists(st.tuples(_names, _contents), max_size=4),
    end=st.sampled_from(["\n", "\r", "\r\n"]),
    blank=st.sampled_from(["", " "]),
)
def test_what_is_written_is_read(events: list[tuple[str, str]], end: str, blank: str) -> None:
    """Events come back as they were written, with any line end and with or without the blank."""
    stream = ""
    for name, content in events:
        lines = [f"data: {line}" if blank else f"data:{line}" for line in content.split("\n")]
        # Without the blank that the standard takes away, a content may not begin with one.
        lines = [line.replace("data: ", "data:  ", 1) if not blank else line for line in lines]
        stream += end.join([f"event:{blank}{name}", *lines, "", ""])

    assert _read(stream.encode()) == [WireEvent(text.encode(), name) for name, text in events]


@pytest.mark.parametrize("end", ["", "\n", "\r", "\r\n"])
@pytest.mark.parametrize("content", ['{"a":{"b":"é"}}', "[DONE]"])
def test_a_last_event_without_its_blank_line_is_given(content: str, end: str) -> None:
    """Some servers forget the last line ends."""
    assert _read(f"data: {content}{end}".encode()) == [WireEvent(content.encode())]


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_half_an_event_is_never_given(end: bytes) -> None:
    """What was cut within an object is dropped, at whatever byte, even at a line's end."""
    content = json.dumps({"text": "é{}", "more": [1, {"a": None}]}, ensure_ascii=False).encode()

    for cut in range(len(content)):
        assert _read(b"data: " + content[:cut] + end) == []


@pytest.mark.parametrize(("begin", "end"), [(b"data:", b""), (b"data:", b"\n"), (b":", b"")])
def test_an_event_that_does_not_end_is_refused(begin: bytes, end: bytes) -> None:
    """Neither a line nor the lines of one event may fill the memory."""
    line = begin + b"x" * 65_536 + end
    framing = ServerSentEvents()
    for _ in range(MOST_BYTES // len(line)):
        framing.feed(line)

    with pytest.raises(ProviderProtocolError, match="does not end"):
        framing.feed(line)


def test_a_long_event_is_refused_however_it_comes() -> None:
    """What is refused in pieces is refused in one piece."""
    with pytest.raises(ProviderProtocolError, match="does not end"):
        ServerSentEvents().feed(b"data: " + b"x" * MOST_BYTES + b"\n\n")


def test_events_are_not_counted_together() -> None:
    """A long stream of events is read, and comments without end between two of them."""
    framing = ServerSentEvents()
    comment = b":" + b"x" * (MOST_BYTES // 2) + b"\n"

    for _ in range(4):
        assert list(framing.feed(comment)) == []
        assert len(framing.feed(b"data: " + b"x" * (MOST_BYTES // 2) + b"\n\n")) == 1


def test_the_work_is_linear_in_the_bytes() -> None:
    """A megabyte that comes byte by byte in one line is read in moments: rescanning takes hours."""
    content = b"x" * 1_000_000
    framing = ServerSentEvents()

    events = [event for byte in b"data: %b\n\n" % content for event in framing.feed(bytes([byte]))]

    assert events == [WireEvent(content)]


_parts = st.lists(
    st.sampled_from(
        [
            b'data: {"a":1}\n\n',
            b"data: {}\n\n",
            b"data: {}\ndata: {}\n\n",
            b"data: {\r}\n\n",
            b"data: {}",
            b"data: x\n",
            b"event: x\n",
            b": a comment\n",
            b"\xef\xbb\xbf",
            b"\r",
            b"\n",
        ]
    ),
    max_size=8,
)


@given(_parts)
def test_an_object_by_itself_is_read_as_it_is_among_others(parts: list[bytes]) -> None:
    """The usual event, whole and alone in its piece, is cut as in the whole stream."""
    assert _read(*parts) == _read(b"".join(parts))
