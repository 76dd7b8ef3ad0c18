"""An answer told to its caller while it is written."""

from __future__ import annotations

from faultmaven.api.answer_headers import headers_of_answer, headers_of_beginning, note_beginning
from faultmaven.api.anthropic.errors import error_event
from faultmaven.api.anthropic.request import Asked
from faultmaven.api.anthropic.stream import AnswerEvents
from faultmaven.api.errors import noted_failure
from faultmaven.api.event_stream import EventStream
from faultmaven.errors import FaultMavenError
from faultmaven.infrastructure.observability.request import RequestInFlight
from faultmaven.models.attempt import Attempt
from faultmaven.models.stream import Beginning, Delta
from faultmaven.services.completions import CompletionService


class Teller:
    """Hears an answer and writes it to a stream."""

    def __init__(self, stream: EventStream, answer: AnswerEvents, headers: dict[str, str]) -> None:
        self._stream = stream
        self._answer = answer
        self._headers = headers

    async def on_attempt(self, attempt: Attempt) -> None:
        """Nothing: the protocol has no word for it."""

    async def on_begin(self, beginning: Beginning) -> None:
        """Send the head and the first event."""
        note_beginning(beginning)
        await self._stream.open({**self._headers, **headers_of_beginning(beginning)})
        await self._stream.write(self._answer.begin(beginning))

    async def on_delta(self, delta: Delta) -> None:
        """Send what is new."""
        events = self._answer.delta(delta)
        if events:
            await self._stream.write(events)


async def tell(
    stream: EventStream,
    asked: Asked,
    *,
    completions: CompletionService,
    answer: AnswerEvents,
    came: RequestInFlight,
) -> None:
    """Write the whole answer to ``stream``, or why there is none.

    Raises:
        FaultMavenError: there is none, and nothing has been sent yet.
    """
    headers = {"request-id": came.request_id}
    try:
        whole = await completions.complete(
            asked.question,
            listener=Teller(stream, answer, headers),
            request_id=came.request_id,
            received_at=came.started_at,
        )
    except FaultMavenError as error:
        if not stream.opened:
            raise
        await stream.write(error_event(noted_failure(error)))
        return
    await stream.open({**headers, **headers_of_answer(whole)})
    await stream.write(answer.end(whole))
