"""JSON schemas as vendors accept them. Pure: a schema in, a new schema or a verdict out.

Every change here narrows, or drops what only constrains further: what a model answers under an
adapted schema has the form the original asks for, apart from dropped bounds on values.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = dict[str, Any]

_NAMED = ("properties", "$defs", "definitions", "patternProperties")
_LISTED = ("anyOf", "allOf", "oneOf", "prefixItems")
_SINGLE = ("items", "additionalProperties", "not", "if", "then", "else", "contains")
_NOTES = frozenset(("default", "examples", "$schema", "$id", "$comment"))
# Beyond these a strict mode cannot say what the schema says.
_INEXPRESSIBLE = frozenset(
    ("allOf", "oneOf", "not", "if", "then", "else", "patternProperties", "prefixItems", "contains")
)
_BOUNDS = frozenset(
    (
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minLength",
        "maxLength",
        "minItems",
        "maxItems",
        "uniqueItems",
    )
)


def plain(schema: Mapping[str, Any]) -> Schema:
    """A copy in plain dictionaries and lists."""
    return _rebuilt(schema, dict)


def strict(schema: Mapping[str, Any]) -> Schema | None:
    """As OpenAI's strict mode wants it: objects closed, every property required.

    ``None`` where the schema cannot be said that way; then it has to be sent as a mere wish.
    https://platform.openai.com/docs/guides/structured-outputs#supported-schemas
    """
    if not all(_is_expressible(node) for node in nodes(schema)):
        return None
    return _rebuilt(schema, lambda node: _completed(_closed(_referring(_without(node, _NOTES)))))


def closed(schema: Mapping[str, Any]) -> Schema | None:
    """As Anthropic wants it: objects closed, no bounds on numbers, texts and lists.

    ``None`` where the schema cannot be said that way.
    https://platform.claude.com/docs/en/build-with-claude/structured-outputs
    """
    if not all(_is_expressible(node) for node in nodes(schema)):
        return None
    return _rebuilt(schema, lambda node: _closed(_without(node, _NOTES | _BOUNDS)))


def nodes(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Every part of a schema that is a schema itself, the whole first."""
    if not isinstance(schema, Mapping):
        return
    yield schema
    for part in _parts(schema):
        yield from nodes(part)


def _parts(node: Mapping[str, Any]) -> Iterator[Any]:
    for name in _NAMED:
        if isinstance(node.get(name), Mapping):
            yield from node[name].values()
    for name in _LISTED:
        if isinstance(node.get(name), list | tuple):
            yield from node[name]
    yield from (node[name] for name in _SINGLE if name in node)


_Change = Callable[[Mapping[str, Any]], Schema]


def _rebuilt(node: Mapping[str, Any], change: _Change) -> Schema:
    """The node with its parts rebuilt first, then changed itself."""
    return change({name: _rebuilt_field(name, value, change) for name, value in node.items()})


def _rebuilt_field(name: str, value: Any, change: _Change) -> Any:
    if name in _NAMED and isinstance(value, Mapping):
        return {key: _rebuilt_part(part, change) for key, part in value.items()}
    if name in _LISTED and isinstance(value, list | tuple):
        return [_rebuilt_part(part, change) for part in value]
    return _rebuilt_part(value, change) if name in _SINGLE else value


def _rebuilt_part(part: Any, change: _Change) -> Any:
    """A part that is ``true`` or ``false`` instead of a schema stays."""
    return _rebuilt(part, change) if isinstance(part, Mapping) else part


def _is_object(node: Mapping[str, Any]) -> bool:
    kind = node.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)


def _is_expressible(node: Mapping[str, Any]) -> bool:
    if _INEXPRESSIBLE & node.keys():
        return False
    open_ended = node.get("additionalProperties") not in (None, False)
    return not (_is_object(node) and (open_ended or not node.get("properties")))


def _without(node: Mapping[str, Any], names: frozenset[str]) -> Schema:
    return {name: value for name, value in node.items() if name not in names}


def _closed(node: Schema) -> Schema:
    return node | {"additionalProperties": False} if _is_object(node) else node


def _completed(node: Schema) -> Schema:
    return node | {"required": list(node["properties"])} if _is_object(node) else node


def _referring(node: Schema) -> Schema:
    """A reference may have no siblings in strict mode."""
    return {"$ref": node["$ref"]} if "$ref" in node else node
