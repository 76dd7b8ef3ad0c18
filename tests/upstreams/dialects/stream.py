"""An answer as a stream: its events in no vendor's bytes, and the bytes around them."""

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from upstreams.messages import Reply


class Stage(StrEnum):
    """What an event means for whoever waits for text."""

    START = "start"
    """It opens something: a message, a role, a block."""
    THINKING = "thinking"
    CONTENT = "content"
    """A piece of the text, or of a tool call."""
    FINISH = "finish"
    """It says why the model stopped."""
    END = "end"
    """After the finish: token counts, the end mark."""


@dataclass(frozen=True, slots=True)
class Event:
    """One event of a stream."""

    stage: Stage
    data: Any = None
    """What is written as JSON; a text stands as it is (the end mark is no JSON)."""
    name: str | None = None
    """The event's name, at vendors whose events have one."""
    comment: str | None = None
    """A remark instead of data, where the format has remarks."""


class Framing(ABC):
    """How events become bytes."""

    content_type: str

    @abstractmethod
    def write(self, event: Event) -> bytes:
        """Write one event; nothing where the format has no words for it."""

    def reply(self, events: Iterable[Event], *headers: tuple[str, str]) -> Reply:
        """Put a whole stream into one answer."""
        body = b"".join(self.write(event) for event in events)
        return Reply(200, body, self.headers(*headers))

    def headers(self, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
        """Give the head's fields."""
        return (("content-type", self.content_type), ("cache-control", "no-cache"), *more)


@dataclass(frozen=True, slots=True)
class Sse(Framing):
    """Server-sent events."""

    space: bool = True
    """Whether a blank follows the colon."""
    newline: str = "\n"
    content_type: str = "text/event-stream"

    def write(self, event: Event) -> bytes:
        """Write the event's lines and the empty one that ends it."""
        lines = self._comment(event) if event.comment is not None else self._lines(event)
        return self.newline.join([*lines, "", ""]).encode()

    def _comment(self, event: Event) -> list[str]:
        return [f": {event.comment}"]

    def _lines(self, event: Event) -> Iterator[str]:
        blank = " " if self.space else ""
        if event.name is not None:
            yield f"event:{blank}{event.name}"
        yield f"data:{blank}{_text(event.data)}"


@dataclass(frozen=True, slots=True)
class JsonLines(Framing):
    """One JSON object on each line; names and remarks have no place."""

    newline: str = "\n"
    content_type: str = "application/x-ndjson"

    def write(self, event: Event) -> bytes:
        """Write the line."""
        if event.comment is not None:
            return b""
        return (_text(event.data) + self.newline).encode()


def _text(data: Any) -> str:
    if isinstance(data, str):
        return data
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def before_content(events: Iterable[Event]) -> list[Event]:
    """Keep what comes before the first piece of content."""
    late = {Stage.CONTENT, Stage.FINISH, Stage.END}
    kept = []
    for event in events:
        if event.stage in late:
            break
        kept.append(event)
    return kept


def half_told(events: Iterable[Event]) -> list[Event]:
    """Keep everything up to about half of the content: at least one piece of it."""
    told = list(events)
    places = [place for place, event in enumerate(told) if event.stage is Stage.CONTENT]
    if not places:
        return before_content(told)
    return told[: places[(len(places) - 1) // 2] + 1]
