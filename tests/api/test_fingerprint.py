"""What tells one request of a caller from another."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st
from starlette.requests import Request

from faultmaven.api.fingerprint import fingerprint_of

# Few of each, so that many examples differ in one of them alone, and pieces could be others'.
_TEXTS = st.text("a\n,1:", max_size=4)
_BODIES = st.one_of(st.text("a\n,1:", max_size=6).map(str.encode), st.just(b"a" * 5000))
_VALUES = st.text("a,1:", max_size=4).map(str.encode)
_Asked = tuple[str, list[tuple[bytes, bytes]], bytes]
_ASKED: st.SearchStrategy[_Asked] = st.tuples(
    _TEXTS,
    st.lists(st.tuples(st.sampled_from([b"x-request-timeout", b"cookie"]), _VALUES), max_size=2),
    _BODIES,
)


def asked(path: str, headers: list[tuple[bytes, bytes]]) -> Request:
    """A request of somebody whose key is known."""
    known = [(b"authorization", b"Bearer mine"), (b"accept", b"*/*"), *headers]
    return Request({"type": "http", "path": path, "headers": known, "client": ("127.0.0.1", 1)})


_LONG = b"a" * 4096


@example(one=("a", [(b"cookie", b"")], b"a"), other=("a", [(b"cookie", b"a")], b""))
@example(
    one=("a\nauthorization\nBearer mine\ncookie\n1", [], b""),
    other=("a", [(b"cookie", b"1")], b""),
)
@example(one=("a", [], _LONG), other=("a", [], _LONG + b"a"))
@example(one=("a", [], _LONG + b"a"), other=("a", [], _LONG + b"b"))
@example(one=("a", [], _LONG + b"a"), other=("a1", [], _LONG + b"a"))
@given(one=_ASKED, other=_ASKED)
async def test_only_equal_requests_have_equal_ones(one: _Asked, other: _Asked) -> None:
    """No part passes for a piece of the next, whatever stands in them."""
    first = await fingerprint_of(asked(*one[:2]), one[2])
    second = await fingerprint_of(asked(*other[:2]), other[2])
    assert (first == second) == (one == other)


async def test_who_shows_no_credentials_is_known_by_their_address() -> None:
    """Two of them share nothing, and one who has no address shares nothing with anybody."""
    clients = [("127.0.0.1", 1), ("127.0.0.1", 2), ("127.0.0.2", 1)]
    one, again, other = [await fingerprint_of(unnamed(client), b"{}") for client in clients]
    assert one == again != other
    assert await fingerprint_of(unnamed(None), b"{}") is None


def unnamed(client: tuple[str, int] | None) -> Request:
    """A request of somebody who shows no credentials."""
    return Request({"type": "http", "path": "/", "headers": [], "client": client})


async def test_a_long_body_is_told_by_its_digest() -> None:
    """Nothing of megabytes is kept for a second time while they are answered."""
    found = await fingerprint_of(asked("/v1/chat/completions", []), b"a" * 1_000_000)
    assert found is not None
    assert len(found) < 100
