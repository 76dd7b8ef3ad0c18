"""TGI's tokens are its whole answer in pieces."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.errors import ProviderConnectionError, ProviderError, ProviderProtocolError
from faultmaven.infrastructure.llm.wire.tgi_generate import (
    TgiGenerate,
    endpoint_route,
    server_route,
)
from faultmaven.infrastructure.llm.wire.types import Completion, WireEvent, WireResponse
from wire.cut_streams import chunks_of, compact, heard, parts_of, whole

_CODEC = TgiGenerate(route=server_route, grammars=True)
_DETAILS = {"generated_tokens": 4, "input_length": 5}
_texts = st.text("ab é\n<>", max_size=12)


def _event(text: str, **fields: Any) -> str:
    token = {"id": 1, "text": text, "logprob": -0.1, "special": False}
    return f"data:{compact({'index': 1, 'token': token, **fields})}\n\n"


def _outcome(chunks: list[bytes]) -> Completion | str:
    try:
        return whole(_CODEC, chunks)
    except ProviderError as error:
        return str(error)


def _decoded(answer: WireResponse) -> Completion | str:
    try:
        return _CODEC.decode(answer)
    except ProviderError as error:
        return str(error)


@given(data=st.data(), text=_texts, reason=st.sampled_from(["eos_token", "length"]))
def test_tokens_are_the_whole_answer(data: st.DataObject, text: str, reason: str) -> None:
    """However an answer is cut into tokens and bytes, it is the answer in one piece, once."""
    end = {"generated_text": text, "details": {"finish_reason": reason, **_DETAILS}}
    special = {"id": 2, "text": "</s>", "special": True}
    tokens = [token for token in data.draw(parts_of(text)) if token]
    events = [*map(_event, tokens), f"data:{compact({'token': special, **end})}\n\n"]
    answer = WireResponse(200, {}, compact(end).encode())

    found = _outcome(data.draw(chunks_of("".join(events).encode())))

    assert found == _decoded(answer)


@given(data=st.data())
def test_a_stream_that_lost_its_end_was_cut(data: st.DataObject) -> None:
    """Whatever part of a stream is missing at its end, what is left is no answer."""
    end = {"generated_text": "The disk", "details": {"finish_reason": "length", **_DETAILS}}
    body = (_event("The") + _event(" disk", **end)).encode()
    kept = data.draw(st.integers(0, len(body) - 3))  # the last line ends alone may be missing

    with pytest.raises(ProviderConnectionError):
        whole(_CODEC, [body[:kept]])


@pytest.mark.parametrize("data", [b"", b"{", b"[]", b"null", b"<html>", b"\xff"])
def test_what_is_no_event_is_refused(data: bytes) -> None:
    """Half an event, or something else altogether, is malformed."""
    with pytest.raises(ProviderProtocolError):
        _CODEC.reader().read(WireEvent(data))


def test_nothing_is_heard_behind_the_end() -> None:
    """The whole text ends the stream; what a server says behind it is not looked at."""
    codec = TgiGenerate(route=endpoint_route, grammars=False)
    body = _event("Full.") + _event("", generated_text="Full.") + 'data: {"error": "late"}\n\n'

    texts = [delta.text for delta in heard(codec, [body.encode()])]

    assert texts == ["Full.", ""]
