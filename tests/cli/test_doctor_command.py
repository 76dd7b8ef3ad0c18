"""``faultmaven doctor``: each provider is really asked, and each finding says what to do."""

from pathlib import Path
from typing import Any

from cli.command import Result, run
from upstreams import Upstream, refused_url


def _findings(result: Result, subject: str) -> list[dict[str, Any]]:
    return [finding for finding in result.json["findings"] if finding["subject"] == subject]


async def test_good_configuration_passes(tmp_path: Path) -> None:
    """A key that is accepted and a model that is served end with exit code 0."""
    async with Upstream("openai") as up:
        result = await run(
            *("doctor", "--json"),
            folder=tmp_path,
            OPENAI_API_KEY=up.key,
            OPENAI_API_BASE=up.base_url,
            OPENAI_MODEL=up.model,
            LOCAL_LLM_ENABLED="false",
            PORT="0",
        )
        paths = {request.path for request in up.requests}
    assert result.code == 0, result.out
    [finding] = _findings(result, "openai")
    assert finding["severity"] == "ok"
    assert "key accepted" in finding["message"]
    assert up.model in finding["message"]
    assert paths == {"/v1/models"}  # free of charge


async def test_wrong_key_is_explained(tmp_path: Path) -> None:
    """A refused key is a problem with the documented five checks; it is never printed."""
    async with Upstream("openai") as up:
        result = await run(
            *("doctor", "--json"),
            folder=tmp_path,
            OPENAI_API_KEY="sk-nobody-knows-this-one",
            OPENAI_API_BASE=up.base_url,
        )
    assert result.code == 1
    [finding] = _findings(result, "openai")
    assert finding["severity"] == "problem"
    assert "does not accept the key" in finding["message"]
    assert "OPENAI_API_KEY" in finding["fix"]
    assert "(5)" in finding["fix"]
    assert "nobody-knows" not in result.out + result.err


async def test_wrong_model_gets_the_nearest_names(tmp_path: Path) -> None:
    """A model that is not served is a problem that names the variable and what is close to it."""
    async with Upstream("openai", models={"gpt-4o", "gpt-4o-mini", "tts"}) as up:
        result = await run(
            *("doctor", "--json"),
            folder=tmp_path,
            OPENAI_API_KEY=up.key,
            OPENAI_API_BASE=up.base_url,
            OPENAI_MODEL="gpt4o",
        )
    [finding] = _findings(result, "openai")
    assert finding["severity"] == "problem"
    assert "'gpt4o'" in finding["message"]
    assert "OPENAI_MODEL" in finding["fix"]
    assert "serve: gpt-4o, gpt-4o-mini" in finding["fix"]


async def test_dead_local_server_is_explained(tmp_path: Path) -> None:
    """A local server that does not run is a problem naming its address and what to start."""
    url = refused_url()
    result = await run("doctor", "--json", folder=tmp_path, LOCAL_LLM_URL=url)
    assert result.code == 1
    [finding] = _findings(result, "local")
    assert finding["severity"] == "problem"
    assert url in finding["fix"]
    assert "LOCAL_LLM_URL" in finding["fix"]


async def test_silence_is_not_mistaken_for_a_dead_server(tmp_path: Path) -> None:
    """An upstream that accepts and never answers is told as a timeout, in the time allowed."""
    async with Upstream("anthropic") as up:
        up.always("stalled_headers")
        result = await run(
            *("doctor", "--json", "--timeout", "0.5"),
            folder=tmp_path,
            ANTHROPIC_API_KEY=up.key,
            ANTHROPIC_API_BASE=up.base_url,
        )
    finding = _findings(result, "anthropic")[-1]
    assert finding["severity"] == "problem"
    assert "does not answer in time" in finding["message"]


async def test_reads_as_a_table(tmp_path: Path) -> None:
    """For a person: a mark, the subject, the finding, its fix, and the count at the end."""
    result = await run("doctor", folder=tmp_path, CHAT_PROVIDER="opnai", PORT="0")
    assert result.code == 1
    assert "❌ chain" in result.out
    assert "→ Did you mean openai?" in result.out
    assert result.out.endswith("warnings\n")


async def test_broken_environment_file_is_told_by_line(tmp_path: Path) -> None:
    """Lines of .env that would be lost are named by number, their values never shown."""
    lines = ('OPENAI_API_KEY="sk-open-quote', "FIREWORK_API_KEY=fw_secret", "just words here")
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    result = await run("doctor", folder=tmp_path)
    assert result.code == 1
    assert ".env, line 1 cannot be understood." in result.out
    assert "Did you mean FIREWORKS_API_KEY?" in result.out
    assert "sk-open" not in result.out + result.err
    assert "fw_secret" not in result.out + result.err


async def test_unreadable_configuration_is_a_finding(tmp_path: Path) -> None:
    """Even settings that stop the service give a list of findings instead of a traceback."""
    result = await run("doctor", "--json", folder=tmp_path, PORT="eighty")
    assert result.code == 1
    assert result.json["healthy"] is False
    assert "PORT" in result.json["findings"][-1]["message"]
