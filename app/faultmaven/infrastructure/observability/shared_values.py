"""Metrics of several processes as one: each keeps its values in files that every one can add up.

https://prometheus.github.io/client_python/multiprocess/
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from prometheus_client import CollectorRegistry, PlatformCollector, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from faultmaven.infrastructure.observability.counts import Count, Keep, Place


class SharedCount(Count):
    """A number that stands in a file as well, where every process can read it.

    Args:
        written: the library's view of the file.
    """

    __slots__ = ("_here", "_write")

    def __init__(self, written: Any) -> None:
        self._here: float = written.get()
        self._write: Callable[[float], None] = written.set

    @property
    def value(self) -> float:
        """What it stands at."""
        return self._here

    @value.setter
    def value(self, value: float) -> None:
        self._here = value
        self._write(value)


def shared_by(worker: int) -> Keep:
    """Keep numbers in the folder that ``PROMETHEUS_MULTIPROC_DIR`` names in the environment.

    The files are named by the worker's number, not by its process: who replaces a worker goes on
    counting where it stopped, and there are never more files than workers.

    Args:
        worker: number of this process among those that share the folder.
    """
    written = values.MultiProcessValue(lambda: worker)  # type: ignore[no-untyped-call]  # the way the library documents

    def keep(place: Place) -> Count:
        names = place.family, place.sample, place.labels, place.values
        return SharedCount(written(place.kind, *names, place.text, multiprocess_mode=place.mode))

    return keep


def forget_present(folder: str, worker: int) -> None:
    """Drop what a worker that has ended was doing; what it had counted stays."""
    if Path(folder).is_dir():
        mark_process_dead(worker, folder)  # type: ignore[no-untyped-call]  # the client leaves it untyped


def sum_of(folder: str) -> CollectorRegistry:
    """Everything that all the processes have counted.

    A process's own memory and CPU time are not in it: a scrape reaches any one of them.
    """
    registry = CollectorRegistry(auto_describe=False)
    MultiProcessCollector(registry, path=folder)  # type: ignore[no-untyped-call]  # as above
    PlatformCollector(registry=registry)
    return registry
