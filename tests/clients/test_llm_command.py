"""The llm command and library: its models registered in a file, as its users register them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from clients.scenes import DIAGNOSIS, VERDICT, looks_at_both
from clients.vendors import ANSWER, NAMES, Vendors
from upstreams import Answer, Request

PROGRAM = Path(__file__).with_name("llm_program.py")
COMMAND = Path(sys.executable).with_name("llm")
_SOON = 60  # seconds; a busy machine is slow to start a process


@pytest.fixture
def environment(url: str, tmp_path: Path) -> Mapping[str, str]:
    """A user's folder in which every vendor is a model of llm's, reached through the service."""
    models = [
        {
            "model_id": f"fm-{name}",
            "model_name": name,
            "api_base": f"{url}/v1",
            "api_key_name": "faultmaven",
            "supports_tools": True,
            "supports_schema": True,
        }
        for name in NAMES
    ]
    (tmp_path / "extra-openai-models.yaml").write_text(json.dumps(models), encoding="utf-8")
    (tmp_path / "keys.json").write_text('{"faultmaven": "any"}', encoding="utf-8")
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}  # noqa: TID251 - a child needs PATH and the like
    return {**kept, "LLM_USER_PATH": str(tmp_path), "NO_PROXY": "127.0.0.1", "NO_COLOR": "1"}


def run(environment: Mapping[str, str], *words: str | Path) -> str:
    """Run a command to its end, which must be a good one; what it printed."""
    done = subprocess.run(  # noqa: S603 - the client under test
        words, env=environment, capture_output=True, text=True, timeout=_SOON, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def plays_every_part(request: Request) -> Answer:
    """A model that answers, judges in a form, or looks at both, whatever it is asked for."""
    if b"Judge." in request.body:
        return Answer(DIAGNOSIS)
    return looks_at_both(request) if b"Look." in request.body else Answer(ANSWER)


def test_the_library_asks_in_every_way(environment: Mapping[str, str], vendors: Vendors) -> None:
    """Its Python API: whole, streamed, chains of tools, a schema, and the tokens of an answer.

    One process asks every vendor: to start one takes longer than all the rest.
    """
    vendors.say(plays_every_part)
    said = json.loads(run(environment, sys.executable, PROGRAM, *(f"fm-{name}" for name in NAMES)))
    for name in NAMES:
        got = said[f"fm-{name}"]
        assert got["whole"] == ANSWER
        assert len(got["pieces"]) > 1
        assert "".join(got["pieces"]) == ANSWER
        assert got["tools"] == VERDICT
        assert "".join(got["tools_streamed"]) == VERDICT
        assert got["form"] == DIAGNOSIS
        assert got["usage"] > 0
    assert vendors.asked() == [name for name in NAMES for _ in range(7)]


@pytest.mark.parametrize("words", [(), ("--no-stream",)], ids=["stream", "no-stream"])
def test_the_command_answers(
    environment: Mapping[str, str], vendors: Vendors, words: tuple[str, ...]
) -> None:
    """``llm -m …`` prints the answer, streamed or not."""
    said = run(environment, COMMAND, "-m", "fm-anthropic", *words, "Why does db-1 refuse writes?")
    assert said.strip() == ANSWER
    assert vendors.asked() == ["anthropic"]


def test_the_command_keeps_a_form(environment: Mapping[str, str], vendors: Vendors) -> None:
    """``llm --schema`` in its short notation gives a JSON object."""
    vendors.say(DIAGNOSIS, "gemini")
    said = run(environment, COMMAND, "-m", "fm-gemini", "--schema", "cause, certain bool", "Judge.")
    assert json.loads(said) == DIAGNOSIS
    assert b"certain" in vendors.last("gemini").body
