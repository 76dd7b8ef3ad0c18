"""Streams cut anywhere, and what a codec makes of them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

from hypothesis import strategies as st

from faultmaven.infrastructure.llm.wire.answer import Assembly
from faultmaven.infrastructure.llm.wire.types import Codec, Completion
from faultmaven.models.stream import Delta


def compact(value: Any) -> str:
    """The value as JSON on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


@st.composite
def parts_of(draw: st.DrawFn, text: str) -> list[str]:
    """The text in any pieces, empty ones among them."""
    places = draw(st.lists(st.integers(0, len(text)), max_size=4))
    return [text[begin:end] for begin, end in pairwise([0, *sorted(places), len(text)])]


@st.composite
def chunks_of(draw: st.DrawFn, body: bytes) -> list[bytes]:
    """The body as it may arrive: cut anywhere, in the middle of a character too."""
    places = draw(st.lists(st.integers(0, len(body)), max_size=12))
    return [body[begin:end] for begin, end in pairwise([0, *sorted(places), len(body)])]


def heard(codec: Codec, chunks: Iterable[bytes]) -> Iterator[Delta]:
    """The pieces of the answer, in order."""
    framing, reader = codec.framing(), codec.reader()
    for chunk in chunks:
        for event in framing.feed(chunk):
            yield from reader.read(event)
    for event in framing.close():
        yield from reader.read(event)


def whole(codec: Codec, chunks: Sequence[bytes]) -> Completion:
    """The pieces put together.

    Raises:
        ProviderError: they are no answer, or none to its end.
    """
    assembly = Assembly()
    for delta in heard(codec, chunks):
        assembly.add(delta)
    return assembly.completion()
