"""``faultmaven ask``: a whole answer from this process, honest about evidence and confidence."""

import signal
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from cli.command import run
from cli.terminal import run_in_terminal
from upstreams import Upstream, refused_url

LOG = "12:00:01 worker started\n12:00:02 java.lang.OutOfMemoryError: Java heap space\n"
DIAGNOSIS: dict[str, Any] = {
    "status": "completed",
    "summary": "The heap is too small.",
    "root_cause": "The heap is [too] small.",
    "findings": [
        {"type": "memory", "message": "The heap is full.", "severity": "high", "evidence": ""}
    ],
    "evidence": ["java.lang.OutOfMemoryError: Java heap space", "disk quota exceeded on /var"],
    "next_steps": ["Raise the heap."],
    "recommendations": ["Watch the heap."],
    "commands": [
        {"command": "kubectl get pods", "description": "Look.", "safety": "read_only"},
        {"command": "rm -rf /var/lib/app", "description": "Clear.", "safety": "read_only"},
    ],
    "missing_information": [],
}


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """A log in a folder of its own."""
    path = tmp_path / "logs" / "app.log"
    path.parent.mkdir()
    path.write_text(LOG, encoding="utf-8")
    return path


def _asking(up: Upstream) -> dict[str, str]:
    return {
        "OPENAI_API_KEY": up.key,
        "OPENAI_API_BASE": up.base_url,
        "OPENAI_MODEL": up.model,
        "CHAT_PROVIDER": "openai",
        "FALLBACK_CHAIN": "none",
    }


async def test_prints_what_a_person_needs(tmp_path: Path, log: Path) -> None:
    """Cause, evidence with its place, commands with their safety, and how sure it is."""
    async with Upstream("openai", answer=DIAGNOSIS) as up:
        result = await run("ask", "Why?", "--file", str(log), folder=tmp_path, **_asking(up))
    assert result.code == 0, result.err
    assert "The heap is [too] small." in result.out
    assert (
        "✓ java.lang.OutOfMemoryError: Java heap space (attachment:app.log, line 2)" in result.out
    )
    assert "✗ disk quota exceeded on /var (not in what you sent)" in result.out
    assert "reads only; Look." in result.out
    assert "destructive; Clear." in result.out  # whatever the model says
    assert f"Answered by openai ({up.model})" in result.out
    assert "Attempts: openai ok" in result.out
    assert LOG.splitlines()[1] in up.last.body.decode()


async def test_prints_the_whole_answer_as_json(tmp_path: Path) -> None:
    """--json is the body the service would have sent; - reads standard input."""
    async with Upstream("openai", answer=DIAGNOSIS) as up:
        words = ("ask", "Why?", "--file", "-", "--session", "mine", "--json")
        result = await run(*words, folder=tmp_path, stdin=LOG, **_asking(up))
    assert result.json["session_id"] == "mine"
    assert [item["verified"] for item in result.json["evidence"]] == [True, False]
    assert result.json["evidence"][0]["source"] == "attachment:stdin"
    assert result.json["provider"] == "openai"


async def test_relative_files_start_from_the_given_folder(tmp_path: Path, log: Path) -> None:
    """The start-up script changes folders, and a file's name must not suffer."""
    async with Upstream("openai", answer=DIAGNOSIS) as up:
        words = ("--relative-to", str(log.parent), "ask", "Why?", "--file", "app.log")
        result = await run(*words, folder=tmp_path, **_asking(up))
    assert result.code == 0, result.err
    assert "attachment:app.log" in result.out


async def test_session_is_continued(tmp_path: Path) -> None:
    """A second question of the same session reaches the provider with the first one."""
    async with Upstream("openai", answer=DIAGNOSIS) as up:
        for question in ("Is it the heap?", "And now?"):
            words = ("ask", question, "--session", "one")
            assert (await run(*words, folder=tmp_path, **_asking(up))).code == 0
        assert "Is it the heap?" in up.last.body.decode()
    with sqlite3.connect(tmp_path / "data" / "sessions.sqlite3") as kept:
        assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    kept.close()


async def test_failure_tells_every_attempt(tmp_path: Path) -> None:
    """When nobody answers, each attempt and its fix are told, and the exit code is 1."""
    variables = {
        "LOCAL_LLM_URL": refused_url(),
        "OPENAI_API_KEY": "sk-x",
        "CHAT_PROVIDER": "openai",
    }
    result = await run(
        *("ask", "Why?"), folder=tmp_path, OPENAI_API_BASE=refused_url(), **variables
    )
    assert result.code == 1
    assert "All providers failed" in result.err
    assert "openai: connection" in result.err
    assert "local: connection" in result.err
    assert "OPENAI_API_BASE" in result.err
    assert "LOCAL_LLM_URL" in result.err
    assert result.out == ""


async def test_failure_as_json(tmp_path: Path) -> None:
    """With --json a failure is a document too."""
    result = await run("ask", "Why?", "--json", folder=tmp_path, LOCAL_LLM_URL=refused_url())
    assert result.code == 1
    assert {attempt["outcome"] for attempt in result.json["attempts"]} == {"connection"}


async def test_a_terminal_shows_the_answer_while_it_is_written(tmp_path: Path, log: Path) -> None:
    """Sections as they come, each said once; then what only the whole could tell."""
    async with Upstream("openai", answer=DIAGNOSIS) as up:
        result = await run_in_terminal(
            *("ask", "Why?", "--file", str(log)), folder=tmp_path, variables=_asking(up)
        )
        assert up.last.json["stream"] is True
    assert result.code == 0
    for said in (
        "The heap is [too] small.",
        "java.lang.OutOfMemoryError: Java heap space (attachment:app.log, line 2)",
        "disk quota exceeded on /var (not found in the input)",
        "rm -rf /var/lib/app (destructive): Clear.",
        "1. Raise the heap.",
        f"Answered by openai ({up.model})",
        "Attempts: openai ok",
    ):
        assert result.out.count(said) == 1, said
    assert "##" not in result.out
    assert "`" not in result.out
    assert "\x1b[1mRoot cause\x1b[0m" in result.err


async def test_markdown_of_the_models_own_is_checked_in_the_end(tmp_path: Path, log: Path) -> None:
    """What the words themselves cannot tell is added: whether quotes stand, what is dangerous."""
    answer = (
        "## Summary\nThe heap is full.\n## Root cause\nIt leaks.\n"
        "## Evidence\n- `java.lang.OutOfMemoryError: Java heap space`\n"
        "## Commands\n- `rm -rf /var/lib/app` (read_only): clears\n"
    )
    async with Upstream("openai", answer=answer) as up:
        result = await run_in_terminal(
            *("ask", "Why?", "--file", str(log)), folder=tmp_path, variables=_asking(up)
        )
    assert result.code == 0
    assert result.out.count("It leaks.") == 1
    assert "✓ java.lang.OutOfMemoryError: Java heap space (attachment:app.log, line 2)" in (
        result.out
    )
    assert "destructive; clears" in result.out


async def test_a_terminal_shows_what_was_tried_as_it_fails(tmp_path: Path) -> None:
    """Each failed attempt is one line, once, before the answer of the next provider."""
    async with Upstream("fireworks", answer="It is the disk.") as up:
        variables = {
            "OPENAI_API_KEY": "sk-x",
            "OPENAI_API_BASE": refused_url(),
            "FIREWORKS_API_KEY": up.key,
            "FIREWORKS_API_BASE": up.base_url,
            "FIREWORKS_MODEL": up.model,
            "CHAT_PROVIDER": "openai",
            "FALLBACK_CHAIN": "fireworks",
        }
        result = await run_in_terminal("ask", "Why?", folder=tmp_path, variables=variables)
    assert result.code == 0
    assert result.out.count("It is the disk.") == 1
    failed, answered = result.out.index("openai: connection ("), result.out.index("It is the disk.")
    assert failed < answered


async def test_a_broken_answer_says_so(tmp_path: Path) -> None:
    """What came is shown as what it is, and the exit code is that of a failure."""
    async with Upstream("openai", answer=DIAGNOSIS) as up:
        up.always("stream_cut_after_content")
        shown = await run_in_terminal("ask", "Why?", folder=tmp_path, variables=_asking(up))
    assert shown.code == 1
    assert "The heap is too small." in shown.out
    assert "\nThe answer breaks off here.\nThe answer broke off: openai" in shown.out
    assert "Answered by" not in shown.out
    assert "Ask again" in shown.out
    assert "Could not connect" not in shown.out


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_who_stops_it_gets_an_ended_line(tmp_path: Path, number: signal.Signals) -> None:
    """What was printed until then is said to be a part, and nothing is spilled."""
    async with Upstream("openai", answer=DIAGNOSIS) as up:
        up.always("stream_stall_after_content")
        shown = await run_in_terminal(
            *("ask", "Why?"),
            folder=tmp_path,
            variables=_asking(up),
            interrupt=(b"The heap", number),
        )
    assert shown.code not in {0, 1}
    assert "\nThe answer breaks off here.\n" in shown.out
    assert "Traceback" not in shown.out


async def test_a_pipe_gets_the_finished_answer(tmp_path: Path) -> None:
    """Nobody reads along there, so nothing has to be settled before it is judged."""
    async with Upstream("openai", answer=DIAGNOSIS) as up:
        result = await run("ask", "Why?", folder=tmp_path, **_asking(up))
        assert not up.last.json.get("stream")
    assert result.code == 0
    assert result.out.count("The heap is [too] small.") == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("   ",), "query must not be blank."),
        (("Why?", "--file", "nowhere.log"), "nowhere.log cannot be read: No such file"),
        (("Why?", "--provider", "no such"), "provider is not a provider's name."),
        (("Why?", "--provider", "nope"), "provider names a provider that is not configured."),
    ],
)
async def test_bad_input_is_one_sentence(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    """What is wrong with the words of the command is said before anybody is asked."""
    result = await run("ask", *words, folder=tmp_path, LOCAL_LLM_URL=refused_url())
    assert result.code == 1
    assert said in result.err
    assert "Traceback" not in result.err
