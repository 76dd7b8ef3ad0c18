"""The schemas are small, strict, and what the reader reads."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from faultmaven.services.diagnosis import full_schema, narrow_schema, read_diagnosis

_NARROW = narrow_schema(
    quotes=["OOMKilled"], commands=["kubectl get pods"], steps=["Raise the limit."]
)


def _objects(schema: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    if schema.get("type") == "object":
        yield schema
        for inner in schema["properties"].values():
            yield from _objects(inner)
    if schema.get("type") == "array":
        yield from _objects(schema["items"])


def test_every_object_is_strict() -> None:
    """All fields are required and no other is allowed, as all vendors' strict modes want it."""
    for schema in (full_schema(), _NARROW, narrow_schema(quotes=[], commands=[], steps=[])):
        for part in _objects(schema):
            assert part["required"] == list(part["properties"])
            assert part["additionalProperties"] is False


def test_full_schema_uses_no_keyword_a_vendor_refuses() -> None:
    """Limits on lengths are left out where strict modes do not take them."""
    assert "maxLength" not in json.dumps(full_schema())
    assert "minItems" not in json.dumps(full_schema())


def test_small_model_chooses_quotes_and_commands_from_lists() -> None:
    """It cannot invent a command or quote what was not sent."""
    properties = _NARROW["properties"]

    assert properties["evidence"]["items"]["enum"] == ["OOMKilled"]
    assert properties["commands"]["items"]["properties"]["command"]["enum"] == ["kubectl get pods"]
    assert "confidence" not in json.dumps(_NARROW)


def test_small_model_without_a_runbook_suggests_nothing() -> None:
    """With nothing to choose from, there is no field to invent in."""
    properties = narrow_schema(quotes=["x"], commands=[], steps=[])["properties"]

    assert set(properties) == {"explanation", "evidence"}


def test_small_model_takes_its_next_steps_from_a_list() -> None:
    """Free text is where it would put the commands that it invents."""
    assert _NARROW["properties"]["next_steps"]["items"]["enum"] == ["Raise the limit."]


def _largest(schema: Mapping[str, Any]) -> Any:
    """The longest value the schema allows."""
    if "enum" in schema:
        return max(schema["enum"], key=len)
    if schema["type"] == "string":
        return "x" * schema["maxLength"]
    if schema["type"] == "array":
        return [_largest(schema["items"])] * schema["maxItems"]
    return {name: _largest(part) for name, part in schema["properties"].items()}


def test_narrow_answer_fits_some_350_tokens() -> None:
    """The longest answer with typical choices stays near the aim at 3.5 bytes a token."""
    schema = narrow_schema(quotes=["q" * 60], commands=["c" * 60], steps=["s" * 60])

    assert len(json.dumps(_largest(schema))) / 3.5 < 370


def _filled(schema: Mapping[str, Any]) -> Any:
    if "enum" in schema:
        return schema["enum"][0]
    if schema["type"] == "string":
        return "words"
    if schema["type"] == "array":
        return [_filled(schema["items"])]
    return {name: _filled(part) for name, part in schema["properties"].items()}


def test_what_follows_the_schema_is_read_whole() -> None:
    """Each field of the schema arrives in the diagnosis."""
    found = read_diagnosis(json.dumps(_filled(full_schema())))

    assert (found.summary, found.root_cause, found.quotes) == ("words", "words", ("words",))
    assert [len(part) for part in (found.findings, found.commands, found.missing)] == [1, 1, 1]
    assert (found.next_steps, found.recommendations) == (("words",), ("words",))
