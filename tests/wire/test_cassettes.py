"""Recorded exchanges fed to the codecs; whole values are compared."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import pytest

from faultmaven import errors
from faultmaven.errors import ProviderError, UnsupportedRequestError
from faultmaven.infrastructure.llm.wire.answer import Assembly
from faultmaven.infrastructure.llm.wire.ndjson import JSONLines
from faultmaven.infrastructure.llm.wire.types import Codec, WireEvent, WireResponse
from faultmaven.models.stream import Delta
from wire.cassette import Cassette, cassettes
from wire.codecs import CODECS


def _named(cassette: Cassette) -> str:
    return cassette.name


@pytest.mark.parametrize("cassette", cassettes(having="sends"), ids=_named)
def test_request_is_written(cassette: Cassette) -> None:
    """What is asked becomes exactly the recorded request (S4, S6, S8, S11, S13, S14, S16, S91)."""
    codec = CODECS[cassette.data["codec"]]

    sent = codec.encode(cassette.request, cassette.endpoint)

    recorded = cassette.data["sends"]
    assert (sent.method, sent.url) == (recorded["method"], recorded["url"])
    assert dict(sent.headers) == recorded["headers"]
    assert json.loads(sent.body) == recorded["body"]


@pytest.mark.parametrize("cassette", cassettes(having="ignored"), ids=_named)
def test_what_is_left_out_is_said(cassette: Cassette) -> None:
    """What the format has no word for is named, and nothing else."""
    ignored = CODECS[cassette.data["codec"]].ignored(cassette.request)

    assert list(ignored) == cassette.data["ignored"]


@pytest.mark.parametrize("cassette", cassettes(having="refuses"), ids=_named)
def test_what_cannot_be_carried_is_refused(cassette: Cassette) -> None:
    """What the format or the model has no place for is never sent, and another provider asked."""
    with pytest.raises(UnsupportedRequestError) as caught:
        CODECS[cassette.data["codec"]].encode(cassette.request, cassette.endpoint)

    assert str(caught.value) == cassette.data["refuses"]


@pytest.mark.parametrize("cassette", cassettes(having="reads"), ids=_named)
def test_answer_is_read(cassette: Cassette) -> None:
    """What is answered becomes exactly the recorded completion (S14, S93)."""
    codec = CODECS[cassette.data["codec"]]

    assert codec.decode(cassette.response) == cassette.completion


@pytest.mark.parametrize("cassette", cassettes(having="raises"), ids=_named)
def test_failure_is_read(cassette: Cassette) -> None:
    """What is no answer becomes exactly the recorded error (S14, S37, S107)."""
    error = _failure(CODECS[cassette.data["codec"]], cassette.response)

    _assert_recorded(error, cassette.data["raises"])


@pytest.mark.parametrize("cassette", cassettes(having="stream"), ids=_named)
def test_stream_is_read(cassette: Cassette) -> None:
    """A streamed answer becomes exactly the recorded pieces and completion, or the error.

    In one piece, byte by byte, and with other line ends it is the same.
    """
    codec, recorded = CODECS[cassette.data["codec"]], cassette.stream
    body = recorded.written(lines=isinstance(codec.framing(), JSONLines))

    for chunks in ([body], [bytes([byte]) for byte in body], [body.replace(b"\n", b"\r\n")]):
        if recorded.completion is None:
            with pytest.raises(ProviderError) as caught:
                _assembled(_deltas(codec, chunks))
            _assert_recorded(caught.value, recorded.data["raises"])
        else:
            assert _assembled(_deltas(codec, chunks)) == recorded.completion
        if recorded.deltas is not None:
            assert tuple(_until_failure(_deltas(codec, chunks))) == recorded.deltas


@pytest.mark.parametrize("cassette", cassettes(having="sends"), ids=_named)
def test_request_shows_no_key(cassette: Cassette) -> None:
    """Neither the request's repr nor its address holds the key or the headers (S11, S69)."""
    sent = CODECS[cassette.data["codec"]].encode(cassette.request, cassette.endpoint)

    key = cassette.data["endpoint"].get("api_key", "no key at all").strip()
    assert key not in repr(sent)
    assert key not in sent.url
    assert key not in repr(cassette.endpoint)


def _failure(codec: Codec, response: WireResponse) -> ProviderError:
    if response.status != 200:
        return codec.decode_error(response)
    with pytest.raises(ProviderError) as caught:
        codec.decode(response)
    return caught.value


def _assert_recorded(error: ProviderError, recorded: Mapping[str, Any]) -> None:
    assert type(error) is getattr(errors, recorded["class"])
    assert str(error) == recorded["message"]
    assert error.status_code == recorded.get("status_code", 200)
    assert error.retry_after == recorded.get("retry_after")


def _deltas(codec: Codec, chunks: Iterable[bytes]) -> Iterable[Delta]:
    reader = codec.reader()
    for event in _events(codec, chunks):
        yield from reader.read(event)


def _events(codec: Codec, chunks: Iterable[bytes]) -> Iterable[WireEvent]:
    framing = codec.framing()
    for chunk in chunks:
        yield from framing.feed(chunk)
    yield from framing.close()


def _assembled(deltas: Iterable[Delta]) -> Any:
    assembly = Assembly()
    for delta in deltas:
        assembly.add(delta)
    return assembly.completion()


def _until_failure(deltas: Iterable[Delta]) -> Iterable[Delta]:
    try:
        yield from deltas
    except ProviderError:
        return
