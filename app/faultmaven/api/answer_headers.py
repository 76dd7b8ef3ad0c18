"""Headers that tell who answered, for protocols whose bodies have no place for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache

from faultmaven.models.embedding import EmbeddingAnswer
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.stream import Beginning

_UNFIT = re.compile(r"[^\x20-\x7e]")
_LONGEST = 1_000  # characters of a header: names of fields are the caller's to choose


def headers_of_answer(answer: LLMResponse) -> Mapping[str, str]:
    """What a whole answer tells."""
    tried = len(answer.attempts) or 1
    confidence = {"X-FaultMaven-Confidence": f"{answer.confidence:.2f}"}
    return {**_headers(answer.provider, answer.model, tried, tuple(answer.ignored)), **confidence}


def headers_of_beginning(beginning: Beginning) -> Mapping[str, str]:
    """What is known when an answer begins: all but how sure it will be."""
    tried = len(beginning.attempts) + 1
    return _headers(beginning.provider, beginning.model, tried, tuple(beginning.ignored))


def headers_of_vectors(answer: EmbeddingAnswer) -> Mapping[str, str]:
    """What an answer of vectors tells; nobody scores those."""
    tried = len(answer.attempts) or 1
    return _headers(answer.provider, answer.model, tried, tuple(answer.ignored))


@lru_cache(maxsize=256)
def _headers(provider: str, model: str, tried: int, ignored: tuple[str, ...]) -> Mapping[str, str]:
    headers = {
        "X-FaultMaven-Provider": _fit(provider),
        "X-FaultMaven-Model": _fit(model),
        "X-FaultMaven-Attempts": str(tried),
    }
    if ignored:
        headers["X-FaultMaven-Ignored-Fields"] = _fit(", ".join(ignored))
    return headers


def _fit(text: str) -> str:
    """The text as a header may have it."""
    return _UNFIT.sub("?", text)[:_LONGEST].strip()
