"""Recorded exchanges fed to the codecs; whole values are compared."""

import json

import pytest

from faultmaven import errors
from faultmaven.errors import ProviderError
from faultmaven.infrastructure.llm.wire.types import Codec, WireResponse
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


@pytest.mark.parametrize("cassette", cassettes(having="reads"), ids=_named)
def test_answer_is_read(cassette: Cassette) -> None:
    """What is answered becomes exactly the recorded completion (S14, S93)."""
    codec = CODECS[cassette.data["codec"]]

    assert codec.decode(cassette.response) == cassette.completion


@pytest.mark.parametrize("cassette", cassettes(having="raises"), ids=_named)
def test_failure_is_read(cassette: Cassette) -> None:
    """What is no answer becomes exactly the recorded error (S14, S37, S107)."""
    recorded = cassette.data["raises"]

    error = _failure(CODECS[cassette.data["codec"]], cassette.response)

    assert type(error) is getattr(errors, recorded["class"])
    assert str(error) == recorded["message"]
    assert error.status_code == recorded.get("status_code", 200)
    assert error.retry_after == recorded.get("retry_after")


@pytest.mark.parametrize("cassette", cassettes(having="request"), ids=_named)
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
