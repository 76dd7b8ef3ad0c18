"""Conversations as Gemini wants them: parts of content in alternating turns."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from faultmaven.errors import UnsupportedRequestError
from faultmaven.infrastructure.llm.wire.alternation import Result, Turn
from faultmaven.infrastructure.llm.wire.body import write_json
from faultmaven.infrastructure.llm.wire.function_tools import arguments_object
from faultmaven.infrastructure.llm.wire.gemini_models import signs_calls
from faultmaven.models.prompt import Image, ToolCall

_Part = dict[str, Any]

_ROLES = {"user": "user", "assistant": "model"}
_LONGEST_NAME = 64
_NOT_IN_NAMES = re.compile(r"[^A-Za-z0-9_.:-]|^(?![A-Za-z_])")
# Stands for the signature of a call that Gemini did not make itself, or whose own was lost.
# https://ai.google.dev/gemini-api/docs/thought-signatures
_UNSIGNED = "skip_thought_signature_validator"


def write_turns(turns: Sequence[Turn], *, model: str) -> list[_Part]:
    """The turns as ``contents``.

    Raises:
        UnsupportedRequestError: a picture is given by its address only.
    """
    write = _Writer(signs=signs_calls(model))
    return [{"role": _ROLES[turn.role], "parts": write.parts(turn)} for turn in turns]


class _Writer:
    """Writes the parts of turns; ``signs``: for a model of the third generation or later."""

    def __init__(self, *, signs: bool) -> None:
        self._signs = signs

    def parts(self, turn: Turn) -> list[_Part]:
        text = [{"text": turn.text}] if turn.text.strip() else []
        results = [part for result in turn.results for part in self._result(result)]
        calls = [self._call(call, first=call is turn.calls[0]) for call in turn.calls]
        return [*results, *text, *map(_picture, turn.images), *calls]

    def _call(self, call: ToolCall, *, first: bool) -> _Part:
        """A call; of several made at once Gemini signs the first only."""
        described = {"name": _usable_name(call.name), "args": arguments_object(call.arguments)}
        signature = call.signature or (_UNSIGNED if first and self._signs else "")
        signed = {"thoughtSignature": signature} if signature else {}
        return {"functionCall": self._named(call) | described, **signed}

    def _result(self, result: Result) -> list[_Part]:
        """A result; its pictures stand beside it where the model takes none within."""
        described: _Part = self._named(result.call)
        described |= {"name": _usable_name(result.call.name), "response": _response(result)}
        pictures = [_picture(image) for image in result.images]
        if pictures and self._signs:
            return [{"functionResponse": described | {"parts": pictures}}]
        return [{"functionResponse": described}, *pictures]

    def _named(self, call: ToolCall) -> _Part:
        return {"id": call.id} if self._signs else {}


def _usable_name(name: str) -> str:
    """A name of the past as Gemini takes it: other vendors, and models, invent other ones."""
    return _NOT_IN_NAMES.sub("_", name)[:_LONGEST_NAME]


def _response(result: Result) -> _Part:
    """What the tool gave, as the object that Gemini wants."""
    if result.failed:
        return {"error": result.text}
    try:
        value = json.loads(result.text)
        write_json({"": value})  # numbers that JSON does not have are read, but never written
    except (ValueError, RecursionError):
        value = None
    return value if isinstance(value, dict) else {"result": result.text}


def _picture(image: Image) -> _Part:
    if image.url:
        raise UnsupportedRequestError("Gemini takes pictures by content only")
    return {"inlineData": {"mimeType": image.media_type, "data": image.data}}
