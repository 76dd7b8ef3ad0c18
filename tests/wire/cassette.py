"""Recorded exchanges, as the data they are kept in."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from faultmaven.infrastructure.llm.wire.types import (
    Completion,
    CompletionRequest,
    Endpoint,
    WireResponse,
)
from faultmaven.models.stream import Delta

_FOLDER = Path(__file__).parent / "cassettes"
_REQUEST = TypeAdapter(CompletionRequest)
_COMPLETION = TypeAdapter(Completion)
_DELTAS = TypeAdapter(tuple[Delta, ...])


@dataclass(frozen=True, slots=True)
class Stream:
    """A streamed answer and what it means.

    The file says `events` and then `reads` (a completion) or `raises` (an error), and may say
    `deltas` (the pieces, in order). Of the events an object is one event's data; one of `event`
    and `data` alone names its event; a text stands as it is, followed by a blank line where the
    format has such. `rest` is what follows the last event, half an event for example.
    """

    data: Mapping[str, Any]

    def written(self, *, lines: bool) -> bytes:
        """The bytes of the body, as JSON in ``lines`` or as server-sent events."""
        events = (_line(event) if lines else _event(event) for event in self.data["events"])
        return "".join((*events, self.data.get("rest", ""))).encode()

    @property
    def deltas(self) -> tuple[Delta, ...] | None:
        """The pieces, in order, if they are recorded."""
        recorded = self.data.get("deltas")
        return None if recorded is None else _DELTAS.validate_python(recorded)

    @property
    def completion(self) -> Completion | None:
        """What the whole of it means, unless it is an error."""
        recorded = self.data.get("reads")
        return None if recorded is None else _COMPLETION.validate_python(recorded)


@dataclass(frozen=True, slots=True)
class Cassette:
    """One exchange: what we ask becomes what is sent, what is answered becomes what is read.

    The file says `about`, `codec`, `endpoint`, then `request` and `sends`, or `response` with
    either `reads` (a completion) or `raises` (an error), or all of them; or a `stream`. With
    `sends` it may say what is `ignored`; a `request` with `refuses` is never sent.
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
        return _REQUEST.validate_python(self.data["request"])

    @property
    def response(self) -> WireResponse:
        """What was answered, on the wire."""
        answered = self.data["response"]
        body = answered["text"] if "text" in answered else json.dumps(answered["body"])
        return WireResponse(answered["status"], answered["headers"], body.encode())

    @property
    def completion(self) -> Completion:
        """What the answer means, in our terms."""
        return _COMPLETION.validate_python(self.data["reads"])

    @property
    def stream(self) -> Stream:
        """The streamed answer."""
        return Stream(self.data["stream"])


def cassettes(*, having: str) -> list[Cassette]:
    """Every recorded exchange with this part."""
    paths = sorted(_FOLDER.glob("*/*.json"))
    every = [Cassette(f"{path.parent.name}/{path.stem}", _read(path)) for path in paths]
    return [cassette for cassette in every if having in cassette.data]


def _read(path: Path) -> Mapping[str, Any]:
    data: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data


def _line(event: Any) -> str:
    return f"{_text(event)}\n"


def _event(event: Any) -> str:
    if isinstance(event, dict) and event.keys() == {"event", "data"}:
        return f"event: {event['event']}\ndata: {_text(event['data'])}\n\n"
    return f"{event}\n\n" if isinstance(event, str) else f"data: {_text(event)}\n\n"


def _text(event: Any) -> str:
    if isinstance(event, str):
        return event
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))
