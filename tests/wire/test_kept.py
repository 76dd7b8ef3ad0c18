"""What is remembered from one request to the next, and what is not."""

from __future__ import annotations

import functools
import gc
import json
import weakref
from collections.abc import Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any

import pytest

from faultmaven.infrastructure.llm.transport.address import address_of
from faultmaven.infrastructure.llm.transport.proxies import Proxy
from faultmaven.infrastructure.llm.wire.types import CompletionRequest, Endpoint, WireRequest
from faultmaven.models.prompt import ConstantSchema, Message
from faultmaven.services.diagnosis import full_schema
from wire.codecs import CODECS

_KEY = "key-0123456789"
_ASK = (Message("user", "Why?"),)
_SCHEMA = {"type": "object", "properties": {"cause": {"type": "string"}}}


def _sent(codec: str, endpoint: Endpoint, schema: Mapping[str, Any] | None = None) -> WireRequest:
    request = CompletionRequest("gpt-4o", _ASK, response_schema=schema)
    return CODECS[codec].encode(request, endpoint)


def _properties(codec: str, schema: Mapping[str, Any]) -> set[str]:
    body = json.loads(_sent(codec, Endpoint("https://one.example/v1"), schema).body)
    return set(body["response_format"]["json_schema"]["schema"]["properties"])


class CallersSchema(dict[str, Any]):
    """A schema of which a test can tell whether anybody still has it."""


class CountingSchema(ConstantSchema):
    """A schema that counts how often it is read."""

    read = 0

    def items(self) -> Any:
        """Count, and read."""
        self.read += 1
        return super().items()


def _remembered() -> Iterator[str]:
    """Every text that a cache of the project holds, whoever asked."""
    caches = [each for each in gc.get_objects() if isinstance(each, functools._lru_cache_wrapper)]
    held = [each for each in caches if str(each.__module__).startswith("faultmaven.")]
    seen = set[int]()
    while held:
        for part in gc.get_referents(held.pop()):
            if isinstance(part, str):
                yield part
            elif id(part) not in seen and (isinstance(part, tuple | dict) or _is_value(part)):
                seen.add(id(part))
                held.append(part)


def _is_value(part: object) -> bool:
    return is_dataclass(part) and not isinstance(part, type)


@pytest.mark.parametrize("codec", CODECS)
def test_no_key_outlives_its_endpoint(codec: str) -> None:
    """What was prepared with a key is found nowhere but beside it: it may be a revoked one."""
    request = _sent(codec, Endpoint("http://us3r:p4ss@one.example/v1", _KEY))
    address = address_of(request.url)
    proxied = address.through(Proxy("127.0.0.1", 3128, "Basic pr0xy"))
    assert b"Basic" in address.head(request)
    assert b"pr0xy" in proxied.head(request)
    alone = WireRequest("POST", "http://one.example/v1", request.headers)
    assert _KEY.encode() in address_of(alone.url).head(alone)
    secrets = (_KEY, "us3r", "p4ss", "pr0xy", address.credentials)

    assert [text for text in _remembered() if any(secret in text for secret in secrets)] == []


@pytest.mark.parametrize("codec", ["openai", "local", "anthropic", "gemini", "ollama"])
def test_shared_headers_are_written_once_and_by_nobody_else(codec: str) -> None:
    """All requests of an endpoint have the same ones, which cannot be changed by one of them."""
    endpoint = Endpoint("https://one.example/v1", _KEY)
    first, second = _sent(codec, endpoint), _sent(codec, endpoint)
    address = address_of(first.url)

    assert first.headers is second.headers
    assert address.head(first) == address.head(second)
    assert not hasattr(first.headers, "__setitem__")
    assert _sent(codec, Endpoint("https://one.example/v1", "another")).headers != first.headers


def test_what_an_endpoint_keeps_is_no_part_of_it() -> None:
    """Endpoints are the same whether they were asked already or not, and show no key."""
    asked, new = Endpoint("https://one.example/v1", _KEY), Endpoint("https://one.example/v1", _KEY)
    _sent("openai", asked)

    assert (asked, hash(asked), repr(asked)) == (new, hash(new), repr(new))
    assert _KEY not in repr(asked)


@pytest.mark.parametrize("codec", ["openai", "local"])
def test_a_schema_that_was_changed_is_sent_as_it_is_now(codec: str) -> None:
    """Whoever writes schemas may write them all into the same dictionary."""
    schema = {**_SCHEMA, "properties": {"cause": {"type": "string"}}}
    assert _properties(codec, schema) == {"cause"}
    schema["properties"] = {"fault": {"type": "string"}}
    assert _properties(codec, schema) == {"fault"}


@pytest.mark.parametrize("codec", ["openai", "local"])
def test_a_callers_schema_is_forgotten(codec: str) -> None:
    """It may hold lines of their logs, so it goes with the request."""
    schema = CallersSchema(_SCHEMA)
    _properties(codec, schema)
    seen = weakref.ref(schema)
    del schema
    gc.collect()
    assert seen() is None


def test_a_constant_schema_is_adapted_once() -> None:
    """One of our own is read for the first request; that of a diagnosis is such a one."""
    assert isinstance(full_schema(), ConstantSchema)
    schema = CountingSchema(_SCHEMA)
    assert _properties("openai", schema) == {"cause"}
    reads = schema.read
    assert _properties("openai", schema) == {"cause"}
    assert schema.read == reads > 0
