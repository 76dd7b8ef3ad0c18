"""How sure an answer is, and why."""

import math
import zlib

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from faultmaven.infrastructure.llm.confidence import CEILING, best_possible, score_completion
from faultmaven.infrastructure.llm.wire.types import Completion
from faultmaven.models.confidence import Signal
from faultmaven.models.prompt import ToolCall

PROSE = (
    "The pod is killed because its memory limit of 256 MiB is below what the JVM asks for. "
    "Raise the limit to 512 MiB, or set -XX:MaxRAMPercentage so that the heap fits, then watch "
    "the restarts with kubectl get pods. The node itself has memory left, so eviction is not the "
    "cause. If it goes on after that, take a heap dump before the next kill and look for caches "
    "that grow without bound. "
)


def score(prior: float = 0.85, **fields: object) -> float:
    """Score an answer that differs from a good one only in these fields."""
    completion = Completion(**{"text": "The disk is full.", **fields})  # type: ignore[arg-type] # fields are the tests'
    return score_completion(completion, prior=prior).score


def test_plain_answer_has_its_providers_prior() -> None:
    """Nothing remarkable about an answer leaves the provider's prior as it is (S44)."""
    assert score(0.85) == 0.85


@pytest.mark.parametrize(
    ("reason", "delta"),
    [("length", 0.2), ("content_filter", 0.4), ("error", 0.4), ("tool_calls", 0.1), ("stop", 0)],
)
def test_finish_reason_counts(reason: str, delta: float) -> None:
    """An answer that was cut or refused is worth less than a finished one."""
    assert score(0.85, finish_reason=reason) == pytest.approx(0.85 - delta)


def test_unknown_finish_reason_counts_nothing() -> None:
    """A vendor's own word is no reason for distrust."""
    assert score(0.85, finish_reason="eos_token") == 0.85


def test_repetition_counts() -> None:
    """A model caught in a loop is not trusted."""
    assert score(0.85, text="The disk is full. " * 100) == pytest.approx(0.55)


def is_repetitive(text: str) -> bool:
    """Whether an answer repeats itself, word by word as it is defined."""
    words, raw = text.split(), text.encode("utf-8", "replace")
    is_varied = 4 * len(set(words)) > len(words) > 50
    return len(raw) > 0 and not is_varied and len(zlib.compress(raw, 1)) < 0.12 * len(raw)


@given(
    words=st.lists(st.sampled_from([*"abcdefgh", "disk " * 9, "x" * 300, "é", "\n"]), max_size=80),
    numbers=st.integers(0, 90),
    times=st.integers(1, 12),
)
def test_only_a_long_text_that_repeats_itself_counts(
    words: list[str], numbers: int, times: int
) -> None:
    """New words in every fourth place, or a text that takes some room, are no repetition."""
    text = " ".join([*words * times, *map(str, range(numbers))])
    scored = score(0.85, text=text)
    assert scored == 0.85 or (len(text) >= 600 and is_repetitive(text))
    assert scored == 0.85 or scored == pytest.approx(0.55)


@settings(max_examples=300)
@given(
    before=st.text(max_size=50),
    loop=st.text(min_size=1, max_size=90),
    after=st.text(max_size=50),
    times=st.integers(8, 60),
)
@example(before="", loop="x", after="", times=600)
@example(before="", loop="The disk is full. ", after="", times=100)
def test_a_loop_counts_whatever_stands_around_it(
    before: str, loop: str, after: str, times: int
) -> None:
    """A text that is mostly the same again and again is known by what it is, wherever it begins."""
    text = before + loop * times + after
    expected = 0.55 if len(text) >= 600 and is_repetitive(text) else 0.85
    assert score(0.85, text=text) == pytest.approx(expected)


@pytest.mark.parametrize("lines", range(40, 100))
@pytest.mark.parametrize(
    "line",
    [
        "{:02d}. Check the logs of the pod and restart it if it has failed again.",
        "{}. Restart the failing pod.",
    ],
)
def test_a_loop_that_counts_its_passes_counts(line: str, lines: int) -> None:
    """However its length and its numbers fall together."""
    text = "\n".join(line.format(number) for number in range(1, lines + 1))
    assert is_repetitive(text)
    assert score(0.85, text=text) == pytest.approx(0.55)


def test_lines_of_a_log_are_no_repetition() -> None:
    """A quotation of one is as good an answer as any: numbers and words are others in each line."""
    lines = [f"{n:04d} request {n * 7919 % 9973} took {n * 31 % 89} ms" for n in range(99)]
    assert score(0.85, text="\n".join(lines)) == 0.85


def test_length_alone_changes_nothing() -> None:
    """A long answer is worth as much as a short one."""
    assert score(0.85, text=PROSE * 2) == score(0.85, text="Raise the limit.")


@pytest.mark.parametrize(
    ("mean_logprob", "delta"),
    [
        (math.log(0.95), 0.05),
        (math.log(0.75), 0),
        (math.log(0.5), -0.1),
        (None, 0),
        (0.1, 0.05),
        (1e6, 0.05),
    ],
)
def test_token_probability_counts(mean_logprob: float | None, delta: float) -> None:
    """Words the model was sure of raise the score a little, guesses lower it."""
    assert score(0.8, mean_logprob=mean_logprob) == pytest.approx(0.8 + delta)


def test_signals_tell_the_whole_story() -> None:
    """Each part of the score is told with its reason, the prior first."""
    extra = Signal("evidence", -0.15, "a quote is not in the input")
    found = score_completion(
        Completion("The disk is full.", finish_reason="length"),
        prior=0.9,
        threshold=0.8,
        further=[extra],
    )
    assert [signal.name for signal in found.signals] == ["prior", "finish_reason", "evidence"]
    assert all(signal.reason for signal in found.signals)
    assert found.score == pytest.approx(0.55)
    assert found.below_threshold


def test_threshold_itself_is_enough() -> None:
    """An answer exactly at the threshold is sure enough; one just below is not (S35)."""
    answer = Completion("The disk is full.")
    assert not score_completion(answer, prior=0.80, threshold=0.8).below_threshold
    assert score_completion(answer, prior=0.79, threshold=0.8).below_threshold


def test_certainty_is_not_on_offer() -> None:
    """Good signs do not add up to certainty; a higher prior is the operator's own word."""
    praise = [Signal("evidence", 0.5, "every quote is in the input")]
    answer = Completion("The disk is full.")
    assert score_completion(answer, prior=0.85, further=praise).score == CEILING
    assert score_completion(answer, prior=1.0, further=praise).score == 1.0


@given(
    prior=st.floats(0, 1),
    deltas=st.lists(st.floats(-1, 1), max_size=5),
    text=st.text(min_size=1),
    finish=st.sampled_from(["stop", "length", "content_filter", "error", "tool_calls", "eos"]),
    mean_logprob=st.none() | st.floats(-100, 10),
)
def test_score_is_always_a_share(
    prior: float, deltas: list[float], text: str, finish: str, mean_logprob: float | None
) -> None:
    """Whatever the signals say, the score stays between 0 and 1 and below certainty."""
    answer = Completion(text, finish_reason=finish, mean_logprob=mean_logprob)
    further = [Signal("other", delta, "a test says so") for delta in deltas]
    found = score_completion(answer, prior=prior, further=further).score
    assert 0 <= found <= max(CEILING, round(prior, 4))


@given(prior=st.floats(0, 1))
def test_best_possible_is_a_bound(prior: float) -> None:
    """What we hope for from a provider is never below its prior nor above the ceiling."""
    assert prior <= best_possible(prior) <= max(CEILING, prior)


@given(prior=st.floats(0, 1))
def test_nothing_beats_the_best_possible(prior: float) -> None:
    """An answer with every good sign scores what we hoped for at most, so hope is not too low."""
    judged = [Signal("evidence", 0.15, "every quote is in the input")]
    best = score_completion(Completion("Full.", mean_logprob=0.0), prior=prior, further=judged)
    assert best.score == pytest.approx(best_possible(prior), abs=1e-4)


def _call(arguments: str) -> ToolCall:
    return ToolCall("c", "df", arguments)


@pytest.mark.parametrize(
    ("reason", "delta"),
    [("tool_calls", 0), ("stop", 0), ("length", 0.2), ("content_filter", 0.4), ("error", 0.4)],
)
def test_call_that_was_cut_is_worth_less(reason: str, delta: float) -> None:
    """Whoever offers tools is well answered with a call, unless it was cut or refused."""
    found = score(0.85, text="", finish_reason=reason, tool_calls=(_call("{}"),))
    assert found == pytest.approx(0.85 - delta)


@pytest.mark.parametrize(
    ("arguments", "delta"),
    [("{}", 0), ("", 0), ('{"path":"/"}', 0), ('{"pa', 0.3), ("[1]", 0.3), ("/", 0.3)],
)
def test_arguments_that_are_no_object_count(arguments: str, delta: float) -> None:
    """A call that no tool can be used with is hardly an answer."""
    calls = (_call("{}"), _call(arguments))
    found = score(0.85, text="", finish_reason="tool_calls", tool_calls=calls)
    assert found == pytest.approx(0.85 - delta)
