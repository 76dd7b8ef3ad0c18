"""Where the time goes: a flame graph of FaultMaven under load, drawn from py-spy's samples.

`python -m bench.speed.flame docs/flame-after.svg` starts the service on a core of its own, loads
its chat completions with 64 connections, and looks at it from outside two hundred times a second.
py-spy is installed below the cache; it may look at other processes as root, or where
`kernel.yama.ptrace_scope` is 0.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path

from bench import ROOT
from bench.speed.child import pinned
from bench.speed.flame_drawing import drawn
from bench.speed.gateway import Gateway, started
from bench.speed.installing import CACHE, python_package
from bench.speed.machine import Cores, cores
from bench.speed.peers import FaultMaven
from bench.speed.upstream import prompt_upstream
from bench.speed.wrk import burst

_PY_SPY = "0.4.3"
_RATE = 200  # samples a second
_CONNECTIONS = 64
_WARM = 2.0  # seconds
_LOOP = "Runner.run (asyncio"  # what lies below it started the service


def main() -> int:
    """Load, sample, draw."""
    parser = argparse.ArgumentParser(prog="python -m bench.speed.flame", description=__doc__)
    parser.add_argument("file", type=Path, help="the picture, an SVG")
    parser.add_argument("--seconds", type=int, default=10, help="how long (%(default)s)")
    parser.add_argument(
        "--title", default="Chat completions, 64 connections", help="what it says above"
    )
    parser.add_argument("--source", type=Path, default=ROOT, help="checkout that is served")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for py-spy")
    options = parser.parse_args()
    samples = asyncio.run(_sampled(options))
    options.file.write_text(drawn(samples, title=options.title), encoding="utf-8")
    print(f"{sum(samples.values())} samples")
    return 0


async def _sampled(options: argparse.Namespace) -> Mapping[tuple[str, ...], int]:
    cache = options.cache.resolve()
    await python_package(f"py-spy=={_PY_SPY}", cache / f"py-spy-{_PY_SPY}")
    places = cores()
    os.sched_setaffinity(0, places.load)
    with tempfile.TemporaryDirectory(prefix="flame-") as name:
        folder = Path(name)
        ours = FaultMaven(source=options.source.resolve())
        async with (
            prompt_upstream(folder, places.load) as upstream,
            started(ours, cache=cache, upstream=upstream.origin, cores=places) as gateway,
        ):
            await _load(gateway, places, _WARM)
            spy = cache / f"py-spy-{_PY_SPY}" / "bin" / "py-spy"
            load = asyncio.ensure_future(_load(gateway, places, options.seconds + 1))
            text = await _watched(spy, gateway, places, options.seconds)
            await load
            return _read(text)


async def _load(gateway: Gateway, places: Cores, seconds: float) -> None:
    await burst(
        gateway.target,
        connections=_CONNECTIONS,
        seconds=seconds,
        processors=places.load,
        folder=gateway.folder,
    )


async def _watched(spy: Path, gateway: Gateway, places: Cores, seconds: int) -> str:
    """What py-spy saw, in its raw format.

    Raises:
        RuntimeError: it may not look; holds what it said.
    """
    file = gateway.folder / "samples.txt"
    process = await asyncio.create_subprocess_exec(
        *pinned((str(spy), "record"), places.load),
        *("--pid", str(gateway.child.process.pid), "--format", "raw", "--output", str(file)),
        *("--duration", str(seconds), "--rate", str(_RATE), "--function"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(said.decode(errors="replace")[-500:])
    return file.read_text(encoding="utf-8")


def _read(text: str) -> dict[tuple[str, ...], int]:
    """Stacks of the event loop's thread, outermost first, and how often each was seen.

    Other threads are left out: they wait, which py-spy cannot always tell from work.
    """
    samples: Counter[tuple[str, ...]] = Counter()
    for line in text.splitlines():
        stack, _, count = line.rpartition(" ")
        frames = stack.split(";")
        below = [number for number, name in enumerate(frames) if name.startswith(_LOOP)]
        if below:
            samples[tuple(frames[below[-1] :])] += int(count)
    return samples


if __name__ == "__main__":
    sys.exit(main())
