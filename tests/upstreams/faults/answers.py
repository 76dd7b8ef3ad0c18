"""Answers in the right shape that say nothing, too little, or in an unusual way."""

from typing import Any

from upstreams.dialects.answer import Finish
from upstreams.exchange import Behaviour, Exchange
from upstreams.faults.fault import ANSWERED, fault
from upstreams.faults.statuses import sending
from upstreams.faults.vendors import CHATTING, CLOUD, MESSAGING
from upstreams.messages import Reply


def saying(**changes: Any) -> Behaviour:
    """Answer with fields of the upstream's `Answer` changed."""
    return sending(lambda exchange: exchange.answer(**changes))


def blocked(exchange: Exchange) -> Reply:
    """Let the vendor's policy withhold the answer."""
    return exchange.answer(text=None, finish=Finish.FILTER)


def refusal(exchange: Exchange) -> Reply:
    """Let the model decline."""
    return exchange.answer(text=None, finish=Finish.REFUSAL)


def thinking_only(exchange: Exchange) -> Reply:
    """Spend the whole budget on thinking."""
    thought = "The pod restarts, so I should look at its memory limit first."
    return exchange.answer(text=None, thinking=thought, finish=Finish.LENGTH)


ANSWERS = (
    fault(
        "blocked",
        "withheld by policy",
        "content_filter",
        sending(blocked),
        at=CLOUD - {"cohere"},
    ),
    fault(
        "generation_error",
        "the vendor's word for a failed answer",
        "content_filter malformed overloaded",
        sending(blocked),
        at=frozenset({"cohere"}),
    ),
    fault(
        "refusal",
        "the model declines",
        "content_filter",
        sending(refusal),
        at=frozenset({"openai", "openrouter", "anthropic", "gemini"}),
    ),
    fault("thinking_only", "no text after thinking", "malformed", sending(thinking_only)),
    fault("empty_text", "an empty text", "malformed", saying(text="")),
    fault("blank_text", "white space for a text", "malformed", saying(text=" \n\t ")),
    fault("no_text", "no text and no reason", "malformed", saying(text=None)),
    fault(
        "unasked_tool",
        "a tool call nobody asked for",
        "malformed",
        saying(text=None, finish=Finish.TOOL),
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
