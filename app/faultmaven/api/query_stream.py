"""One answer as server-sent events: ``attempt``, ``delta``, then ``result`` or ``error``."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Protocol

from pydantic import BaseModel

from faultmaven.api.answer_headers import note_beginning
from faultmaven.api.errors import noted_failure
from faultmaven.api.event_stream import EventStream
from faultmaven.errors import FaultMavenError
from faultmaven.models.api import AttemptBody, TroubleshootResponse
from faultmaven.models.attempt import Attempt
from faultmaven.models.stream import Beginning, Delta, IAnswerListener


class Asking(Protocol):
    """A question that only waits to be asked."""

    def __call__(
        self, *, listener: IAnswerListener, on_asked: Callable[[], object]
    ) -> Awaitable[TroubleshootResponse]:
        """Ask it; both are those of `AgentService.troubleshoot`."""
        ...


class AnswerEvents:
    """An `IAnswerListener` that writes what it hears into a stream."""

    def __init__(self, stream: EventStream) -> None:
        self._stream = stream

    async def on_attempt(self, attempt: Attempt) -> None:
        """Write the attempt as the result will list it."""
        await self._stream.write(_event("attempt", AttemptBody.of(attempt)))

    async def on_begin(self, beginning: Beginning) -> None:
        """Write nothing: the first words follow."""
        note_beginning(beginning)

    async def on_delta(self, delta: Delta) -> None:
        """Write the next words."""
        text = json.dumps({"text": delta.text}, ensure_ascii=False)
        await self._stream.write(f"event: delta\ndata: {text}\n\n".encode())


async def stream_answer(stream: EventStream, asking: Asking, *, instance: str | None) -> None:
    """Ask, and write what is heard; the head leaves as soon as the question is accepted.

    Args:
        stream: where it is written.
        asking: the question.
        instance: the path that was asked, as errors name it.

    Raises:
        FaultMavenError: it went wrong before the head had left.
    """
    try:
        async with _opened_once(stream) as accepted:
            answer = await asking(listener=AnswerEvents(stream), on_asked=accepted)
    except FaultMavenError as error:
        if not stream.opened:
            raise
        await stream.write(_event("error", noted_failure(error, instance=instance).problem))
    else:
        await stream.write(_event("result", answer))


@asynccontextmanager
async def _opened_once(stream: EventStream) -> AsyncIterator[Callable[[], None]]:
    """Gives what to call once the head may leave; it has left or will not when this ends."""
    accepted = asyncio.Event()
    opening = asyncio.create_task(_open_when(accepted, stream))
    try:
        yield accepted.set
    finally:
        if not accepted.is_set():
            opening.cancel()
        await asyncio.gather(opening, return_exceptions=True)


async def _open_when(accepted: asyncio.Event, stream: EventStream) -> None:
    await accepted.wait()
    await stream.open()


def _event(name: str, body: BaseModel) -> bytes:
    return f"event: {name}\ndata: {body.model_dump_json()}\n\n".encode()
