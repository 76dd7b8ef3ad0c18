"""The JSON schemas a model is held to.

Small and strict: every field required, nothing else allowed, because that is what all vendors'
strict modes take (https://platform.openai.com/docs/guides/structured-outputs).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from faultmaven.models.prompt import ConstantSchema

Schema = Mapping[str, Any]

EXPLANATION_CHARS = 320
"""What a small model may write to explain the fault; it is cut there, within a word if need be."""

_TEXT: Schema = {"type": "string"}
_QUOTE: Schema = {"type": "string", "description": "words copied exactly from the input"}
_UNKNOWN: Schema = {"type": "string", "description": "empty if unknown"}
_STATUS: Schema = {"type": "string", "enum": ["completed", "inconclusive"]}
_SEVERITY: Schema = {"type": "string", "enum": ["info", "low", "medium", "high", "critical"]}
_SAFETY: Schema = {"type": "string", "enum": ["read_only", "changes_state", "destructive"]}


def _object(**properties: Schema) -> Schema:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: Schema, **limits: int) -> Schema:
    return {"type": "array", "items": items, **limits}


def _at_most(chars: int) -> Schema:
    return {"type": "string", "maxLength": chars}


_FULL = ConstantSchema(
    _object(
        evidence=_list(_QUOTE),
        summary=_TEXT,
        root_cause=_UNKNOWN,
        status=_STATUS,
        findings=_list(_object(type=_TEXT, message=_TEXT, severity=_SEVERITY, evidence=_QUOTE)),
        next_steps=_list(_TEXT),
        commands=_list(_object(command=_TEXT, description=_TEXT, safety=_SAFETY)),
        recommendations=_list(_TEXT),
        missing_information=_list(_object(what=_TEXT, how=_TEXT, why=_TEXT)),
    )
)


def full_schema() -> Schema:
    """The whole result, for models that can fill it in.

    Quotes come first: a model that has to quote before it concludes invents less.
    """
    return _FULL


def narrow_schema(
    *, quotes: Sequence[str], commands: Sequence[str], steps: Sequence[str]
) -> Schema:
    """A result a model of about a billion parameters finishes within some 350 tokens.

    Left to itself such a model quotes its instructions, invents commands, and calls every answer
    inconclusive or none; so it chooses from lists, and is not asked how sure it is. Asked for an
    explanation it speaks of the case; asked for a root cause it recites the runbook.

    Args:
        quotes: the lines it may quote.
        commands: the commands it may suggest; without any it suggests none.
        steps: the next steps it may suggest, likewise: free text is where it would put the
            commands that it invents.
    """
    chosen: dict[str, Schema] = {}
    if steps:
        chosen["next_steps"] = _list(_one_of(steps), maxItems=2)
    if commands:
        chosen["commands"] = _list(_object(command=_one_of(commands)), maxItems=3)
    return _object(
        explanation=_at_most(EXPLANATION_CHARS),
        evidence=_list(_one_of(quotes) if quotes else _at_most(100), maxItems=3),
        **chosen,
    )


def _one_of(texts: Sequence[str]) -> Schema:
    return {"type": "string", "enum": list(texts)}
