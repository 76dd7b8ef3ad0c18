"""What a start does without, so that the first answer comes soon."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from cli.command import PATIENCE, environment

_LOADED = """
import json, sys
from faultmaven.cli import main, serve
from faultmaven.cli.progress import ModelProgress
from faultmaven.cli.server import DrainingServer
from faultmaven.main import create_app
create_app()
print(json.dumps(sorted(sys.modules)))
"""

_CONFIGURED = """
import json, sys
from faultmaven.infrastructure.llm.providers import registry
registry.get_registry().get_available_providers()
print(json.dumps(sorted(sys.modules)))
"""
_WIRE = "faultmaven.infrastructure.llm.wire."

_OTHERS_NEED_IT = (
    "faultmaven.container.rehearsal",
    "faultmaven.container.weights",
    "faultmaven.infrastructure.local_model.supervisor",
    "faultmaven.services.doctor",
    "faultmaven.services.drill",
)

# The collector is off from the beginning of the start; whoever sees it on again ends the service.
_SERVED = """
import gc, os, signal, sys, threading, time
from faultmaven.cli.main import main

def seen(wanted):
    end = time.monotonic() + 40
    while gc.isenabled() is not wanted and time.monotonic() < end:
        time.sleep(0.001)
    return gc.isenabled() is wanted

def watch():
    found = seen(False) and seen(True)
    print("on again" if found else "not seen", file=sys.stderr, flush=True)
    os.kill(os.getpid(), signal.SIGTERM)

threading.Thread(target=watch, daemon=True).start()
sys.argv = ["faultmaven", "serve", "--port", "0"]
main()
"""


async def test_service_starts_without_what_only_other_commands_need(tmp_path: Path) -> None:
    """Neither doctor nor drill nor the embedded model's engine is loaded before it serves."""
    loaded = json.loads((await _run(_LOADED, tmp_path))[0])
    assert "faultmaven.services.agent" in loaded
    assert not set(loaded) & set(_OTHERS_NEED_IT)


async def test_codecs_are_loaded_of_whom_is_configured(tmp_path: Path) -> None:
    """What one vendor alone speaks is loaded where it may be asked."""
    alone = {"LOCAL_LLM_ENABLED": "false"}
    openai, _ = await _run(_CONFIGURED, tmp_path, **alone)
    both, _ = await _run(_CONFIGURED, tmp_path, **alone, ANTHROPIC_API_KEY="key-0123456789abcdef")
    assert not _vendors(openai)
    assert _vendors(both) == {"anthropic"}


def _vendors(loaded: str) -> set[str]:
    """Whose own codecs are among the modules that were loaded."""
    names = {name.removeprefix(_WIRE) for name in json.loads(loaded) if name.startswith(_WIRE)}
    words = {word for name in names for word in name.split("_")}
    return words & {"anthropic", "cohere", "gemini", "huggingface", "ollama", "tgi"}


async def test_garbage_is_collected_once_the_service_runs(tmp_path: Path) -> None:
    """A start goes without the collector; a service that ran without it would only grow."""
    _, told = await _run(_SERVED, tmp_path)
    assert "on again" in told.splitlines()


async def _run(program: str, folder: Path, **further: str) -> tuple[str, str]:
    """Run a program in an interpreter of its own; its output and its complaints."""
    variables = {**environment(folder), "OPENAI_API_KEY": "sk-test-0123456789", **further}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", program),
        cwd=folder,
        env=variables,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    async with asyncio.timeout(PATIENCE):
        out, err = await process.communicate()
    return out.decode(), err.decode()
