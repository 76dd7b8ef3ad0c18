"""``faultmaven version``, ``model pull``, and the command without a verb."""

import importlib.metadata
import io
import logging
import platform
from pathlib import Path

from rich.console import Console

from cli.command import run
from faultmaven.cli.progress import ModelProgress
from faultmaven.models.status import LocalModelState, LocalModelStatus
from observability.log_of_tests import log_to_text


async def test_version(tmp_path: Path) -> None:
    """FaultMaven's own version, Python's and the engine's, as text and as JSON."""
    text = await run("version", folder=tmp_path)
    as_json = await run("version", "--json", folder=tmp_path)
    ours = importlib.metadata.version("faultmaven")
    assert text.out.startswith(f"FaultMaven {ours}\nPython {platform.python_version()}")
    assert as_json.json["faultmaven"] == ours
    assert set(as_json.json) == {"faultmaven", "python", "engine"}


async def test_help_lists_every_verb(tmp_path: Path) -> None:
    """Without a verb the command shows what there is."""
    result = await run(folder=tmp_path)
    for verb in ("serve", "ask", "providers", "doctor", "version", "model"):
        assert verb in result.out + result.err


async def test_pulling_an_unknown_model_is_explained(tmp_path: Path) -> None:
    """A wrong name gets the right ones."""
    result = await run("model", "pull", "enormous", folder=tmp_path)
    assert result.code == 1
    assert "default, small, tiny" in result.err


def _shown(*statuses: LocalModelStatus, terminal: bool) -> str:
    console = Console(file=io.StringIO(), force_terminal=terminal, width=80)
    with ModelProgress(console) as progress:
        for status in statuses:
            progress(status)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def _download(share: float) -> LocalModelStatus:
    return LocalModelStatus("downloading", progress=share, message="Fetching qwen.")


def _at(state: LocalModelState, message: str, hint: str | None = None) -> LocalModelStatus:
    return LocalModelStatus(state, message=message, hint=hint)


def test_progress_in_a_pipe_is_a_few_plain_lines() -> None:
    """A download of a thousand steps prints a line a tenth, without any control codes."""
    steps = [_download(step / 1000) for step in range(1001)]
    shown = _shown(*steps, _at("ready", "qwen answers."), terminal=False)
    lines = shown.splitlines()
    assert lines[0] == "Embedded model: Fetching qwen. 0%"
    assert lines[-1] == "Embedded model: qwen answers."
    assert len(lines) == 12
    assert "\x1b" not in shown


def test_progress_in_a_terminal_is_a_bar() -> None:
    """A terminal gets a bar that goes away, and the failure with its fix afterwards."""
    failed = _at("failed", "No room on the disk.", "Make room.")
    shown = _shown(_download(0.5), _at("loading", "Loading qwen."), failed, terminal=True)
    assert "━" in shown
    assert "50%" in shown
    assert "No room on the disk." in shown
    assert "Make room." in shown


def test_a_line_of_the_log_goes_above_the_bar() -> None:
    """While the bar is drawn it makes way for a line; the next one goes straight out."""
    with log_to_text("console") as written:
        log = logging.getLogger("faultmaven")
        console = Console(file=io.StringIO(), force_terminal=True, width=80)
        assert isinstance(console.file, io.StringIO)
        with ModelProgress(console) as progress:
            progress(_download(0.25))
            log.warning("Beside it.")
            assert written.getvalue() == ""
        log.warning("After it.")
    assert "WARNING: Beside it.\n" in console.file.getvalue()
    assert written.getvalue() == "WARNING: After it.\n"


def test_other_output_interrupts_the_bar_cleanly() -> None:
    """The greeting is printed while no bar is drawn, and the bar is there again after it."""
    console = Console(file=io.StringIO(), force_terminal=True, width=80)
    assert isinstance(console.file, io.StringIO)
    with ModelProgress(console) as progress:
        progress(_download(0.25))
        with progress.set_aside():
            before = len(console.file.getvalue())
            console.print("Hello.")
            greeting = console.file.getvalue()[before:]
        progress(_download(0.75))
    assert greeting == "Hello.\n"
    assert "75%" in console.file.getvalue()
