"""What the processes of one service tell each other."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ModelAddress:
    """Where the embedded model answers.

    Attributes:
        base_url: of its server.
        model: its id on the wire.
        api_key: what the server requires as a bearer token.
    """

    base_url: str
    model: str
    api_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Worker:
    """One of several processes that serve the same address, as its parent made it.

    Attributes:
        number: its place among them, from 0; whoever replaces it has the same.
        metrics_folder: where all of them keep the values of their metrics.
        model: the embedded model, which the parent runs for all; ``None`` where there is none.
    """

    number: int
    metrics_folder: str
    model: ModelAddress | None = None
