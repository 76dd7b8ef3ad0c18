"""Answers read out of bytes, however they were cut on their way."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.infrastructure.llm.transport.answer import Answer, MalformedAnswerError

_HINTS = b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n"
_CHUNKED = (
    b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 3\r\nSet-Cookie: a\r\nset-cookie: b\r\n"
    b"Empty:\r\nTransfer-Encoding: chunked\r\n\r\n"
    b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: t\r\n\r\n"
)
_SIZED = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nabcdefg"
_CLOSING = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nabcdefg"
_UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\nabcdefg"


@given(st.sets(st.integers(1, len(_HINTS + _CHUNKED) - 1)))
def test_any_cut_reads_the_same(cuts: set[int]) -> None:
    """Hints are passed over, headers joined, chunks put together and trailers left alone."""
    answer = Answer()
    whole, ends = _HINTS + _CHUNKED, [*sorted(cuts), len(_HINTS + _CHUNKED)]
    for start, end in zip([0, *ends], ends, strict=False):
        assert not answer.complete
        answer.feed(whole[start:end])
    assert (answer.status, answer.complete, answer.reusable) == (429, True, True)
    assert answer.headers == {
        "retry-after": "3",
        "set-cookie": "a, b",
        "empty": "",
        "transfer-encoding": "chunked",
    }
    assert answer.buffered == 7
    assert answer.take_all() == b"abcdefg"


def test_answers_follow_each_other() -> None:
    """Of the answer before nothing is left."""
    answer = Answer()
    answer.feed(_CHUNKED)
    answer.restart()
    assert (answer.status, answer.headers, answer.begun, answer.take()) == (0, {}, False, None)
    answer.feed(_SIZED)
    assert (answer.status, answer.headers) == (200, {"content-length": "7"})
    assert answer.take_all() == b"abcdefg"


@pytest.mark.parametrize(
    ("wire", "reusable"),
    [(_SIZED, True), (_CLOSING, False), (_SIZED + b"more", False), (_SIZED + _SIZED, False)],
)
def test_only_a_settled_connection_is_used_again(wire: bytes, *, reusable: bool) -> None:
    """Not one that its server closes, nor one on which it said more than it was asked."""
    answer = Answer()
    answer.feed(wire)
    assert answer.complete
    assert answer.reusable is reusable


@pytest.mark.parametrize(
    ("wire", "complete"),
    [(_UNTIL_CLOSE, True), (_SIZED[:-1], False), (_CHUNKED[:-20], False), (_HINTS, False)],
)
def test_the_end_of_the_connection_ends_only_what_says_no_length(
    wire: bytes, *, complete: bool
) -> None:
    """A body that says its length and is shorter was cut."""
    answer = Answer()
    answer.feed(wire)
    assert not answer.complete
    answer.end()
    assert answer.complete is complete
    assert not answer.reusable


@pytest.mark.parametrize(
    "wire",
    [
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 101 Switching\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: " + b"x" * 200_000,
        _CHUNKED[:-11] + b"0\r\nx: " + b"x" * 200_000,
    ],
)
def test_what_is_not_http_is_refused(wire: bytes) -> None:
    """Other protocols, two lengths at once, and a head or trailers without an end."""
    with pytest.raises(MalformedAnswerError):
        _feed(Answer(), wire)


def _feed(answer: Answer, wire: bytes) -> None:
    for start in range(0, len(wire), 8192):
        answer.feed(wire[start : start + 8192])
