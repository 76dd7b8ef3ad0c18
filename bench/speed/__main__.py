"""Measure: `python -m bench.speed [NAME …] [--quick] [--features] [--json FILE] [--docs]`."""

from __future__ import annotations

import argparse
import asyncio
import os
import subprocess
import sys
import tempfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from bench import ROOT
from bench.speed.comparing import compared
from bench.speed.documents import write_documents
from bench.speed.features import feature_rows
from bench.speed.installing import CACHE
from bench.speed.machine import cores, machine
from bench.speed.measure import Extent, Stage
from bench.speed.peers import PEERS, FaultMaven, Peer
from bench.speed.record import Record, read, together, write
from bench.speed.tables import features_table, gateways_table
from bench.speed.tools import MissingToolsError, check_tools, versions
from bench.speed.upstream import prompt_upstream, slow_upstream

_QUICK = 0.1
_NAMES = {"faultmaven": "FaultMaven", **{peer.name.split()[0].lower(): peer.name for peer in PEERS}}


def main() -> int:
    """Measure or read, print the tables, write the files; 2 where tools are missing."""
    parser = _parser()
    options = parser.parse_args()
    if options.read:
        record = together([read(file) for file in options.read])
    else:
        try:
            check_tools()
        except MissingToolsError as error:
            parser.error(str(error))
        record = asyncio.run(_measured(options))
    _show(record)
    if options.json:
        write(record, options.json)
    if options.docs:
        earlier = read(options.before) if options.before else None
        write_documents(record, folder=ROOT / "docs", before=earlier)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench.speed", description=__doc__)
    parser.add_argument(
        "names",
        nargs="*",
        choices=[*_NAMES, []],
        metavar="NAME",
        help=f"what is measured: {', '.join(_NAMES)} (all)",
    )
    parser.add_argument("--quick", action="store_true", help="a tenth of everything: does it work?")
    parser.add_argument("--features", action="store_true", help="measure FaultMaven's own table")
    parser.add_argument("--cache", type=Path, default=CACHE, help="folder for peers (%(default)s)")
    parser.add_argument(
        "--source", type=Path, default=ROOT, help="checkout whose FaultMaven is measured (this one)"
    )
    parser.add_argument("--json", type=Path, help="keep the measurements in this file")
    parser.add_argument(
        "--read", type=Path, action="append", help="measure nothing; show this file (and those)"
    )
    parser.add_argument(
        "--docs", action="store_true", help="write docs/speed.md and docs/speed.svg"
    )
    parser.add_argument("--before", type=Path, help="file of an earlier run, for docs/speed.md")
    return parser


async def _measured(options: argparse.Namespace) -> Record:
    record = Record(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine(),
        tools=versions(),
        scale=_QUICK if options.quick else 1.0,
        commit=_commit(options.source),
    )
    with tempfile.TemporaryDirectory(prefix="speed-") as name:
        return await _staged(options, record, Path(name))


async def _staged(options: argparse.Namespace, record: Record, folder: Path) -> Record:
    """Both upstreams run all the time; idle, they take nothing."""
    places = cores()
    os.sched_setaffinity(0, places.load)
    for name in ("prompt", "slow"):
        (folder / name).mkdir()
    async with (
        prompt_upstream(folder / "prompt", places.load) as prompt,
        slow_upstream(folder / "slow", places.load) as slow,
    ):
        stage = Stage(
            cores=places,
            cache=options.cache.resolve(),
            prompt=prompt.origin,
            slow=slow.origin,
            extent=Extent(record.scale),
            folder=folder,
        )
        if options.features:
            return replace(record, features=await feature_rows(options.source.resolve(), stage))
        return await compared(record, _chosen(options), stage)


def _chosen(options: argparse.Namespace) -> list[Peer]:
    wanted = {_NAMES[name] for name in options.names or _NAMES}
    ours = FaultMaven(source=options.source.resolve())
    return [peer for peer in (ours, *PEERS) if peer.name in wanted]


def _commit(source: Path) -> str:
    told = subprocess.run(  # noqa: S603 - git itself
        ["git", "-C", str(source), "rev-parse", "--short", "HEAD"],  # noqa: S607 - found on PATH
        capture_output=True,
        text=True,
        check=False,
    )
    return told.stdout.strip()


def _show(record: Record) -> None:
    if record.entries:
        print(gateways_table(record))
    if record.features:
        print(features_table(record))


if __name__ == "__main__":
    sys.exit(main())
