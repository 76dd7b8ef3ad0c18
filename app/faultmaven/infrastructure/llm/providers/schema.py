"""What a row of ``PROVIDER_SCHEMA`` may say, and what is wrong with one that says otherwise."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NotRequired, TypedDict

from faultmaven.models.interfaces import ILLMProvider


class ProviderRow(TypedDict):
    """One provider. The first nine fields are the documented ones; the rest are optional."""

    model_var: str
    """Environment variable with the model's name."""
    default_model: str
    """Model when that variable is not set."""
    provider_class: type[ILLMProvider]
    """Class that speaks its wire format; constructed with a `ProviderConfig`."""
    default_base_url: NotRequired[str]
    """Address when ``base_url_var`` is not set; defaults to the class's ``default_base_url``."""
    api_key_var: NotRequired[str]
    """Environment variable with the key; leave out where none is needed."""
    base_url_var: NotRequired[str]
    """Environment variable with another address."""
    max_retries: NotRequired[int]
    """Most retries of one request, 0 to 10 (default 3)."""
    timeout: NotRequired[float]
    """Seconds one attempt may take (default 30)."""
    confidence_score: NotRequired[float]
    """Prior confidence of its answers, 0 to 1 (default 0.8)."""
    models: NotRequired[tuple[str, ...]]
    """Further models it can be asked for."""
    kind: NotRequired[str]
    """Commercial, Open Source, Aggregator or Self-Hosted."""
    best_for: NotRequired[str]
    """What it is good at, for the catalogue."""
    context_window: NotRequired[int]
    """Tokens that fit its default model."""
    window_note: NotRequired[str]
    """The window as people say it, such as ``8K-32K``."""
    key_prefixes: NotRequired[tuple[str, ...]]
    """How its keys begin; anything else gets a warning, never a refusal."""
    further_base_url_vars: NotRequired[tuple[str, ...]]
    """Other names of ``base_url_var``, asked after it."""
    optional_key_var: NotRequired[str]
    """Environment variable with a key that may be missing."""
    option_vars: NotRequired[Mapping[str, str]]
    """Environment variables that only the provider's codec understands, by option name."""
    retired_models: NotRequired[Mapping[str, str]]
    """Models the vendor has retired, with what to use instead."""
    local: NotRequired[bool]
    """Runs on the operator's own machines."""


_REQUIRED: Mapping[str, type | tuple[type, ...]] = {
    "model_var": str,
    "default_model": str,
    "provider_class": type,
}
_OPTIONAL: Mapping[str, type | tuple[type, ...]] = {
    "default_base_url": str,
    "api_key_var": str,
    "base_url_var": str,
    "max_retries": int,
    "timeout": (int, float),
    "confidence_score": (int, float),
    "models": (tuple, list),
    "kind": str,
    "best_for": str,
    "context_window": int,
    "window_note": str,
    "key_prefixes": (tuple, list),
    "further_base_url_vars": (tuple, list),
    "optional_key_var": str,
    "option_vars": dict,
    "retired_models": dict,
    "local": bool,
}
_TYPES = {**_REQUIRED, **_OPTIONAL}
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")  # CHAT_PROVIDER is read in lower case
_RANGES: Mapping[str, tuple[float, float]] = {
    "max_retries": (0, 10),
    "timeout": (0.05, 3600),
    "confidence_score": (0, 1),
    "context_window": (1, 100_000_000),
}


def row_problems(name: str, row: Mapping[str, Any]) -> list[str]:
    """What is wrong with one row, each naming provider, field and fix; empty when nothing is."""
    problems = [f"provider '{name}', field '{field}': {why}" for field, why in _problems(row)]
    if not _NAME.fullmatch(name):
        fix = "use small letters, digits, - and _, at most 40"
        problems.insert(0, f"provider {name[:40]!r}: not a name for a provider; {fix}")
    return problems


def _problems(row: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield from ((field, "required, but missing") for field in _REQUIRED if field not in row)
    if "default_base_url" not in row and not hasattr(row.get("provider_class"), "default_base_url"):
        yield "default_base_url", "required, but missing"
    for field, value in row.items():
        problem = _value_problem(field, value)
        if problem:
            yield field, problem


def _value_problem(field: str, value: object) -> str | None:
    if field not in _TYPES:
        return f"unknown; the fields are {', '.join(sorted(_TYPES))}"
    expected = _TYPES[field]
    if not isinstance(value, expected) or (isinstance(value, bool) and expected is not bool):
        return f"must be of type {_type_name(expected)}, not {type(value).__name__}"
    check = _CHECKS.get(field)
    return check(field, value) if check else _blank(field, value)


def _blank(_field: str, value: object) -> str | None:
    return "must not be blank" if isinstance(value, str) and not value.strip() else None


def _in_range(field: str, value: Any) -> str | None:
    low, high = _RANGES[field]
    return None if low <= value <= high else f"must be between {low:g} and {high:g}"


def _texts(_field: str, value: Any) -> str | None:
    """A list of texts, or a table from texts to texts."""
    items = [*value, *value.values()] if isinstance(value, dict) else value
    fine = all(isinstance(item, str) and item.strip() for item in items)
    return None if fine else "must hold nothing but texts that are not blank"


def _provider_class(_field: str, value: Any) -> str | None:
    if not issubclass(value, ILLMProvider):
        return "must be a class that is an ILLMProvider"
    if inspect.isabstract(value):
        return f"lacks the methods {', '.join(sorted(value.__abstractmethods__))}"
    return None


def _url(_field: str, value: Any) -> str | None:
    http = value.strip().startswith(("http://", "https://"))
    return None if http else "must begin with http:// or https://"


def _type_name(expected: type | tuple[type, ...]) -> str:
    kinds = expected if isinstance(expected, tuple) else (expected,)
    return " or ".join(kind.__name__ for kind in kinds)


_CHECKS: Mapping[str, Callable[[str, Any], str | None]] = {
    **dict.fromkeys(_RANGES, _in_range),
    "provider_class": _provider_class,
    "default_base_url": _url,
    **dict.fromkeys(
        ("models", "key_prefixes", "further_base_url_vars", "option_vars", "retired_models"), _texts
    ),
}
