"""A model's JSON answer -> `Diagnosis`, as leniently as can be told apart from guessing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Annotated, Any, get_args

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from faultmaven.models.api import Command, Finding, MissingInformation, Safety, Severity
from faultmaven.services.diagnosis.result import AnswerForm, Diagnosis
from faultmaven.services.diagnosis.schema import EXPLANATION_CHARS
from faultmaven.services.sanitizer import Sanitizer

_MAX_STARTS = 4  # places where an object may begin in an answer with text around it
_MAX_DEPTH = 12
_FENCE = re.compile(r"```[A-Za-z]{0,10}[ \t]*\n(.*?)(?:```|\Z)", re.DOTALL)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_CLOSERS = {"{": "}", "[": "]"}
_CONCLUSIONS = frozenset({"summary", "root_cause", "explanation"})
_SEVERITIES = frozenset(get_args(Severity))
_SAFETIES = frozenset(get_args(Safety))
_SANITIZER = Sanitizer()

_LONGEST_NAME = 64  # characters; none of ours comes near


def _text(value: object) -> str:
    """Strings and numbers as text; of anything else nothing.

    JSON can spell what a text has been cleaned of, such as terminal codes.
    """
    if isinstance(value, str):
        return _SANITIZER.clean(value).strip()
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else ""


def _whole_sentences(value: object) -> str:
    """The text, without the sentence that ran into the schema's limit."""
    text = _text(value)
    if len(text) < EXPLANATION_CHARS - 1 or text.endswith((".", "!", "?")):
        return text
    end = max(text.rfind(mark) for mark in (". ", "! ", "? "))
    return text[: end + 1] if end > 0 else f"{text.rsplit(' ', 1)[0]} ..."


def _texts(value: object) -> list[str]:
    """Texts of a list or of one item; of an object its first one, such as a quote's words."""
    items = value if isinstance(value, list) else [value]
    first = (next(iter(i.values()), "") if isinstance(i, dict) else i for i in items)
    return [text for text in map(_text, first) if text]


def _folded(value: Mapping[str, Any]) -> dict[str, Any]:
    """The object with its names in snake case: some models prefer camels."""
    return {field_name(name): v for name, v in value.items()}


def field_name(name: str) -> str:
    """The name of a field as we write it, whatever style it comes in."""
    return _known_name(name) if len(name) <= _LONGEST_NAME else name


@lru_cache(maxsize=256)
def _known_name(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])|[ -]", "_", name).lower()


def _objects(main: str) -> BeforeValidator:
    """Objects, and plain strings as objects of which only ``main`` is known."""

    def read(value: object) -> list[dict[str, Any]]:
        items = value if isinstance(value, list) else [value]
        objects = (_folded(i) if isinstance(i, dict) else {main: _text(i)} for i in items)
        return [found for found in objects if _text(found.get(main))]

    return BeforeValidator(read)


_Text = Annotated[str, BeforeValidator(_text)]
_Texts = Annotated[list[str], BeforeValidator(_texts)]


class _Lenient(BaseModel):
    model_config = ConfigDict(extra="ignore", defer_build=True)


class _Finding(_Lenient):
    message: _Text
    type: _Text = ""
    severity: _Text = ""
    evidence: _Text = ""


class _Command(_Lenient):
    command: _Text
    description: _Text = ""
    safety: _Text = ""


class _Missing(_Lenient):
    what: _Text
    how: _Text = ""
    why: _Text = ""


class _Answer(_Lenient):
    """The fields of the schema, each as good as it came."""

    status: _Text = ""
    summary: _Text = ""
    root_cause: _Text = ""
    explanation: Annotated[str, BeforeValidator(_whole_sentences)] = ""
    evidence: _Texts = Field(default_factory=list)
    next_steps: _Texts = Field(default_factory=list)
    recommendations: _Texts = Field(default_factory=list)
    findings: Annotated[list[_Finding], _objects("message")] = Field(default_factory=list)
    commands: Annotated[list[_Command], _objects("command")] = Field(default_factory=list)
    missing_information: Annotated[list[_Missing], _objects("what")] = Field(default_factory=list)


FIELDS = frozenset(_Answer.model_fields)
"""The fields that are understood."""


def from_json(text: str) -> Diagnosis | None:
    """The diagnosis in ``text``, or ``None`` where it holds none as JSON; never raises.

    An object of our form that says nothing is an answer, too: that nothing can be said.
    """
    silent: Diagnosis | None = None
    for candidate in _candidates(text):
        folded = _folded(candidate)
        if not folded.keys() & FIELDS:
            continue
        found = _diagnosis(_Answer.model_validate(folded), text)
        if found.is_telling:
            return found
        if folded.keys() & _CONCLUSIONS:
            silent = silent or replace(found, inconclusive=True)
    return silent


def read_fields(fields: Mapping[str, Any]) -> Diagnosis:
    """What these fields of an answer say, named as `field_name` names them; never raises."""
    return _diagnosis(_Answer.model_validate(fields), "")


def _diagnosis(answer: _Answer, text: str) -> Diagnosis:
    return Diagnosis(
        form=AnswerForm.NARROW if answer.explanation else AnswerForm.JSON,
        text=text,
        summary=answer.summary,
        root_cause=answer.root_cause or answer.explanation,
        findings=tuple(map(_finding, answer.findings)),
        quotes=tuple(answer.evidence),
        recommendations=tuple(answer.recommendations),
        next_steps=tuple(answer.next_steps),
        commands=tuple(map(_command, answer.commands)),
        missing=tuple(MissingInformation(**m.model_dump()) for m in answer.missing_information),
        inconclusive=_is_inconclusive(answer),
    )


def _is_inconclusive(answer: _Answer) -> bool:
    """What the model says, or whether it names a cause where it is not asked to say."""
    status = answer.status.lower()
    names_cause = bool(answer.root_cause or answer.explanation)
    return "inconclusive" in status or not (status or names_cause)


def _finding(found: _Finding) -> Finding:
    return Finding(
        type=found.type or "observation",
        message=found.message,
        severity=severity_of(found.severity),
        evidence=found.evidence or None,
    )


def _command(found: _Command) -> Command:
    return Command(
        command=found.command.strip("`").removeprefix("$ ").strip(),
        description=found.description,
        safety=safety_of(found.safety),
    )


def severity_of(word: str) -> Severity:
    """The severity a word means; medium where it means none of ours."""
    return next((severity for severity in _SEVERITIES if severity == word.lower()), "medium")


def safety_of(word: str) -> Safety:
    """The safety a word means; read only where it means none of ours: our reading is added."""
    folded = word.lower().replace(" ", "_").replace("-", "_")
    return next((safety for safety in _SAFETIES if safety == folded), "read_only")


def _candidates(text: str) -> Iterator[dict[str, Any]]:
    """Objects the text may hold: the whole, fenced blocks, from a brace on, or cut short."""
    stripped = text.strip()
    blocks = [block.strip() for block in _FENCE.findall(text)]
    for candidate in (stripped, *blocks):
        yield from _loaded(candidate)
    for start in _starts(stripped):
        yield from _decoded_from(stripped, start)
    for candidate in (stripped, *blocks):
        if candidate.startswith("{"):
            yield from _loaded(_TRAILING_COMMA.sub(r"\1", candidate))
            yield from _loaded(_closed(candidate))


def _starts(text: str) -> Iterator[int]:
    start = -1
    for _ in range(_MAX_STARTS):
        start = text.find("{", start + 1)
        if start < 0:
            return
        yield start


def _loaded(text: str) -> Iterator[dict[str, Any]]:
    if not text.startswith("{"):
        return
    try:
        value = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        yield value


def _decoded_from(text: str, start: int) -> Iterator[dict[str, Any]]:
    try:
        value, _ = json.JSONDecoder(strict=False).raw_decode(text, start)
    except (ValueError, RecursionError):
        return
    if isinstance(value, dict):
        yield value


def _closed(text: str) -> str:
    """A cut object, ended after its last whole value; empty where there is none."""
    stack: list[str] = []
    in_string = escaped = False
    end, closers = 0, ""
    for place, sign in enumerate(text):
        if in_string:
            in_string = escaped or sign != '"'
            escaped = sign == "\\" and not escaped
        elif sign == '"':
            in_string = True
        elif sign in "{[":
            stack.append(_CLOSERS[sign])
        elif sign in "}]" and stack:
            stack.pop()
            end, closers = place + 1, "".join(reversed(stack))
        elif sign == "," and stack:
            end, closers = place, "".join(reversed(stack))
        if len(stack) > _MAX_DEPTH:
            return ""
    return text[:end] + closers
