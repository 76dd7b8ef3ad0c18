"""Every provider of the schema through the same failures, over real sockets.

A new row is tested here without a new test.
"""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from contract.subjects import ANSWER, BACKUP, ROWS, Pair, Subject, chain_over, subjects
from faultmaven.errors import ErrorClass, RequestRejectedError
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_SCHEMA
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.models.attempt import Attempt
from upstreams import FAULTS, Reply, Upstream, refused_url

SUBJECTS = subjects()

EXPECTED = {
    "status_401": ErrorClass.AUTH,
    "status_403": ErrorClass.AUTH,
    "bad_key": ErrorClass.AUTH,
    "status_404": ErrorClass.MODEL_NOT_FOUND,
    "model_unknown": ErrorClass.MODEL_NOT_FOUND,
    "model_retired": ErrorClass.MODEL_NOT_FOUND,
    "status_402": ErrorClass.QUOTA,
    "status_408": ErrorClass.OVERLOADED,
    "status_429": ErrorClass.RATE_LIMITED,
    "rate_limit_seconds": ErrorClass.RATE_LIMITED,
    "rate_limit_date": ErrorClass.RATE_LIMITED,
    "status_500": ErrorClass.OVERLOADED,
    "status_502": ErrorClass.OVERLOADED,
    "status_503": ErrorClass.OVERLOADED,
    "status_529": ErrorClass.OVERLOADED,
    "loading": ErrorClass.OVERLOADED,
    "html_502": ErrorClass.OVERLOADED,
    "reset_before_head": ErrorClass.CONNECTION,
    "reset_in_body": ErrorClass.CONNECTION,
    "cut_body": ErrorClass.CONNECTION,
    "html_200": ErrorClass.MALFORMED,
    "empty_body": ErrorClass.MALFORMED,
    "truncated_json": ErrorClass.MALFORMED,
    "wrong_shape": ErrorClass.MALFORMED,
    "wrong_types": ErrorClass.MALFORMED,
    "null_body": ErrorClass.MALFORMED,
    "empty_object": ErrorClass.MALFORMED,
    "not_utf8": ErrorClass.MALFORMED,
    "deep_json": ErrorClass.MALFORMED,
    "empty_text": ErrorClass.MALFORMED,
    "thinking_only": ErrorClass.MALFORMED,
    "blocked": ErrorClass.CONTENT_FILTER,
}
"""What each failure must be called, by the table of failure classes."""

CALLS = {
    ErrorClass.CONNECTION: 2,
    ErrorClass.OVERLOADED: 2,
    ErrorClass.RATE_LIMITED: 2,
    ErrorClass.MALFORMED: 2,
}
"""How often a provider with one retry is asked; once unless named here."""
PATIENCE = 2.0
"""Seconds that are waited at most while another provider is left."""
UNCOUNTED = {"hf_endpoint"}
"""Dialects that do not count tokens."""

HINTS = {
    ErrorClass.AUTH: "api_key_var",
    ErrorClass.MODEL_NOT_FOUND: "model_var",
    ErrorClass.CONNECTION: "base_url_var",
}
"""Whose variable the advice must name."""


def each_subject_with(*faults: str) -> pytest.MarkDecorator:
    """Run a test for each row and each of these faults that can happen to it."""
    cases = [
        pytest.param(subject, fault, id=f"{subject.label}-{fault}")
        for subject in SUBJECTS
        for fault in faults
        if FAULTS[fault].applies_to(subject.dialect)
    ]
    return pytest.mark.parametrize(("subject", "fault"), cases)


each_subject = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.label)


@pytest.fixture
async def up(subject: Subject) -> AsyncIterator[Upstream]:
    """Give the subject's upstream."""
    async with Upstream(subject.dialect, answer=ANSWER) as up:
        yield up


@pytest.fixture
async def backup() -> AsyncIterator[Upstream]:
    """Give a healthy upstream."""
    async with Upstream("openai", answer="From the backup.") as up:
        yield up


@pytest.fixture
def pair(subject: Subject, up: Upstream, backup: Upstream, transport: Transport) -> Pair:
    """Give the subject before the backup."""
    return chain_over(subject, up, backup, transport)


def test_every_row_is_a_subject() -> None:
    """No row of the schema escapes these tests (S58)."""
    assert {subject.row for subject in SUBJECTS} >= set(PROVIDER_SCHEMA)
    assert {"together", "cohere"} <= {subject.row for subject in SUBJECTS}


@each_subject
async def test_good_answer(subject: Subject, up: Upstream, pair: Pair, backup: Upstream) -> None:
    """A good answer carries its provider's name, its model and the tokens it cost (S46, S88)."""
    response = await pair.router.generate("Why?", system="Be brief.", max_tokens=100)
    assert (response.content, response.provider) == (ANSWER, subject.row)
    assert (response.model, response.finish_reason) == (up.model, "stop")
    assert response.usage.completion > 0 or subject.dialect in UNCOUNTED
    assert response.tokens_used == response.usage.total
    assert not up.rejections
    assert not backup.requests


@each_subject_with(*EXPECTED)
async def test_failure_is_named_and_passed_over(  # noqa: PLR0917 - fixtures
    subject: Subject,
    up: Upstream,
    pair: Pair,
    backup: Upstream,
    fault: str,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each failure has its class, is retried as that class is, and the next one answers.

    The advice names the variable to look at, and nothing that is said holds the key
    (S37, S41, S105, S106, S107, S108).
    """
    caplog.set_level(logging.DEBUG, "faultmaven")
    up.default = fault
    response = await pair.router.generate("Why?")
    assert (response.provider, response.content) == (BACKUP, "From the backup.")
    *failed, _ = response.attempts
    assert {attempt.error_class for attempt in failed} == {EXPECTED[fault]}
    waits_too_long = (failed[0].retry_after or 0) >= PATIENCE
    calls = 1 if waits_too_long else CALLS.get(EXPECTED[fault], 1)
    assert [attempt.provider for attempt in failed] == [subject.row] * calls
    assert len(backup.requests) == 1
    assert_advice(subject, failed[-1])
    assert_no_key(pair, response, caplog.text)


def assert_advice(subject: Subject, attempt: Attempt) -> None:
    """Check that the advice names the variable that mends it."""
    field = HINTS.get(attempt.error_class) if attempt.error_class else None
    if field is not None:
        assert attempt.hint is not None
        assert subject.variable(field) in attempt.hint


def assert_no_key(pair: Pair, *said: object) -> None:
    """Check that the key is in nothing that was said."""
    assert pair.key not in " ".join(map(repr, (*said, pair.witness)))


@each_subject_with("rate_limit_seconds", "rate_limit_date")
async def test_wait_is_read_in_both_forms(pair: Pair, up: Upstream, fault: str) -> None:
    """Retry-After is understood as seconds and as a date (S107)."""
    up.default = fault
    response = await pair.router.generate("Why?")
    seconds = 2 if fault == "rate_limit_seconds" else 5
    assert response.attempts[0].retry_after == pytest.approx(seconds, abs=1.5)


@each_subject_with("status_400", "status_422")
async def test_callers_mistake_is_the_callers(
    subject: Subject, up: Upstream, pair: Pair, backup: Upstream, fault: str
) -> None:
    """A request the vendor finds wrong is a 400, tried once and at nobody else (S41)."""
    up.default = fault
    with pytest.raises(RequestRejectedError) as caught:
        await pair.router.generate("Why?")
    assert caught.value.status == 400
    (attempt,) = caught.value.attempts
    assert (attempt.provider, attempt.outcome) == (subject.row, "invalid_request")
    assert not backup.requests
    assert_no_key(pair, caught.value, str(caught.value))


@each_subject
@pytest.mark.parametrize("status", [400, 422, 415, 431])
async def test_nobodys_refusal_is_not_blamed_on_the_caller(
    up: Upstream, pair: Pair, status: int
) -> None:
    """A refusal by something in between, which no vendor explains, is passed over (S37)."""
    up.default = Reply(status, b"<html><h1>Bad Request</h1><hr>nginx</html>")
    response = await pair.router.generate("Why?")
    assert response.provider == BACKUP
    assert {attempt.outcome for attempt in response.attempts[:-1]} == {"malformed"}


@each_subject_with("error_in_200", "error_in_choice", "refusal")
async def test_failure_under_200_is_a_failure(up: Upstream, pair: Pair, fault: str) -> None:
    """A 200 that holds an error or a refusal is not passed off as an answer (S37)."""
    up.default = fault
    response = await pair.router.generate("Why?")
    assert response.provider == BACKUP
    assert response.attempts[0].outcome in FAULTS[fault].classes


@each_subject
async def test_stall_ends_at_the_rows_timeout(
    subject: Subject, backup: Upstream, transport: Transport
) -> None:
    """A vendor that stalls is left after its row's own timeout for the next one (S42)."""

    async def stall(fault: str) -> None:
        async with Upstream(subject.dialect) as up:
            pair = chain_over(subject, up, backup, transport, timeout=0.3)
            up.default = fault
            response = await pair.router.generate("Why?")
        assert response.provider == BACKUP
        first, second = response.attempts
        assert (first.outcome, second.outcome) == ("timeout", "ok")
        assert 280 <= first.total_ms < 1500
        assert first.hint is not None
        assert_no_key(pair, response)

    await asyncio.gather(*map(stall, ("stalled_headers", "stalled_body", "endless_drip")))


@each_subject
async def test_closed_port_is_passed_over_at_once(
    subject: Subject, up: Upstream, backup: Upstream, transport: Transport
) -> None:
    """Where nobody listens nobody waits, and the advice names the address's variable (S108)."""
    pair = chain_over(subject, up, backup, transport, base_url=refused_url("/v1"))
    response = await pair.router.generate("Why?")
    assert [attempt.provider for attempt in response.attempts] == [subject.row, BACKUP]
    assert response.attempts[0].error_class is ErrorClass.CONNECTION
    assert_advice(subject, response.attempts[0])
    assert_no_key(pair, response)


@each_subject
@pytest.mark.parametrize("status", [200, 400, 401, 429, 500])
async def test_key_that_the_vendor_quotes_goes_no_further(
    pair: Pair, up: Upstream, caplog: pytest.LogCaptureFixture, status: int
) -> None:
    """A vendor or proxy that quotes the key in its error does not put it into our words (S69)."""
    caplog.set_level(logging.DEBUG, "faultmaven")
    said = f'{{"error": {{"message": "Incorrect key {pair.key} given", "code": "{pair.key}"}}}}'
    up.default = Reply(status, said.encode())
    try:
        assert_no_key(pair, await pair.router.generate("Why?"), caplog.text)
    except RequestRejectedError as error:
        assert_no_key(pair, error, str(error), error.attempts, caplog.text)


@each_subject
async def test_text_that_is_no_unicode_is_no_crash(pair: Pair, subject: Subject) -> None:
    """A lone surrogate, as a cut log may hold, reaches every vendor as something sendable."""
    response = await pair.router.generate("log: \ud83d cut")
    assert response.provider == subject.row


def test_rows_name_distinct_variables() -> None:
    """No two providers share a variable, so that advice about one is not about another."""
    for field in ("api_key_var", "model_var", "base_url_var"):
        named = [row[field] for row in ROWS.values() if field in row]
        assert len(named) == len(set(named))
