"""Run one upstream by hand: `PYTHONPATH=tests python -m upstreams --dialect openai`."""

import argparse
import asyncio
import contextlib
import json
import sys

from upstreams.dialects import DIALECTS
from upstreams.faults import FAULTS, STREAM_FAULTS, delayed
from upstreams.samples import SAMPLES
from upstreams.server import Upstream

_KEPT = 100
"""Requests remembered: nobody looks at them here, and a benchmark sends millions."""


def main() -> None:
    """Serve until interrupted."""
    options = _parser().parse_args()
    if options.list:
        for fault in (*FAULTS.values(), *STREAM_FAULTS.values()):
            _say(f"{fault.name:28} {fault.note}")
        return
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m upstreams", description=__doc__)
    parser.add_argument("--dialect", choices=sorted(DIALECTS), default="openai")
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument(
        "--fault", choices=sorted((*FAULTS, *STREAM_FAULTS)), help="what every call gets"
    )
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before a good answer")
    parser.add_argument("--answer", default="The disk is full.", help="what the model says")
    parser.add_argument("--any", action="store_true", help="accept any key and any model")
    parser.add_argument("--list", action="store_true", help="list the faults and end")
    return parser


async def _serve(options: argparse.Namespace) -> None:
    accepted = {"keys": None, "models": None} if options.any else {}
    async with Upstream(
        options.dialect, answer=options.answer, port=options.port, keep=_KEPT, **accepted
    ) as up:
        if options.delay:
            up.default = delayed(options.delay)
        if options.fault:
            up.always(options.fault)
        _say(up.base_url)
        _say(_example(up))
        await asyncio.get_running_loop().create_future()


def _example(up: Upstream) -> str:
    sample = SAMPLES[up.dialect.name][0].filled(key=up.key, model=up.model)
    headers = {"content-type": "application/json", **sample.headers}
    flags = " ".join(f"-H '{name}: {value}'" for name, value in headers.items())
    return f"curl {up.origin}{sample.path} {flags} -d '{json.dumps(sample.body)}'"


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
