"""Events that are written without a record, and when they become one after all."""

from __future__ import annotations

import logging

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.observability.journal import Journal
from faultmaven.infrastructure.observability.logs import AttemptLog
from faultmaven.models.attempt import Attempt, Usage
from observability.log_of_tests import Listener, LogFormat, log_to_text, without_time

# Pieces that begin, end or resemble credentials, with what may stand between them.
_PIECES = (
    st.sampled_from(
        ["m", "gpt-4o", "sk-ant-", "sk-", "Bearer", "AKIA", "eyJ", "1", "12345678", "é"]
    )
    | st.sampled_from(["password", "Password '", "token=", "token", "api_key:", "--password"])
    | st.sampled_from(
        ["://a:", "b@c", '"', "'", "\\", "{", " ", "\n", "\x1b[", "=", ": ", "\u2028"]
    )
    | st.just("-----BEGIN PRIVATE KEY-----")
)
_TEXTS = st.lists(_PIECES, max_size=4).map("".join)
_ATTEMPTS = st.builds(
    Attempt,
    provider=_TEXTS,
    model=_TEXTS,
    error_class=st.none() | st.sampled_from(ErrorClass),
    detail=st.none() | _TEXTS,
    confidence=st.none() | st.floats(0, 1),
    total_ms=st.floats(0, 1e9),
    usage=st.builds(Usage, st.integers(0, 10**12), st.integers(0, 10**12)),
    lost=st.booleans(),
)


def _line(attempt: Attempt, log_format: LogFormat, *others: logging.Handler) -> str:
    """The line of an attempt, without its time."""
    with log_to_text(log_format, *others) as written:
        AttemptLog().on_attempt(attempt)
    return without_time(written.getvalue())


@pytest.mark.parametrize("log_format", ["console", "json"])
@given(attempt=_ATTEMPTS)
def test_the_line_is_the_same_with_and_without_a_record(
    log_format: LogFormat, attempt: Attempt
) -> None:
    """Whoever else listens changes nothing of a line: neither its text nor what is masked."""
    others = Listener()
    alone, beside = _line(attempt, log_format), _line(attempt, log_format, others)
    assert alone == beside
    assert len(others.heard) == 1


def _tell(journal: Journal, level: int = logging.INFO) -> None:
    journal.tell(level, "50 % done", "1 % done", lambda: {"event": "step"})


def test_others_hear_of_events_as_of_anything_else() -> None:
    """A handler on the way to the root, or a filter, gets a record with its fields."""
    journal, others = Journal("faultmaven.told"), Listener()
    logger = logging.getLogger("faultmaven.told")
    for place in (logging.getLogger("faultmaven"), logger):
        place.addHandler(others)
        with log_to_text("console") as written:
            _tell(journal)
        place.removeHandler(others)
        record = others.heard.pop()
        assert (record.getMessage(), record.name) == ("50 % done", "faultmaven.told")
        assert vars(record)["fields"] == {"event": "step"}
        assert written.getvalue().endswith(" 50 % done\n")


def test_filters_are_asked() -> None:
    """A filter of the logger or of our handler keeps an event from being written."""
    journal, logger = Journal("faultmaven.told"), logging.getLogger("faultmaven.told")

    def refused(_record: logging.LogRecord) -> bool:
        return False

    with log_to_text("console") as written:
        for place in (logger, logging.getLogger().handlers[0]):
            place.addFilter(refused)
            _tell(journal)
            place.removeFilter(refused)
        logging.getLogger().handlers[0].setLevel(logging.WARNING)
        _tell(journal)
    assert not written.getvalue()


def test_a_logger_s_level_and_switch_are_obeyed() -> None:
    """What is less severe is not even put together."""
    journal = Journal("faultmaven.told")

    def never() -> dict[str, object]:
        raise AssertionError("nobody reads this")

    with log_to_text("json", level="warning") as written:
        journal.tell(logging.INFO, "a line", "a line", never)
        logging.disable(logging.CRITICAL)
        try:
            journal.tell(logging.ERROR, "a line", "a line", never)
        finally:
            logging.disable(logging.NOTSET)
    assert not written.getvalue()


def test_no_record_is_made_where_nobody_else_listens() -> None:
    """Neither with our handler alone, nor beside the deaf one that every command sets up."""
    journal, deaf, made = Journal("faultmaven.told"), logging.NullHandler(), []
    factory = logging.getLogRecordFactory()

    def noted(*args: object, **kwargs: object) -> logging.LogRecord:
        made.append(args)
        return factory(*args, **kwargs)

    logging.setLogRecordFactory(noted)
    logging.getLogger("faultmaven").addHandler(deaf)
    try:
        with log_to_text("console") as written:
            _tell(journal)
    finally:
        logging.getLogger("faultmaven").removeHandler(deaf)
        logging.setLogRecordFactory(factory)
    assert written.getvalue().endswith(" 50 % done\n")
    assert made == []


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_a_line_that_cannot_be_written_fails_nobody(log_format: LogFormat) -> None:
    """The log says that it lacks a line, in one line, and who told of the event goes on."""
    journal = Journal("faultmaven.told")

    class Unwritable:
        def __str__(self) -> str:
            raise KeyError("x")

    with log_to_text(log_format) as written:
        journal.tell(logging.INFO, "it\nhappened \ud800", None, lambda: {"event": Unwritable()})
    if log_format == "json":
        (line,) = written.getvalue().splitlines()
        assert line == "A line of faultmaven.told was lost (KeyError): 'it\\nhappened \\ud800'"
