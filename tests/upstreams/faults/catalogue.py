"""Every fault, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from upstreams.faults.answers import ANSWERS
from upstreams.faults.bodies import BODIES
from upstreams.faults.fault import Fault
from upstreams.faults.network import NETWORK
from upstreams.faults.statuses import REASONS, STATUSES, WAITS
from upstreams.faults.streams import STREAMS

ALL_FAULTS: tuple[Fault, ...] = (*STATUSES, *REASONS, *WAITS, *NETWORK, *BODIES, *ANSWERS)
"""The catalogue in its order."""

ALL_STREAM_FAULTS: tuple[Fault, ...] = STREAMS
"""Those of streams in their order: a plain request meets the nearest plain fault instead."""

FAULTS: Mapping[str, Fault] = MappingProxyType({item.name: item for item in ALL_FAULTS})
"""The catalogue by name."""

STREAM_FAULTS: Mapping[str, Fault] = MappingProxyType(
    {item.name: item for item in ALL_STREAM_FAULTS}
)
"""Those of streams by name."""


def fault_for(dialect: str, name: str) -> Fault:
    """Find a fault that can happen at a vendor.

    Raises:
        KeyError: There is no fault of that name.
        ValueError: It cannot happen at this vendor.
    """
    found = FAULTS.get(name) or STREAM_FAULTS[name]
    if not found.applies_to(dialect):
        raise ValueError(f"{name} cannot happen at {dialect}")
    return found


def faults_for(dialect: str) -> tuple[Fault, ...]:
    """Give every fault that can happen at a vendor to any request."""
    return tuple(item for item in ALL_FAULTS if item.applies_to(dialect))


def stream_faults_for(dialect: str) -> tuple[Fault, ...]:
    """Give every fault that can happen at a vendor to a stream."""
    return tuple(item for item in ALL_STREAM_FAULTS if item.applies_to(dialect))
