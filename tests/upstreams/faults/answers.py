"""Answers in the right shape that say nothing, too little, or in an unusual way."""

from typing import Any

from upstreams.dialects.answer import Finish
from upstreams.exchange import Behaviour, Exchange
from upstreams.faults.fault import ANSWERED, fault
from upstreams.faults.vendors import CHATTING, CLOUD, MESSAGING


def saying(**changes: Any) -> Behaviour:
    """Answer with fields of the upstream's `Answer` changed."""

    async def play(exchange: Exchange) -> None:
        await exchange.answer_well(**changes)

    return play


def saying_nothing(finish: Finish = Finish.STOP, **changes: Any) -> Behaviour:
    """Answer without a text."""
    return saying(text=None, pieces=None, tool_calls=(), finish=finish, **changes)


def saying_only(text: str, **changes: Any) -> Behaviour:
    """Answer with this text and nothing else."""
    return saying(text=text, pieces=None, tool_calls=(), **changes)


blocked = saying_nothing(Finish.FILTER)
"""Let the vendor's policy withhold the answer."""

_THOUGHT = "The pod restarts, so I should look at its memory limit first."


ANSWERS = (
    fault(
        "blocked",
        "withheld by policy",
        "content_filter",
        blocked,
        at=CLOUD - {"cohere"},
    ),
    fault(
        "generation_error",
        "the vendor's word for a failed answer",
        "content_filter malformed overloaded",
        blocked,
        at=frozenset({"cohere"}),
    ),
    fault(
        "refusal",
        "the model declines",
        "content_filter",
        saying_nothing(Finish.REFUSAL),
        at=frozenset({"openai", "openrouter", "anthropic", "gemini"}),
    ),
    fault(
        "thinking_only",
        "no text after thinking",
        "malformed",
        saying_nothing(Finish.LENGTH, thinking=_THOUGHT),
    ),
    fault("empty_text", "an empty text", "malformed", saying_only("")),
    fault("blank_text", "white space for a text", "malformed", saying_only(" \n\t ")),
    fault("no_text", "no text and no reason", "malformed", saying_nothing()),
    fault(
        "unasked_tool",
        "a tool call nobody asked for",
        "malformed",
        saying_nothing(Finish.TOOL),
        at=MESSAGING,
    ),
    fault("parts_content", "the text in parts", ANSWERED, saying(parts=True), at=CHATTING),
    fault(
        "with_thinking",
        "thinking beside the text",
        ANSWERED,
        saying(thinking="Let me see."),
        at=MESSAGING,
    ),
    fault("no_usage", "no token counts", ANSWERED, saying(usage=False)),
    fault("float_usage", "token counts as floats", ANSWERED, saying(float_counts=True)),
    fault("cut_by_length", "text cut by its limit", ANSWERED, saying(finish=Finish.LENGTH)),
    fault(
        "cut_by_filter",
        "text cut by policy",
        "answered content_filter",
        saying(finish=Finish.FILTER),
        at=CLOUD - {"cohere"},
    ),
)
"""Answers that say too little, and unusual answers that are fine."""
