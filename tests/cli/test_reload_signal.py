"""SIGHUP to ``faultmaven serve``: a new configuration, or the end with the terminal."""

import asyncio
import os
import pty
import re
import signal
import sys
from pathlib import Path

import httpx
import pytest

from cli.command import COMMAND, PATIENCE, environment, running
from upstreams import refused_url

QUIET = {"LOCAL_LLM_URL": refused_url(), "PORT": "0", "RELOAD_WATCH": "false"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no SIGHUP on Windows")


async def _until(stream: asyncio.StreamReader | None, word: str) -> str:
    """What is written up to the line with a word."""
    assert stream is not None
    lines: list[str] = []
    async with asyncio.timeout(PATIENCE):
        while not lines or word not in lines[-1]:
            line = (await stream.readline()).decode()
            assert line, f"it ended without {word!r}: {''.join(lines)}"
            lines.append(line)
    return "".join(lines)


async def test_sighup_takes_the_file_over(tmp_path: Path) -> None:
    """The chain has the new provider, a bad file is refused, and the process is the same."""
    async with running("serve", folder=tmp_path, **QUIET) as process:
        [url] = set(re.findall(r"http://127\.0\.0\.1:\d+", await _until(process.stdout, "curl ")))
        (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-key\nCHAT_PROVIDER=openai\n")
        process.send_signal(signal.SIGHUP)
        told = await _until(process.stderr, "Configuration taken over")
        (tmp_path / ".env").write_text("REQUEST_TIMEOUT=never\n")
        process.send_signal(signal.SIGHUP)
        refused = await _until(process.stderr, "stays as it is")
        async with httpx.AsyncClient(base_url=url) as client:
            providers = (await client.get("/api/v1/providers")).json()
        process.send_signal(signal.SIGTERM)
        await asyncio.wait_for(process.communicate(), PATIENCE)
    assert "(signal): providers added openai" in told
    assert "REQUEST_TIMEOUT (.env, line 1)" in refused
    assert providers["fallback_chain"] == ["openai", "local"]
    assert process.returncode == 0


async def test_a_closed_terminal_ends_the_service(tmp_path: Path) -> None:
    """Started by hand, it does not go on where nobody sees it."""
    ours, theirs = pty.openpty()
    process = await asyncio.create_subprocess_exec(
        *COMMAND,
        "serve",
        cwd=tmp_path,
        env={**environment(tmp_path), **QUIET},
        stdin=theirs,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    os.close(theirs)
    try:
        await _until(process.stdout, "curl ")
        os.close(ours)
        process.send_signal(signal.SIGHUP)
        await asyncio.wait_for(process.communicate(), PATIENCE)
        assert process.returncode == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.communicate()
