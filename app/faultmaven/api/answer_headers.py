"""Headers that tell who answered, for protocols whose bodies have no place for it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType

from faultmaven.api.head import Line
from faultmaven.infrastructure.observability.request import current_request
from faultmaven.models.embedding import EmbeddingAnswer
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.stream import Beginning

_UNFIT = re.compile(r"[^\x20-\x7e]")
_LONGEST = 1_000  # characters of a header: names of fields are the caller's to choose


def headers_of_answer(answer: LLMResponse) -> Mapping[str, str]:
    """What a whole answer tells."""
    tried = len(answer.attempts) or 1
    confidence = {"X-FaultMaven-Confidence": f"{answer.confidence:.2f}"}
    return {**_headers(answer.provider, answer.model, tried, answer.ignored), **confidence}


def lines_of_answer(answer: LLMResponse) -> Sequence[Line]:
    """The same, as a response has it."""
    told = [
        *_lines(answer.provider, answer.model, len(answer.attempts) or 1),
        (b"x-faultmaven-confidence", _two_places(answer.confidence)),
    ]
    if answer.ignored:
        told.append((b"x-faultmaven-ignored-fields", _fit(", ".join(answer.ignored)).encode()))
    return told


def headers_of_beginning(beginning: Beginning) -> Mapping[str, str]:
    """What is known when an answer begins: all but how sure it will be."""
    tried = len(beginning.attempts) + 1
    return _headers(beginning.provider, beginning.model, tried, beginning.ignored)


def note_beginning(beginning: Beginning) -> None:
    """Keep the wait for the provider and its first token from being taken for our own work."""
    request = current_request()
    if request is not None:
        request.first_token_ms = beginning.queue_ms + beginning.first_token_ms


def headers_of_vectors(answer: EmbeddingAnswer) -> Mapping[str, str]:
    """What an answer of vectors tells; nobody scores those."""
    tried = len(answer.attempts) or 1
    return _headers(answer.provider, answer.model, tried, answer.ignored)


def _headers(provider: str, model: str, tried: int, ignored: Sequence[str]) -> Mapping[str, str]:
    told = _who(provider, model, tried)
    return {**told, "X-FaultMaven-Ignored-Fields": _fit(", ".join(ignored))} if ignored else told


@lru_cache(maxsize=128)  # a score is the sum of a few round numbers
def _two_places(score: float) -> bytes:
    return b"%.2f" % score


@lru_cache(maxsize=256)
def _lines(provider: str, model: str, tried: int) -> Sequence[Line]:
    who = _who(provider, model, tried)
    return tuple((name.lower().encode(), value.encode()) for name, value in who.items())


@lru_cache(maxsize=256)
def _who(provider: str, model: str, tried: int) -> Mapping[str, str]:
    """Who answered: a few, over and over."""
    told = {
        "X-FaultMaven-Provider": _fit(provider),
        "X-FaultMaven-Model": _fit(model),
        "X-FaultMaven-Attempts": str(tried),
    }
    return MappingProxyType(told)


def _fit(text: str) -> str:
    """The text as a header may have it."""
    return _UNFIT.sub("?", text)[:_LONGEST].strip()
