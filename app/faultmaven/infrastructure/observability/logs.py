"""Where log lines go, and the lines about attempts and steps."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

from faultmaven.infrastructure.observability.journal import Journal
from faultmaven.infrastructure.observability.log_format import ConsoleFormatter, JSONFormatter
from faultmaven.infrastructure.observability.log_handler import LineHandler
from faultmaven.models.attempt import Attempt
from faultmaven.models.interfaces import HedgeOutcome, LLMResponse

logger = logging.getLogger(__name__)
journal = Journal(__name__)

# Third parties log addresses with their queries (httpx) and what is stored (aiosqlite).
_THIRD_PARTY_LEVEL = logging.WARNING
_SERVER_LOGGERS = ("uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")


def configure_logging(
    log_format: Literal["console", "json"] = "console", log_level: str = "info"
) -> None:
    """Write every log line of the process to standard error, masked; may be called again.

    Our own loggers follow ``log_level``; others are heard from warning on. The server's lines
    take the same way, but for its access log: each request has a line of ours.
    """
    _leave_out_what_no_line_shows()
    handler = LineHandler(JSONFormatter() if log_format == "json" else ConsoleFormatter())
    root = logging.getLogger()
    for former in [known for known in root.handlers if isinstance(known, LineHandler)]:
        root.removeHandler(former)
    root.addHandler(handler)
    root.setLevel(_THIRD_PARTY_LEVEL)
    logging.getLogger("faultmaven").setLevel(log_level.upper())
    for name in _SERVER_LOGGERS:
        server = logging.getLogger(name)
        server.handlers.clear()
        server.propagate = True
    logging.getLogger("uvicorn").setLevel(logging.INFO)
    logging.getLogger("uvicorn.access").setLevel(logging.WARNING)


def _leave_out_what_no_line_shows() -> None:
    """Spare each record the search for its caller, thread and process.

    https://docs.python.org/3/howto/logging.html#optimization
    """
    logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False
    logging._srcfile = None  # noqa: SLF001 - the documented way


class AttemptLog:
    """One line per attempt."""

    def on_start(self, provider: str) -> None:
        """The line is written when the attempt has ended."""

    def on_attempt(self, attempt: Attempt) -> None:
        """Write what came of an attempt; failures as warnings."""
        if attempt.error_class is None and not attempt.lost:
            level, outcome = logging.INFO, "ok"
        else:
            level, outcome = logging.WARNING, attempt.outcome
        sentence, words = _told(attempt, outcome)
        journal.tell(level, sentence, words, lambda: _fields(attempt, outcome))

    def on_cancel(self, provider: str) -> None:
        """Write that nobody waits for the answer any more."""
        fields = {"event": "attempt_cancelled", "provider": provider}
        logger.info(
            "%s: given up, nobody waits for it any more", provider, extra={"fields": fields}
        )

    def on_fallback(self, source: str, target: str, reason: str) -> None:
        """Write where the chain went."""
        fields = {"event": "fallback", "from": source, "to": target, "reason": reason}
        logger.info("%s → %s (%s)", source, target, reason, extra={"fields": fields})

    def on_hedge(self, first: str, second: str, outcome: HedgeOutcome) -> None:
        """Write that a provider was slow, and whether asking another one beside it was worth it."""
        fields = {"event": "hedge", "first": first, "second": second, "outcome": outcome}
        message = "%s was slow, asked %s beside it: %s"
        logger.info(message, first, second, outcome, extra={"fields": fields})

    def on_answer(self, response: LLMResponse) -> None:
        """The request's own line tells the rest."""


class LogTracer:
    """Times the steps of a request in debug lines."""

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock

    @contextmanager
    def span(self, name: str) -> Iterator[None]:
        """Time what happens inside the ``with`` block under ``name``."""
        started = self._clock()
        try:
            yield
        finally:
            took = round((self._clock() - started) * 1000, 2)
            fields = {"event": "step", "step": name, "duration_ms": took}
            logger.debug("%s took %s ms", name, took, extra={"fields": fields})


def _told(attempt: Attempt, outcome: str) -> tuple[str, str | None]:
    """The attempt for a person, and what of it is not new; see `Journal.tell`."""
    start = f"{attempt.provider} ({attempt.model}): {outcome} in "
    took = f"{start}{attempt.total_ms:.0f} ms"
    if attempt.confidence is not None:
        usage = attempt.usage
        tokens = usage.prompt + usage.completion
        sentence = f"{took}, confidence {attempt.confidence:.2f}, {tokens} tokens"
        return sentence, f"{start}1 ms, confidence 1, 1 tokens"
    if attempt.detail:
        return f"{took}: {attempt.detail}", None
    return took, f"{start}1 ms"


def _fields(attempt: Attempt, outcome: str) -> dict[str, object]:
    """The attempt for a machine; what is not known is left out."""
    first_token, usage = attempt.first_token_ms, attempt.usage
    known = {
        "event": "attempt",
        "provider": attempt.provider,
        "model": attempt.model,
        "number": attempt.number,
        "outcome": outcome,
        "status_code": attempt.status_code,
        "detail": attempt.detail,
        "confidence": attempt.confidence,
        "queue_ms": round(attempt.queue_ms, 1),
        "first_token_ms": first_token and round(first_token, 1),
        "total_ms": round(attempt.total_ms, 1),
        "prompt_tokens": usage.prompt,
        "completion_tokens": usage.completion,
        "cost_usd": attempt.cost_usd,
        "retry_after": attempt.retry_after,
    }
    return {name: value for name, value in known.items() if value is not None}
