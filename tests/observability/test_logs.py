"""Log lines: their form, their request, and what must not be in them."""

from __future__ import annotations

import asyncio
import errno
import io
import json
import logging
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest

from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.observability.log_stream import LogStream
from faultmaven.infrastructure.observability.logs import AttemptLog, LogTracer, configure_logging
from faultmaven.infrastructure.observability.request import begin_request
from faultmaven.models.attempt import Usage
from observability.directory_of_tests import answered, failed

ours = logging.getLogger("faultmaven.infrastructure.llm.providers.registry")

SECRET = "sk-ant-api03-abcdefghijklmnop1234"


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Undo what the configuration of logging does to the process."""
    names = ("", "faultmaven", "uvicorn", "uvicorn.error", "uvicorn.access", "uvicorn.asgi")
    loggers = [logging.getLogger(name) for name in names]
    before = [(logger.level, logger.propagate, logger.handlers[:]) for logger in loggers]
    yield
    for logger, (level, propagate, handlers) in zip(loggers, before, strict=True):
        logger.setLevel(level)
        logger.propagate = propagate
        logger.handlers[:] = handlers


def lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    """Tell what was written to standard error."""
    return capsys.readouterr().err.splitlines()


def json_line(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    """Tell the only line that was written."""
    (line,) = lines(capsys)
    parsed: dict[str, Any] = json.loads(line)
    return parsed


STARTUP = (
    "✅ Provider 'anthropic' initialized successfully",
    "❌ Provider 'gemini' not available (missing API key)",
    "Provider fallback chain: anthropic → fireworks → openai → local",
)


@pytest.mark.parametrize("line", STARTUP)
def test_start_up_lines_stand_as_they_are(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """On a console the documented lines come out to the character (S68)."""
    configure_logging("console")
    ours.info(line)
    assert lines(capsys) == [line]


@pytest.mark.parametrize("line", STARTUP)
def test_start_up_lines_are_messages_in_json(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    """In JSON the same text is the message, with level, logger and time (S68)."""
    configure_logging("json")
    ours.info(line)
    parsed = json_line(capsys)
    assert parsed.pop("time").endswith("+00:00")
    assert parsed == {
        "level": "info",
        "logger": ours.name,
        "message": line,
        "request_id": None,
    }


def test_warnings_say_so_on_a_console(capsys: pytest.CaptureFixture[str]) -> None:
    """A person sees at once what matters."""
    configure_logging("console")
    ours.warning("Primary provider '%s' is not available", "openai")
    assert lines(capsys) == ["WARNING: Primary provider 'openai' is not available"]


def test_an_attempt_is_one_line_for_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    """Who, which model, what came of it, how long, how sure, and for which request."""
    configure_logging("console")
    copy_context().run(_log_attempt_of_request)
    (line,) = lines(capsys)
    assert line[8:] == " one (m): ok in 812 ms, confidence 0.90, 7 tokens [req-1]"


def _log_attempt_of_request() -> None:
    begin_request("req-1")
    AttemptLog().on_attempt(answered(total_ms=812.4, usage=Usage(3, 4)))


def test_an_attempt_is_one_object_for_a_machine(capsys: pytest.CaptureFixture[str]) -> None:
    """Every figure of the attempt is a field; what is not known is left out."""
    configure_logging("json")
    AttemptLog().on_attempt(failed(ErrorClass.RATE_LIMITED, status_code=429, retry_after=2.0))
    parsed = json_line(capsys)
    assert parsed["level"] == "warning"
    fields = {name: parsed[name] for name in ("event", "provider", "outcome", "status_code")}
    assert fields == {
        "event": "attempt",
        "provider": "one",
        "outcome": "rate_limited",
        "status_code": 429,
    }
    assert parsed["retry_after"] == 2.0
    assert "confidence" not in parsed


def test_moves_and_leaving_callers_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Fallbacks and cancellations have lines too; starts and answers have none."""
    configure_logging("console")
    log = AttemptLog()
    log.on_start("one")
    log.on_fallback("one", "two", "timeout")
    log.on_cancel("two")
    log.on_hedge("two", "three", "won")
    assert [line[9:] for line in lines(capsys)] == [
        "one → two (timeout)",
        "two: given up, nobody waits for it any more",
        "two was slow, asked three beside it: won",
    ]


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_credentials_are_masked_wherever_they_hide(
    log_format: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Message, argument, field, exception and stack: a planted key is in none of them (S69)."""
    configure_logging(log_format)
    ours.error("message %s", SECRET, stack_info=True, extra={"fields": {"detail": f"k={SECRET}"}})
    try:
        _fail()
    except ValueError:
        ours.exception("failed with %s", SECRET)
    written = capsys.readouterr().err
    assert "anthropic_key removed" in written
    assert "ValueError" in written
    assert SECRET not in written


def _fail() -> None:
    raise ValueError(SECRET) from KeyError(SECRET)


def test_a_message_cannot_forge_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What follows a line break is set in; terminal escapes are written out."""
    configure_logging("console")
    ours.info("path /\n✅ forged\x1b[2J\r\u2028end")
    assert lines(capsys) == ["path /", "    ✅ forged\\x1b[2J\\r\\u2028end"]


def test_only_our_own_loggers_are_heard_below_warning(capsys: pytest.CaptureFixture[str]) -> None:
    """Clients log addresses, the database what is stored: neither reaches the log (S69)."""
    configure_logging("console", "debug")
    for name in ("httpx", "aiosqlite", "asyncio"):
        logging.getLogger(name).info("GET https://host/?key=%s", "private")
    ours.debug("close look")
    assert lines(capsys) == ["close look"]


def test_the_level_is_obeyed(capsys: pytest.CaptureFixture[str]) -> None:
    """What is less severe is not written."""
    configure_logging("console", "error")
    ours.warning("not this")
    AttemptLog().on_attempt(failed(ErrorClass.TIMEOUT))
    ours.error("this")
    assert lines(capsys) == ["ERROR: this"]


def test_the_server_s_lines_take_the_same_way(capsys: pytest.CaptureFixture[str]) -> None:
    """Its own handlers are gone, its access log too: each request has a line of ours."""
    server = logging.getLogger("uvicorn.error")
    server.addHandler(logging.StreamHandler())
    configure_logging("json")
    server.error("Exception in ASGI application %s", SECRET)
    logging.getLogger("uvicorn.access").info("GET /?token=secret")
    assert json_line(capsys)["logger"] == "uvicorn.error"


def test_configuring_twice_does_not_double(capsys: pytest.CaptureFixture[str]) -> None:
    """A later call replaces the former one."""
    configure_logging("console")
    configure_logging("json")
    ours.info("once")
    assert json_line(capsys)["message"] == "once"


def test_the_tracer_times_steps_for_whoever_looks_closely(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A step's time is a debug line, also when the step fails."""
    ticks = iter((1.0, 1.25))
    configure_logging("json", "debug")
    with pytest.raises(ZeroDivisionError), LogTracer(lambda: next(ticks)).span("retrieval"):
        raise ZeroDivisionError
    parsed = json_line(capsys)
    assert (parsed["step"], parsed["duration_ms"]) == ("retrieval", 250.0)


def test_every_text_of_a_field_is_masked_however_deep_it_is(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Lists, objects, and whatever is no JSON: nothing of it shows a credential."""
    configure_logging("json")
    fields = {
        "list": [SECRET],
        "object": {"a": (SECRET, 1)},
        "error": ValueError(SECRET),
        "bytes": SECRET.encode(),
        "number": float("nan"),
    }
    ours.info("a line", extra={"fields": fields})
    line = json_line(capsys)
    assert SECRET not in json.dumps(line)
    assert line["object"]["a"][1] == 1
    assert line["number"] == "nan"


def test_a_line_that_cannot_be_written_shows_nothing_of_its_arguments(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A mistake in a call of the logger costs the line, and tells no credential."""
    configure_logging()
    (handler,) = [own for own in logging.getLogger().handlers if "faultmaven" in repr(type(own))]
    handler.handle(logging.LogRecord("faultmaven", logging.INFO, "", 0, "%s %s", (SECRET,), None))
    (line,) = lines(capsys)
    assert "was lost (TypeError): %s %s" in line


def test_a_traceback_forges_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    """What an error says cannot pass for a line of the log."""
    configure_logging()
    try:
        raise ValueError("x\nERROR: all is lost")  # noqa: TRY301 - a traceback is wanted
    except ValueError:
        ours.exception("It failed")
    _, *trace = lines(capsys)
    assert trace
    assert all(line.startswith("    ") for line in trace)


class _FullDisk(io.StringIO):
    """A stream that takes nothing."""

    def __init__(self) -> None:
        super().__init__()
        self.tried = 0

    def write(self, _text: str) -> int:
        """Refuse it."""
        self.tried += 1
        raise OSError(errno.ENOSPC, "no space left")


async def test_a_full_disk_costs_lines_and_nothing_else() -> None:
    """What cannot be written is given up: to tell of it would be the next line that cannot."""
    disk = _FullDisk()
    stream = LogStream(disk, seconds=0)
    stream.write("a line\n")
    for _ in range(20):
        await asyncio.sleep(0)
    assert disk.tried == 1


async def test_a_character_that_cannot_be_written_costs_no_line() -> None:
    """Where the encoding has no place for one, it is escaped, and the others are as they are."""
    taken = io.BytesIO()
    ascii_only = io.TextIOWrapper(taken, "ascii", errors="strict", write_through=True)
    stream = LogStream(ascii_only, seconds=0)
    for line in ("before\n", "✅ done\n", "after\n"):
        stream.write(line)
    stream.flush()
    assert taken.getvalue() == b"before\n\\u2705 done\nafter\n"


async def test_the_lines_of_one_moment_are_written_together() -> None:
    """One system call for all that is logged while the first line waits."""
    told: list[str] = []

    class Told(io.StringIO):
        def write(self, text: str) -> int:
            told.append(text)
            return len(text)

    stream = LogStream(Told(), seconds=0.01)
    stream.write("one\n")
    await asyncio.sleep(0)
    stream.write("two\n")
    assert told == []
    await asyncio.sleep(0.05)
    assert told == ["one\ntwo\n"]
