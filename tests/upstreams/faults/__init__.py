"""Ways to misbehave: the catalogue, and the functions for making more."""

from upstreams.dialects.answer import Answer
from upstreams.exchange import Behaviour
from upstreams.faults.answers import saying
from upstreams.faults.bodies import gigantic, html, raw, redirect
from upstreams.faults.catalogue import (
    ALL_FAULTS,
    ALL_STREAM_FAULTS,
    FAULTS,
    STREAM_FAULTS,
    fault_for,
    faults_for,
    stream_faults_for,
)
from upstreams.faults.fault import ANSWERED, Fault
from upstreams.faults.network import delayed, endless_drip, slow_drip
from upstreams.faults.statuses import (
    problem,
    rate_limit,
    rate_limit_until,
    retry_info,
    sending,
    status,
)
from upstreams.faults.telling import slow_start, streamed
from upstreams.messages import Reply

Misbehaviour = Behaviour | Fault | Reply | Answer | str
"""A behaviour, a fault or its name in the catalogue, a fixed reply, or a special answer."""


def behaviour_of(item: Misbehaviour, dialect: str) -> Behaviour:
    """Make a behaviour of whatever describes one."""
    match item:
        case str():
            return fault_for(dialect, item)
        case Reply():
            return sending(lambda _: item)
        case Answer():
            return saying(**_fields(item))
        case _:
            return item


def _fields(answer: Answer) -> dict[str, object]:
    return {name: getattr(answer, name) for name in Answer.__dataclass_fields__}


__all__ = [
    "ALL_FAULTS",
    "ALL_STREAM_FAULTS",
    "ANSWERED",
    "FAULTS",
    "STREAM_FAULTS",
    "Fault",
    "Misbehaviour",
    "behaviour_of",
    "delayed",
    "endless_drip",
    "fault_for",
    "faults_for",
    "gigantic",
    "html",
    "problem",
    "rate_limit",
    "rate_limit_until",
    "raw",
    "redirect",
    "retry_info",
    "saying",
    "sending",
    "slow_drip",
    "slow_start",
    "status",
    "stream_faults_for",
    "streamed",
]
