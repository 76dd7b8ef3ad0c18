"""What Google checks of functions: those declared, those called, and their responses."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from upstreams.dialects import fields, schemas
from upstreams.dialects.gemini_answer import signature_of, signs
from upstreams.dialects.problems import Problem, Refused
from upstreams.dialects.signatures import is_signed

_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}")
_SKIP = "skip_thought_signature_validator"
"""What stands for a signature nobody has, for calls of another vendor's model.

Source: Google's page on thought signatures.
"""
_MODES = frozenset({"AUTO", "ANY", "NONE", "VALIDATED", "MODE_UNSPECIFIED"})
_JSON_SCHEMA_ONLY = frozenset({"$schema", "$defs", "$ref", "const", "oneOf", "allOf"})

Turns = Sequence[Mapping[str, Any]]


def check_tools(body: Mapping[str, Any]) -> None:
    """Check the functions declared and how they may be called."""
    names: set[str] = set()
    for tool in read(body, "tools") or ():
        for declared in read(tool, "functionDeclarations") or ():
            names.add(_check_declaration(declared))
    _check_config(read(read(body, "toolConfig") or {}, "functionCallingConfig") or {}, names)


def _check_declaration(declared: Mapping[str, Any]) -> str:
    name = declared.get("name")
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        text = f"Invalid function name: '{name}'. Must start with a letter or an underscore."
        raise Refused(Problem.INVALID, text)
    if "parameters" in declared and read(declared, "parametersJsonSchema") is not None:
        raise Refused(
            Problem.INVALID, "Only one of parameters and parameters_json_schema is allowed."
        )
    text = 'Invalid JSON payload received. Unknown name "{}" at "parameters": Cannot find field.'
    schemas.without(declared.get("parameters"), keywords=_JSON_SCHEMA_ONLY, message=text)
    return name


def _check_config(config: Mapping[str, Any], names: set[str]) -> None:
    mode = config.get("mode", "AUTO")
    if mode not in _MODES:
        raise Refused(Problem.INVALID, f"Invalid value at 'mode': \"{mode}\"")
    allowed = read(config, "allowedFunctionNames") or []
    if allowed and mode not in {"ANY", "VALIDATED"}:
        text = "Allowed function names should only be set when the mode is ANY or VALIDATED."
        raise Refused(Problem.INVALID, text)
    if not set(allowed) <= names:
        raise Refused(Problem.INVALID, "Allowed function names must be declared.")


def check_calls(contents: Turns, *, model: str) -> None:
    """Check that calls and responses match, and that thoughts come back as they were signed."""
    for place, turn in enumerate(contents):
        following = contents[place + 1] if place + 1 < len(contents) else {}
        _check_responses(inside(turn, "functionCall"), inside(following, "functionResponse"))
        if inside(turn, "functionResponse"):
            before = contents[place - 1] if place else {}
            _check_asked(inside(before, "functionCall"))
    for turn in contents:
        for part in turn["parts"]:
            _check_signature(part)
    if signs(model):
        _check_signed(contents)


def _check_asked(calls: Sequence[Any]) -> None:
    if not calls:
        text = (
            "Please ensure that function response turn comes immediately after a function call "
            "turn."
        )
        raise Refused(Problem.INVALID, text)


def _check_responses(calls: Sequence[Any], responses: Sequence[Any]) -> None:
    if not calls:
        return
    if len(calls) != len(responses):
        text = (
            "Please ensure that the number of function response parts is equal to the number of "
            "function call parts of the function call turn."
        )
        raise Refused(Problem.INVALID, text)
    if sorted(str(call.get("name")) for call in calls) != sorted(
        str(response.get("name")) for response in responses
    ):
        text = "Please ensure that the function responses have the names of the function calls."
        raise Refused(Problem.INVALID, text)
    for response in responses:
        if not isinstance(response.get("response"), dict):
            text = 'Invalid value at "function_response.response": expected an object.'
            raise Refused(Problem.INVALID, text)
    for call in calls:
        fields.mapping(call, "args")


def _check_signature(part: Mapping[str, Any]) -> None:
    """Accept own signatures alone; that of a call belongs to this call."""
    given = read(part, "thoughtSignature")
    if given is None or given == _SKIP:
        return
    call = read(part, "functionCall")
    own = signature_of(call["name"], call.get("args") or {}) if call else given
    if given != own or not is_signed(given):
        raise Refused(Problem.INVALID, "Thought signature is not valid")


def _check_signed(contents: Turns) -> None:
    """Want the signature on the first call of each step since the user last spoke."""
    spoken = [place for place, turn in enumerate(contents) if _is_spoken(turn)]
    start = spoken[-1] if spoken else 0
    for place, turn in enumerate(contents[start:], start + 1):
        called = [part for part in turn["parts"] if read(part, "functionCall") is not None]
        if called and read(called[0], "thoughtSignature") is None:
            name = read(called[0], "functionCall").get("name")
            text = (
                "Function call is missing a thought_signature in functionCall parts. Additional "
                f"data, function call `default_api:{name}`, position {place}."
            )
            raise Refused(Problem.INVALID, text)


def _is_spoken(turn: Mapping[str, Any]) -> bool:
    """Tell whether the user says something here, beside what functions respond."""
    responses = inside(turn, "functionResponse")
    return turn.get("role", "user") == "user" and len(turn["parts"]) > len(responses)


def inside(turn: Mapping[str, Any], name: str) -> list[Any]:
    """Give what the parts of a turn have under a name."""
    found = (read(part, name) for part in turn.get("parts", ()))
    return [value for value in found if value is not None]


def read(body: Mapping[str, Any], name: str) -> Any:
    """Read a field under its name in camel case or in snake case."""
    return body.get(name, body.get(fields.snake(name)))
