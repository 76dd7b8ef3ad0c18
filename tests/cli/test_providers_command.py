"""``faultmaven providers``: the documented status table and the same facts as JSON."""

import re
from pathlib import Path

from cli.command import run

KEYS = {"ANTHROPIC_API_KEY": "sk-ant-test", "OPENAI_API_KEY": "sk-test-key"}
LINE = re.compile(r"(\S+) (\w+) +\| Models: (.+?) +\| Confidence: ([\d.]+) \| (\S+)")


async def test_prints_the_documented_table(tmp_path: Path) -> None:
    """Prints a line per provider with marks, models, confidence; chain, health (S101, S110)."""
    result = await run("providers", folder=tmp_path, CHAT_PROVIDER="anthropic", **KEYS)
    assert result.code == 0, result.err
    lines = {match[2]: match.groups() for match in LINE.finditer(result.out)}
    names = "fireworks openai anthropic gemini huggingface openrouter local"
    assert " ".join(lines) == names
    assert lines["anthropic"] == (
        *("✅", "anthropic", "claude-3-5-sonnet-20241022, claude-3-5-sonnet-20240620"),
        *("0.85", "⚡"),
    )
    assert lines["gemini"][0::4] == ("❌", "⏸️")
    assert "Fallback Chain: anthropic → openai → local\n" in result.out
    assert "Container Health: healthy\n" in result.out


async def test_warns_of_what_will_not_work(tmp_path: Path) -> None:
    """A retired model and a key of the wrong form are named, the key itself never."""
    key = "wrong-form-of-key"
    result = await run("providers", folder=tmp_path, ANTHROPIC_API_KEY=key)
    assert "ANTHROPIC_API_KEY does not begin with sk-ant-" in result.out
    assert "set ANTHROPIC_MODEL" in result.out
    assert key not in result.out + result.err


async def test_prints_json_for_scripts(tmp_path: Path) -> None:
    """--json gives status, chain and container health, and nothing else on standard output."""
    result = await run("providers", "--json", folder=tmp_path, CHAIN_PRESET="privacy", **KEYS)
    assert set(result.json) == {"providers", "fallback_chain", "container_health"}
    assert result.json["fallback_chain"] == ["local"]
    assert result.json["providers"]["openai"]["available"] is False
    assert result.json["container_health"] == "healthy"


async def test_wrong_configuration_is_one_sentence(tmp_path: Path) -> None:
    """A value that is out of range ends the command with its variable's name, not a traceback."""
    result = await run("providers", folder=tmp_path, CONFIDENCE_THRESHOLD="7")
    assert result.code == 1
    assert "CONFIDENCE_THRESHOLD" in result.err
    assert "Traceback" not in result.err
