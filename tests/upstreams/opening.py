"""Opening an account at a vendor: which keys and models a test's upstream accepts."""

from collections.abc import Iterable
from enum import Enum

from upstreams.dialects.base import Account, Dialect


class Own(Enum):
    """Stands for whatever the dialect itself has."""

    OWN = "own"


def open_account(
    dialect: Dialect,
    *,
    keys: Iterable[str] | Own | None,
    models: Iterable[str] | Own | None,
    window: int | None,
) -> Account:
    """Open an account; None accepts any key, or any model."""
    own_keys = frozenset({dialect.key} if dialect.key else ())
    return Account(
        keys=own_keys if isinstance(keys, Own) else _frozen(keys),
        models=frozenset(dialect.models) if isinstance(models, Own) else _frozen(models),
        context_tokens=window,
    )


def _frozen(names: Iterable[str] | None) -> frozenset[str] | None:
    return None if names is None else frozenset(names)
