"""Metrics of several processes as one: each keeps its values in files that every one can add up.

https://prometheus.github.io/client_python/multiprocess/
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from pathlib import Path

from prometheus_client import CollectorRegistry, PlatformCollector
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from faultmaven.infrastructure.observability.counts import Count, Keep, Place


class SharedCount(Count):
    """A number that stands in a file as well, where every process can read it.

    Written to without the lock and the question which process this is that the library's own
    values cost at each event: one thread of one process writes to a file.

    Args:
        file: where it stands.
        key: under which name.
    """

    __slots__ = ("_file", "_here", "_key")

    def __init__(self, file: MmapedDict, key: str) -> None:
        self._file = file
        self._key = key
        self._here: float = file.read_value(key)[0]  # type: ignore[no-untyped-call]  # the client leaves it untyped

    @property
    def value(self) -> float:
        """What it stands at."""
        return self._here

    @value.setter
    def value(self, value: float) -> None:
        self._here = value
        self._file.write_value(self._key, value, 0.0)  # type: ignore[no-untyped-call]  # as above


def shared_by(worker: int, folder: str) -> Keep:
    """Keep numbers where `sum_of` finds them.

    The files are named by the worker's number, not by its process: who replaces a worker goes on
    counting where it stopped, and there are never more files than workers.

    Args:
        worker: number of this process among those that share the folder.
        folder: where the files are.
    """
    files: dict[str, MmapedDict] = {}

    def keep(place: Place) -> Count:
        name = "_".join(filter(None, (place.kind, place.mode, str(worker))))
        if name not in files:
            files[name] = MmapedDict(str(Path(folder, f"{name}.db")))  # type: ignore[no-untyped-call]  # as above
        key = mmap_key(place.family, place.sample, [*place.labels], [*place.values], place.text)
        return SharedCount(files[name], key)

    # The families hold on to ``keep``. What happens while the process ends may still be counted.
    weakref.finalize(keep, _close, files).atexit = False
    return keep


def _close(files: Mapping[str, MmapedDict]) -> None:
    for file in files.values():
        file.close()  # type: ignore[no-untyped-call]  # as above


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
