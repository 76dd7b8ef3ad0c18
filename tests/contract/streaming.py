"""What becomes of a stream that fails: each vendor, each fault, one word."""

from __future__ import annotations

from dataclasses import dataclass, replace

from contract.subjects import ANSWER, BACKUP, Pair, Subject, chain_over, subjects
from faultmaven.errors import AnswerCutError
from faultmaven.infrastructure.llm.transport import Transport
from llm.streaming_doubles import Listener
from upstreams import Fault, Upstream, stream_faults_for

_SHORT = {"FIRST_TOKEN_TIMEOUT": "0.3", "STREAM_IDLE_TIMEOUT": "0.3"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a listener got, and what is known of the attempt.

    Attributes:
        what: ``answered`` by the subject, ``next`` (another answered), ``told`` (content, then an
            error that says so).
        error_class: what the subject's failure is called; empty where it answered.
        heard: everything that was heard.
        beginnings: who began to answer.
        finish_reason: of the whole answer; empty where there is none.
        attempts: outcomes of all attempts, as the observers heard of them.
    """

    what: str
    error_class: str
    heard: str
    beginnings: tuple[str, ...]
    finish_reason: str
    attempts: tuple[str, ...]

    def __str__(self) -> str:
        """One cell of the table."""
        if self.what == "answered":
            kept = "" if self.finish_reason == "stop" else f" ({self.finish_reason})"
            return f"answered{kept}"
        return f"{self.what}: {self.error_class}"


async def outcome(subject: Subject, fault: Fault, transport: Transport) -> Outcome:
    """Let a listener hear a chain of the subject, which fails, and a healthy backup."""
    hurried = replace(subject, settings={**subject.settings, **_SHORT}) if fault.stalls else subject
    async with (
        Upstream(subject.dialect, answer=ANSWER) as up,
        Upstream("openai", answer="From the backup.") as backup,
    ):
        up.always(fault.name)
        pair = chain_over(hurried, up, backup, transport, max_retries=0)
        listener = Listener()
        what, finish_reason = await _ask(pair, listener)
    failures = [attempt for attempt in pair.witness.attempts if attempt.provider == subject.row]
    return Outcome(
        what=what,
        error_class=failures[-1].outcome if what != "answered" else "",
        heard=listener.text,
        beginnings=tuple(listener.beginnings),
        finish_reason=finish_reason,
        attempts=tuple(attempt.outcome for attempt in pair.witness.attempts),
    )


async def _ask(pair: Pair, listener: Listener) -> tuple[str, str]:
    try:
        answer = await pair.router.generate("Why?", listener=listener)
    except AnswerCutError:
        return "told", ""
    return ("next" if answer.provider == BACKUP else "answered"), answer.finish_reason


def cases() -> list[tuple[Subject, Fault]]:
    """Every vendor with every fault of streams that can befall it."""
    return [
        (subject, fault) for subject in subjects() for fault in stream_faults_for(subject.dialect)
    ]
