"""What vendors demand of a JSON schema for structured output."""

from collections.abc import Iterator, Mapping
from typing import Any

from upstreams.dialects.problems import Problem, Refused


def nodes(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Walk a schema's parts: itself, its properties, items, alternatives and definitions."""
    if not isinstance(schema, Mapping):
        return
    yield schema
    for name in ("properties", "$defs", "definitions"):
        for part in (schema.get(name) or {}).values():
            yield from nodes(part)
    for name in ("anyOf", "allOf", "oneOf", "prefixItems"):
        for part in schema.get(name) or ():
            yield from nodes(part)
    yield from nodes(schema.get("items"))


def is_object(node: Mapping[str, Any]) -> bool:
    """Tell whether a part describes an object."""
    kind = node.get("type")
    return kind == "object" or (isinstance(kind, list) and "object" in kind)


def closed(schema: Any, *, message: str) -> None:
    """Require `additionalProperties: false` of every object.

    Raises:
        Refused: An object is open.
    """
    if any(
        is_object(node) and node.get("additionalProperties") is not False for node in nodes(schema)
    ):
        raise Refused(Problem.INVALID, message)


def complete(schema: Any, *, message: str) -> None:
    """Require every property of every object in its `required`.

    Raises:
        Refused: A property is optional.
    """
    for node in nodes(schema):
        if set(node.get("properties") or ()) - set(node.get("required") or ()):
            raise Refused(Problem.INVALID, message)


def without(schema: Any, *, keywords: frozenset[str], message: str) -> None:
    """Require that no part uses one of these keywords; `message` has a `{}` for its name.

    Raises:
        Refused: One does.
    """
    for node in nodes(schema):
        for name in sorted(keywords & node.keys()):
            raise Refused(Problem.INVALID, message.format(name))
