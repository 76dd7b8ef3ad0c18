"""Answers in the right shape that say nothing, too little, or in an unusual way."""

from typing import Any

from upstreams.dialects.answer import Finish
from upstreams.exchange import Behaviour, Exchange
from upstreams.faults.statuses import sending
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
