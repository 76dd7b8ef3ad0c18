"""Recorded exchanges, as the data they are kept in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultmaven.infrastructure.llm.wire.types import (
    Completion,
    CompletionRequest,
    Endpoint,
    WireResponse,
)
from faultmaven.models.attempt import Usage
from faultmaven.models.prompt import (
    Controls,
    Image,
    Message,
    ResponseFormat,
    Thought,
    Tool,
    ToolCall,
    ToolChoice,
)

_FOLDER = Path(__file__).parent / "cassettes"


@dataclass(frozen=True, slots=True)
class Cassette:
    """One exchange: what we ask becomes what is sent, what is answered becomes what is read.

    The file says `about`, `codec`, `endpoint`, then `request` and `sends`, or `response` with
    either `reads` (a completion) or `raises` (an error), or all of them.
    """

    name: str
    data: Mapping[str, Any]

    @property
    def endpoint(self) -> Endpoint:
        """Where the exchange took place."""
        return Endpoint(**self.data["endpoint"])

    @property
    def request(self) -> CompletionRequest:
        """What was asked, in our terms."""
        asked = dict(self.data["request"])
        asked["messages"] = tuple(_message(item) for item in asked["messages"])
        asked["stop"] = tuple(asked.get("stop", ()))
        asked["controls"] = _controls(asked.get("controls", {}))
        return CompletionRequest(**asked)

    @property
    def response(self) -> WireResponse:
        """What was answered, on the wire."""
        answered = self.data["response"]
        body = answered["text"] if "text" in answered else json.dumps(answered["body"])
        return WireResponse(answered["status"], answered["headers"], body.encode())

    @property
    def completion(self) -> Completion:
        """What the answer means, in our terms."""
        fields = dict(self.data["reads"])
        read = {
            "usage": Usage(**fields.get("usage", {})),
            "tool_calls": tuple(ToolCall(**call) for call in fields.get("tool_calls", ())),
            "thoughts": tuple(Thought(**thought) for thought in fields.get("thoughts", ())),
            "logprobs": tuple(fields.get("logprobs", ())),
        }
        return Completion(**{**fields, **read})


def cassettes(*, having: str) -> list[Cassette]:
    """Every recorded exchange with this part."""
    paths = sorted(_FOLDER.glob("*/*.json"))
    every = [Cassette(f"{path.parent.name}/{path.stem}", _read(path)) for path in paths]
    return [cassette for cassette in every if having in cassette.data]


def _read(path: Path) -> Mapping[str, Any]:
    data: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def _message(item: Mapping[str, Any]) -> Message:
    several = {"images": Image, "tool_calls": ToolCall, "thoughts": Thought}
    read = {
        name: tuple(kind(**part) for part in item.get(name, ())) for name, kind in several.items()
    }
    return Message(**{**item, **read})


def _controls(asked: Mapping[str, Any]) -> Controls:
    read: dict[str, Any] = {"tools": tuple(Tool(**tool) for tool in asked.get("tools", ()))}
    for name, kind in (("tool_choice", ToolChoice), ("response_format", ResponseFormat)):
        if name in asked:
            read[name] = kind(**asked[name])
    return Controls(**{**asked, **read})
