"""How sure an answer is: the provider's prior, moved by what is seen in the answer.

Every signal is a pure function that gives a delta and its reason. The score is their sum,
kept within [0, 0.98]: certainty is not on offer. Length alone never raises it.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Sequence

from faultmaven.infrastructure.llm.wire.function_tools import is_object
from faultmaven.infrastructure.llm.wire.types import Completion
from faultmaven.models.confidence import Confidence, Signal
from faultmaven.models.prompt import ToolCall

CEILING = 0.98
"""Highest score any answer can get."""

_FINISH_DELTAS = {
    "length": (-0.2, "the answer was cut at its length limit"),
    "content_filter": (-0.4, "the provider's filter cut the answer"),
    "error": (-0.4, "the provider reported an error while answering"),
    "tool_calls": (-0.1, "the model asked for a tool instead of finishing"),
}
_FAILED_ALSO_WITH_CALLS = frozenset({"length", "content_filter", "error"})
_REPETITIVE = 0.12  # compressed size over size; prose and JSON stay well above 0.25
_REPETITION_MIN_CHARS = 600  # below this the ratio says little
_PLACES = 5  # of a text, at which samples of it are taken
_SAMPLE = 12  # characters: two words or three
_FEWEST_WORDS = 50  # fewer in so long a text are no words
_SURE_OF_WORDS = 0.05  # for likely tokens
_JUDGED = 0.15  # the most that the form and the proven evidence of a diagnosis add
_LIKELY, _UNLIKELY = 0.9, 0.6  # geometric mean of token probabilities


def score_completion(
    completion: Completion,
    *,
    prior: float,
    threshold: float = 0.0,
    further: Sequence[Signal] = (),
) -> Confidence:
    """Score one answer.

    Args:
        completion: the answer.
        prior: the provider's ``confidence_score``, in [0, 1].
        threshold: recorded beside the score, in [0, 1].
        further: signals from whoever knows what was asked.
    """
    usual = Signal("prior", prior, "how this provider's answers usually fare")
    seen = (*_signals(completion), *further)
    score = _moved(prior, seen) if seen else prior
    return Confidence(score=round(score, 4), threshold=threshold, signals=(usual, *seen))


def _moved(prior: float, seen: Sequence[Signal]) -> float:
    total = prior + sum(signal.delta for signal in seen)
    # A provider configured above the ceiling keeps what its operator gave it.
    return min(max(total, 0.0), max(CEILING, prior))


def best_possible(prior: float, *, bonus: float = _JUDGED + _SURE_OF_WORDS) -> float:
    """Highest score worth expecting from a provider with this prior.

    Args:
        prior: the provider's ``confidence_score``, in [0, 1].
        bonus: the most that good signals together add: those seen in any answer, and those of
            whoever knows what was asked.
    """
    return min(prior + bonus, max(CEILING, prior))


def _signals(completion: Completion) -> Iterator[Signal]:
    reason, calls = completion.finish_reason, completion.tool_calls
    # Whoever offers tools is well answered with a call, unless it was cut.
    if reason in _FINISH_DELTAS and (not calls or reason in _FAILED_ALSO_WITH_CALLS):
        yield Signal("finish_reason", *_FINISH_DELTAS[reason])
    if calls:
        yield from _arguments(calls)
    if len(completion.text) >= _REPETITION_MIN_CHARS:
        yield from _repetition(completion.text)
    if completion.mean_logprob is not None:
        yield from _token_probability(completion.mean_logprob)


def _arguments(calls: Sequence[ToolCall]) -> Iterator[Signal]:
    """No tool can be used with arguments that are no object; none at all are as good as ``{}``."""
    if not all(is_object(call.arguments or "{}") for call in calls):
        yield Signal("tool_arguments", -0.3, "a tool call's arguments are no JSON object")


def _repetition(text: str) -> Iterator[Signal]:
    # In most texts no sample comes again. Compressing one clears 64 KiB first, which drives
    # everything else out of the core's first cache.
    if not _comes_again(text) or _is_varied(text):
        return
    raw = text.encode("utf-8", "replace")
    if len(zlib.compress(raw, 1)) / len(raw) < _REPETITIVE:
        yield Signal("repetition", -0.3, "the answer repeats itself")


def _comes_again(text: str) -> bool:
    """Whether samples from all over a text come again behind themselves, as those of a loop do.

    Each place has two samples side by side: of a loop that counts its passes, one at least is
    without the number. The places keep no rhythm that a loop could have. Copies that are few or
    scattered may be missed, and do not make a text repetitive by themselves.
    """
    step = len(text) // (_PLACES + 2)
    for number in range(1, _PLACES + 1):
        place = step * number + 3 * number * number
        for start in (place, place + _SAMPLE):
            if text.find(text[start : start + _SAMPLE], start + 1) >= 0:
                return True
    return False


def _is_varied(text: str) -> bool:
    """Whether every fourth word is a new one: no text is repetitive then, whatever its words."""
    words = text.split()
    return 4 * len(set(words)) > len(words) > _FEWEST_WORDS


def _token_probability(mean_logprob: float) -> Iterator[Signal]:
    probability = math.exp(min(mean_logprob, 0.0))
    if probability >= _LIKELY:
        yield Signal("token_probability", _SURE_OF_WORDS, "the model was sure of its words")
    elif probability < _UNLIKELY:
        yield Signal("token_probability", -0.1, "the model was unsure of its words")
