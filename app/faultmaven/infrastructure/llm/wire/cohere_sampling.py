"""How a next token is drawn: OpenAI's parameters under Cohere's names and within its ranges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeGuard

_LEAST_P, _MOST_P = 0.01, 0.99
# A penalty beyond its range has no equal; neither is the nearest what was asked for.
_RANGES: Mapping[str, tuple[str, float, float]] = {
    "top_k": ("k", 0, 500),
    "frequency_penalty": ("frequency_penalty", 0, 1),
    "presence_penalty": ("presence_penalty", 0, 1),
}


def sampling(parameters: Mapping[str, Any], *, in_openai_names: bool = False) -> dict[str, Any]:
    """The fields for those parameters that Cohere has a word for, the same in both its formats.

    ``top_p`` of 1, which many clients send unasked, becomes the largest ``p`` there is: without
    the field it would be 0.75.

    https://docs.cohere.com/reference/chat

    Args:
        parameters: in OpenAI's names.
        in_openai_names: name the fields as the caller does instead.
    """
    fields = _fields(parameters)
    return {(asked if in_openai_names else name): value for asked, name, value in fields}


def _fields(parameters: Mapping[str, Any]) -> Iterator[tuple[str, str, Any]]:
    top_p = parameters.get("top_p")
    if _is_number(top_p):
        yield "top_p", "p", min(max(top_p, _LEAST_P), _MOST_P)
    if parameters.get("seed") is not None:
        yield "seed", "seed", parameters["seed"]
    for asked, (name, least, most) in _RANGES.items():
        value = parameters.get(asked)
        if _is_number(value) and least <= value <= most:
            yield asked, name, value


def _is_number(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)
