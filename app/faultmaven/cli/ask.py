"""``faultmaven ask``: one question, answered in this process."""

from __future__ import annotations

import asyncio
import signal
import sys
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from faultmaven.cli.console import complain, err, out, print_json
from faultmaven.errors import AnswerCutError, ChainError, InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from faultmaven.cli.live import LiveShow
    from faultmaven.models.api import TroubleshootResponse
    from faultmaven.models.attempt import Attempt
    from faultmaven.models.request import TroubleshootRequest


def ask(
    context: typer.Context,
    question: Annotated[str, typer.Argument(help="What is wrong, in your words.")],
    *,
    file: Annotated[
        list[Path] | None,
        typer.Option(help="A log to send along, - for standard input; repeatable."),
    ] = None,
    provider: Annotated[str | None, typer.Option(help="Ask this provider only.")] = None,
    session: Annotated[str | None, typer.Option(help="Continue this conversation.")] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the whole answer as JSON.")
    ] = False,
) -> None:
    """Ask one question, with logs if you like, and print the answer with its evidence."""
    attachments = [_attachment(context.obj / path) for path in file or ()]
    body = {"session_id": session or str(uuid.uuid4()), "query": question}
    request = _request({**body, "attachments": attachments, "provider": provider})
    signal.signal(signal.SIGTERM, _end)
    try:
        (_ask_for_json if as_json else _ask_aloud)(request)
    except InvalidInputError as error:
        # Worded to be read after the field's name.
        message = f"{error.field} {error}."
        raise InvalidInputError(message, field=error.field, hint=error.hint) from None


def _end(number: int, _frame: object) -> None:
    """End as Ctrl-C does, so that what was begun is closed and the terminal is left in order."""
    sys.exit(128 + number)


def _ask_for_json(request: TroubleshootRequest) -> None:
    try:
        answer = asyncio.run(_answer(request))
    except ChainError as error:
        _print_failure(error)
        raise
    print_json(answer.model_dump(mode="json"))


def _ask_aloud(request: TroubleshootRequest) -> None:
    from faultmaven.cli.answer import show
    from faultmaven.cli.live import LiveShow

    live, whole = LiveShow(), False
    # Nobody reads along in a pipe: there the chain may still prefer a surer answer to the first.
    listener = live if out().is_terminal else None
    try:
        answer = asyncio.run(_answer(request, listener))
        whole = True
    except ChainError as error:
        live.end(whole=False)
        _tell_attempts(error, live.untold(error.attempts))
        raise
    finally:
        live.end(whole=whole)  # also where Ctrl-C or SIGTERM ends it
    show(answer, told=live.text)


async def _answer(
    request: TroubleshootRequest, live: LiveShow | None = None
) -> TroubleshootResponse:
    from faultmaven.cli.progress import ModelProgress
    from faultmaven.container import container

    embedded = container.get_local_model()
    asked = request.chain or tuple(container.get_registry().get_fallback_chain())
    with ModelProgress() as progress:
        embedded.on_status(progress)
        try:
            await container.start()
            # Others answer while the model is still on its way; alone it is worth waiting for.
            if asked == ("local",):
                await embedded.wait_ready()
            with err().status("Asking …") as status:
                if live is not None:
                    live.before_words = (status.stop, progress.end)
                agent, request_id = container.get_agent_service(), f"req-{uuid.uuid4().hex}"
                return await agent.troubleshoot(request, request_id=request_id, listener=live)
        finally:
            await container.stop()


def _print_failure(error: ChainError) -> None:
    from faultmaven.models.api import AttemptBody

    attempts = [AttemptBody.of(attempt).model_dump(mode="json") for attempt in error.attempts]
    print_json({"error": str(error), "hint": error.hint, "attempts": attempts})


def _tell_attempts(error: ChainError, untold: Sequence[Attempt]) -> None:
    """What was tried, before the error itself ends the command."""
    for attempt in untold:
        complain(f"{attempt.provider}: {attempt.outcome} ({attempt.detail})")
    # Who had begun to answer was reached: what the error itself advises is all there is to do.
    advised = error.attempts[:-1] if isinstance(error, AnswerCutError) else error.attempts
    hints = dict.fromkeys(attempt.hint for attempt in advised if attempt.hint)
    for hint in hints:
        if hint != error.hint:  # that one follows with the error itself
            err().print(hint, markup=False)


def _attachment(path: Path) -> dict[str, str]:
    if path.name == "-":
        content = sys.stdin.buffer.read().decode("utf-8", "replace")
        return {"name": "stdin", "content": content}
    try:
        return {"name": path.name, "content": path.read_text(encoding="utf-8", errors="replace")}
    except OSError as error:
        message = f"{path} cannot be read: {error.strerror}."
        raise InvalidInputError(message, field="--file") from error


def _request(body: dict[str, Any]) -> TroubleshootRequest:
    from pydantic import ValidationError

    from faultmaven.models.faults import field_faults
    from faultmaven.models.request import TroubleshootRequest

    try:
        return TroubleshootRequest.model_validate(body)
    except ValidationError as error:
        faults = field_faults(error.errors(include_input=False, include_url=False))
        message = "\n".join(str(fault) for fault in faults)
        raise InvalidInputError(message, field=faults[0].field) from None
