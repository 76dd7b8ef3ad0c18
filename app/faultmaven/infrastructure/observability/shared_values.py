"""Metrics of several processes as one: each keeps its values in files that every one can add up.

https://prometheus.github.io/client_python/multiprocess/
"""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry, PlatformCollector, values
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead


def share_values(worker: int) -> None:
    """Keep the values of every metric that this process creates from now on in the folder.

    The files are named by the worker's number, not by its process: who replaces a worker goes on
    counting where it stopped, and there are never more files than workers.

    Args:
        worker: number of this process among those that share the folder, which the environment
            names in ``PROMETHEUS_MULTIPROC_DIR``.
    """
    values.ValueClass = values.MultiProcessValue(lambda: worker)  # type: ignore[no-untyped-call]  # the way the library documents


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
