"""Every fault, by name."""

from collections.abc import Mapping
from types import MappingProxyType

from upstreams.faults.answers import ANSWERS
from upstreams.faults.bodies import BODIES
from upstreams.faults.fault import Fault
from upstreams.faults.network import NETWORK
from upstreams.faults.statuses import REASONS, STATUSES, WAITS

ALL_FAULTS: tuple[Fault, ...] = (*STATUSES, *REASONS, *WAITS, *NETWORK, *BODIES, *ANSWERS)
"""The catalogue in its order."""

FAULTS: Mapping[str, Fault] = MappingProxyType({item.name: item for item in ALL_FAULTS})
"""The catalogue by name."""


def fault_for(dialect: str, name: str) -> Fault:
    """Find a fault that can happen at a vendor.

    Raises:
        KeyError: There is no fault of that name.
        ValueError: It cannot happen at this vendor.
    """
    found = FAULTS[name]
    if not found.applies_to(dialect):
        raise ValueError(f"{name} cannot happen at {dialect}")
    return found


def faults_for(dialect: str) -> tuple[Fault, ...]:
    """Give every fault that can happen at a vendor."""
    return tuple(item for item in ALL_FAULTS if item.applies_to(dialect))
