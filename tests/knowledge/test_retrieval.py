"""Finding runbooks: right ones for real questions and logs, none for others, any text harmless."""

from __future__ import annotations

import random
import tomllib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.knowledge.library import load_runbooks
from faultmaven.knowledge.retrieval import RunbookIndex

TABLE = tomllib.loads((Path(__file__).parent / "queries.toml").read_text(encoding="utf-8"))
FITTING = [(row["text"], row["expect"]) for row in TABLE["query"] if row["expect"]]
FOREIGN = [row["text"] for row in TABLE["query"] if not row["expect"]]

RUNBOOKS = load_runbooks()
INDEX = RunbookIndex(RUNBOOKS)


def found(text: str, *, limit: int = 3) -> list[str]:
    """Ids of the runbooks found, best first."""
    return [match.runbook.id for match in INDEX.search(text, limit=limit)]


def test_the_table_is_large_and_names_runbooks() -> None:
    """The table asks for every runbook at least once and for nothing that does not exist."""
    assert len(FITTING) >= 60
    assert len(FOREIGN) >= 10
    assert {expected for _, expected in FITTING} == {runbook.id for runbook in RUNBOOKS}


def test_the_right_runbook_comes_first() -> None:
    """The expected runbook is first for at least 95 % of the table."""
    missed = [(expected, text) for text, expected in FITTING if found(text)[:1] != [expected]]
    assert len(missed) <= 0.05 * len(FITTING), missed


def test_the_right_runbook_is_among_three() -> None:
    """The expected runbook is among the first three for at least 98 % of the table."""
    missed = [(expected, text) for text, expected in FITTING if expected not in found(text)]
    assert len(missed) <= 0.02 * len(FITTING), missed


@pytest.mark.parametrize("text", FOREIGN)
def test_nothing_is_found_for_another_subject(text: str) -> None:
    """A question about something else gets no runbook rather than a wrong one."""
    assert found(text) == []


ORDINARY = (
    "INFO request finished method=GET path=/cart/{} status=200 duration={}ms",
    "DEBUG cache hit key=user:{} ttl={}",
    "INFO connected to database pool size={} idle={}",
    "WARN slow request path=/search/{} took {}ms",
    "INFO message published topic=orders partition={} offset={}",
    "ERROR user {} validation failed: field email is missing ({})",
)


def ordinary_log(lines: int) -> list[str]:
    """Lines of a service in good health."""
    dice = random.Random(7)  # noqa: S311 - reproducible noise
    return [
        f"2024-06-04T10:{n // 600 % 60:02}:{n // 10 % 60:02}.{dice.randrange(1000):03}Z "
        + dice.choice(ORDINARY).format(dice.randrange(99999), dice.randrange(999))
        for n in range(lines)
    ]


def test_an_ordinary_log_matches_nothing() -> None:
    """Megabytes of everyday lines are not mistaken for a fault."""
    assert found("\n".join(ordinary_log(5000))) == []


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("FATAL:  sorry, too many clients already", "postgresql-too-many-connections"),
        ("Reason: OOMKilled  Exit Code: 137", "kubernetes-oomkilled"),
        ("java.lang.OutOfMemoryError: Metaspace", "jvm-metaspace"),
        ("kernel: nf_conntrack: table full, dropping packet", "network-port-exhaustion"),
        ("[CRITICAL] WORKER TIMEOUT (pid:91)", "python-gunicorn-timeout"),
    ],
)
def test_one_line_in_a_large_log_is_found(line: str, expected: str) -> None:
    """A symptom counts wherever it stands in a log."""
    log = ordinary_log(5000)
    assert found("\n".join([*log[:3000], line, *log[3000:]]))[:1] == [expected]


def test_matched_symptoms_are_named_as_written() -> None:
    """A match says which symptoms it saw, whatever their case, quotes and line breaks."""
    text = 'fatal: "Sorry,\n too many CLIENTS already!"'
    best = INDEX.search(text)[0]
    assert best.runbook.id == "postgresql-too-many-connections"
    assert best.matched_symptoms[0] == "sorry, too many clients already"


def test_inflected_words_are_found() -> None:
    """Words count in any form: stemming makes "evicting" fit "evicted"."""
    assert found("the kubelet is evicting pods from nodes")[:1] == ["kubernetes-pod-evicted"]


def test_times_and_addresses_are_not_status_codes() -> None:
    """Digits within a time or an address do not stand for an HTTP status."""
    assert "nginx-502" not in found("at 12:05:02.502 nginx 10.0.5.502 v1.502 answered well")
    assert found("nginx answered 502")[:1] == ["nginx-502"]


def test_best_comes_first_and_the_limit_holds() -> None:
    """More room never changes what came first."""
    text = "pod OOMKilled with exit code 137 in CrashLoopBackOff"
    assert found(text, limit=1) == found(text, limit=5)[:1]
    assert len(found(text, limit=2)) == 2
    assert found(text, limit=0) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t ",
        "\x00\x00\x00",
        "OOMKilled\x00'; DROP TABLE runbooks; --",
        '"',
        '"unbalanced AND (OR NOT NEAR(',
        'title:redis OR * NEAR(a b, 2) ^x {y} -z + symptoms : "',
        "\ud800\udfff lone surrogates",
        "\ufb00 \u0130 \u017f \xdf \u2167 \u0661\u0662 \U0001d7d8 \u65e5\u672c \U0001f525",
        "a" * 100_000,
        "1:" * 4_000,
        "/".join("9" * 50),
    ],
)
def test_odd_text_is_harmless(text: str) -> None:
    """Quotes, operators, NUL, surrogates and endless words are text like any other."""
    INDEX.search(text)
    assert found("redis MISCONF")[:1] == ["redis-persistence"]


pieces = [*"\"'*^(){}:-+\x00\n\ud800\xe9 ", " OR ", "NEAR(", " AND ", "redis", "OOMKilled"]
anything = st.text(st.characters(codec=None)) | st.lists(st.sampled_from(pieces)).map("".join)


@given(text=anything, limit=st.integers(-2, 5))
def test_any_text_is_searched(text: str, limit: int) -> None:
    """The result is always bounded, sorted, above the threshold, and without repetition."""
    matches = INDEX.search(text, limit=limit)
    assert len(matches) <= max(0, limit)
    assert sorted(matches, key=lambda match: -match.score) == list(matches)
    assert all(match.score >= 9 for match in matches)
    assert len({match.runbook.id for match in matches}) == len(matches)


def test_several_threads_may_search() -> None:
    """An index is shared by all requests."""
    texts = [text for text, _ in FITTING] * 3
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(found, texts)) == [found(text) for text in texts]


def test_the_fault_goes_before_the_symptom_it_shares() -> None:
    """A crash loop is what every crash looks like; its cause, where the log names it, is first."""
    loop = "Back-off restarting failed container api: CrashLoopBackOff"
    killed = f"{loop}\nLast State: Terminated\nReason: OOMKilled\nExit Code: 137"

    assert found(loop)[0] == "kubernetes-crashloopbackoff"
    assert found(killed, limit=2) == ["kubernetes-oomkilled", "kubernetes-crashloopbackoff"]
