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
from faultmaven.models.prompt import Image, Message

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
        return Completion(**{**fields, "usage": Usage(**fields.get("usage", {}))})


def cassettes(*, having: str) -> list[Cassette]:
    """Every recorded exchange with this part."""
    paths = sorted(_FOLDER.glob("*/*.json"))
    every = [Cassette(f"{path.parent.name}/{path.stem}", _read(path)) for path in paths]
    return [cassette for cassette in every if having in cassette.data]


def _read(path: Path) -> Mapping[str, Any]:
    data: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def _message(item: Mapping[str, Any]) -> Message:
    images = tuple(Image(**image) for image in item.get("images", ()))
    return Message(role=item["role"], text=item["text"], images=images)
