"""The speed measurement as a command, and its own parts on loopback."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest
from bench.chaos.client import Client
from bench.speed.answers import CHUNKS, LAST, chat
from bench.speed.caller import Errand, run
from bench.speed.child import running
from bench.speed.gateway import NotReadyError, started
from bench.speed.machine import Cores, machine
from bench.speed.peers import PEERS, FaultMaven
from bench.speed.target import Target
from bench.speed.upstream import slow_upstream

_PROJECT = Path(__file__).parents[2]
_RECORD = Path(__file__).with_name("record.json")
_PATIENCE = 60.0
_ONE = (min(os.sched_getaffinity(0)),)
_HERE = Cores(_ONE, _ONE)


async def _said(*words: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.speed", *words),
        cwd=_PROJECT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(_PATIENCE):
        out, err = await process.communicate()
    return process.returncode or 0, out.decode(), err.decode()


async def test_a_kept_run_is_shown_again() -> None:
    """Nothing is measured, and every gateway of the file is in the table."""
    code, out, _ = await _said("--read", str(_RECORD))
    assert code == 0
    assert all(peer.name in out for peer in PEERS)


async def test_an_unknown_gateway_is_refused() -> None:
    """The names there are stand in the error."""
    code, _, err = await _said("bifrost")
    assert code == 2
    assert "litellm" in err


def _lives(pid: int) -> bool:
    """Whether it runs; a dead process that nobody has waited for has no command line."""
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except FileNotFoundError:
        return False


async def test_faultmaven_is_measured_from_outside(tmp_path: Path) -> None:
    """The real service behind the slow upstream: answers at a pace, whole streams, costs."""
    async with (
        slow_upstream(tmp_path, _HERE.load, delay=0.01) as upstream,
        started(FaultMaven(), cache=tmp_path, upstream=upstream.origin, cores=_HERE) as gateway,
    ):
        paced = await run(Errand(gateway.target, 0.5, rate=20), processors=_HERE.load)
        streams = await run(
            Errand(gateway.target.streaming(), 0.2, callers=2), processors=_HERE.load
        )
        assert (len(paced.whole_ms), paced.errors) == (10, 0)
        assert paced.whole_ms[0] >= 10
        assert len(streams.whole_ms) >= 2
        assert streams.errors == 0
        assert all(0 < first < 1000 for first in streams.first_ms)
        assert gateway.child.cpu_seconds() > 0
        assert 20 < gateway.child.resident_mb() < 1000
        assert gateway.start_seconds > 0


async def test_the_slow_upstream_takes_its_time_and_streams(tmp_path: Path) -> None:
    """A plain answer after the delay; a stream token by token to its end."""
    async with slow_upstream(tmp_path, _HERE.load, delay=0.05) as upstream:
        client = Client(upstream.port)
        plain = await client.ask(chat("Why?"))
        stream = await client.ask(chat("Why?", stream=True))
        await client.aclose()
    assert plain.seconds >= 0.05
    assert LAST.encode() in plain.body
    assert stream.body.count(b'"content":') == CHUNKS + 1  # and the role's, which is empty
    assert stream.good


async def test_a_gateway_that_ends_at_once_is_not_waited_for(tmp_path: Path) -> None:
    """What is wrong is said instead."""
    wrong = FaultMaven(further={"MAX_IN_FLIGHT": "many"})
    with pytest.raises(NotReadyError):
        async with started(wrong, cache=tmp_path, upstream="http://127.0.0.1:9", cores=_HERE):
            pytest.fail("it does not start")


async def test_what_a_process_started_counts_as_its_own(tmp_path: Path) -> None:
    """Processor time and memory of children, too; they end with it."""
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])"
    busy = (
        "import os, time\nprint(os.getpid(), flush=True)\n"
        "while time.process_time() < 0.4: pass\ntime.sleep(60)"
    )
    command = (sys.executable, "-c", program, busy)
    async with running(command, folder=tmp_path, processors=_ONE) as child:
        async with asyncio.timeout(_PATIENCE):
            while child.cpu_seconds() < 0.3:  # noqa: ASYNC110 - another process works
                await asyncio.sleep(0.05)
        assert len(child.family()) == 2
    async with asyncio.timeout(_PATIENCE):
        while _lives(int(child.said())):  # noqa: ASYNC110 - the kernel ends it
            await asyncio.sleep(0.05)


def test_no_two_requests_are_the_same() -> None:
    """The number of a request is in its body, so that no cache answers for the upstream."""
    target = Target(80, "/v1/chat/completions", chat("This is question #."), {"x-a": "b"})
    assert len({target.content(number) for number in range(100)}) == 100
    assert b"x-a: b\r\n" in target.request(1)
    assert target.streaming().body["stream"] is True


def test_the_machine_is_described() -> None:
    """Every field of it is known."""
    here = machine()
    assert here.processors >= 1
    assert here.memory_mb > 100
    assert here.processor
