"""Which model to embed and how, and the pieces of the world its supervisor works with."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from faultmaven.infrastructure.local_model.engine import EngineProblem, check_engine
from faultmaven.infrastructure.local_model.restart import RestartPolicy
from faultmaven.infrastructure.local_model.server_child import Launch, Vigil, child_command
from faultmaven.infrastructure.local_model.source import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalModelConfig:
    """Which model to serve, and how.

    Attributes:
        cache_dir: where fetched weights are kept.
        choice: ``auto``, ``on`` or a model's name, as in ``LOCAL_MODEL``.
        model_path: a GGUF file of the user's own, used as it is instead of a choice.
        port: loopback port; ``None`` finds a free one.
        slots: requests answered at once; others wait in the server.
        context: tokens a request and its answer may have together.
        threads: threads that compute; ``None`` reads prompts on every core and writes on all
            but one.
        environment: of the children that fetch (index, proxies, certificates); ``None``
            gives them ours.
    """

    cache_dir: Path
    choice: str = "auto"
    model_path: Path | None = None
    port: int | None = None
    slots: int = 1
    context: int = 8192
    threads: int | None = None
    environment: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the supervisor takes from the world; tests bring their own.

    Attributes:
        command: the command of a server child.
        sources: where weights come from; ``None`` means index and official source.
        check: says what keeps the engine from running here.
        vigil: how a child is watched.
        restart: when a dead child is started again.
        clock: seconds, monotonic.
        sleep: waits a number of seconds.
        uniform: a random number between two.
    """

    command: Callable[[Launch], Sequence[str]] = child_command
    sources: Sequence[Source] | None = None
    check: Callable[[], Awaitable[EngineProblem | None]] = check_engine
    vigil: Vigil = field(default_factory=Vigil)
    restart: RestartPolicy = field(default_factory=RestartPolicy)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    uniform: Callable[[float, float], float] = random.uniform
