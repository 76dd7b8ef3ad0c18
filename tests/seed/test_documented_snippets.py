"""The documentation's own snippets, run as they stand there, by a fresh interpreter."""

import ast
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

SNIPPETS = Path(__file__).parent / "snippets"
ENV_BLOCK = SNIPPETS / "auto_discovery.env.txt"


def run(
    *command: str, cwd: Path, environment: Mapping[str, str] | None = None, text: str = ""
) -> str:
    """Run a command in a folder of its own, with almost no environment; its output."""
    finished = subprocess.run(  # noqa: S603 - our own commands
        command,
        cwd=cwd,
        env={
            "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
            "HOME": str(cwd),
            "PYTHONDONTWRITEBYTECODE": "1",
            **(environment or {}),
        },
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def run_snippet(name: str, cwd: Path, environment: Mapping[str, str] | None = None) -> list[str]:
    """Run a snippet of Python as a shell's heredoc does; its lines."""
    script = (SNIPPETS / name).read_text(encoding="utf-8")
    return run(sys.executable, "-", cwd=cwd, environment=environment, text=script).splitlines()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a folder whose .env is the documentation's block, pasted."""
    (tmp_path / ".env").write_bytes(ENV_BLOCK.read_bytes())
    return tmp_path


def test_status_script_prints_the_documented_lines(folder: Path) -> None:
    """The health script runs unchanged and prints one line a provider, as documented (S63, S64)."""
    lines = run_snippet("health_monitoring.py.txt", folder)
    assert lines[0] == "Overall Status: not_initialized"
    shown = {line.split()[1]: line for line in lines[1:]}
    assert set(shown) == {
        "fireworks",
        "openai",
        "anthropic",
        "gemini",
        "huggingface",
        "openrouter",
        "local",
    }
    assert shown["openai"] == (
        "✅ openai       | Models: gpt-4o, gpt-4o-mini            | Confidence: 0.85 | ⚡"
    )
    assert shown["anthropic"] == (
        "✅ anthropic    | Models: claude-3-5-sonnet-20241022, claude-3-5-sonnet-20240620 "
        "| Confidence: 0.85 | ⚡"
    )
    assert shown["local"] == (
        "✅ local        | Models: Phi-3-mini-128k-instruct-onnx  | Confidence: 0.6 | ⚡"
    )
    icons = {name: (line[0], line.split("| ")[-1]) for name, line in shown.items()}
    assert icons["fireworks"] == ("✅", "⚡")
    assert icons["gemini"] == ("✅", "⏸️")
    assert icons["huggingface"] == icons["openrouter"] == ("❌", "⏸️")


def test_status_script_without_geminis_key(tmp_path: Path) -> None:
    """Without its key gemini is ❌ and ⏸️, as the documented output shows it (S63, S64)."""
    block = ENV_BLOCK.read_text(encoding="utf-8").splitlines()
    rest = [line for line in block if not line.startswith("GEMINI")]
    (tmp_path / ".env").write_text("\n".join(rest), encoding="utf-8")
    lines = run_snippet("health_monitoring.py.txt", tmp_path)
    (gemini,) = [line for line in lines if "gemini" in line]
    assert gemini == (
        "❌ gemini       | Models: gemini-1.5-pro, gemini-1.5-flash | Confidence: 0.8 | ⏸️"
    )
    assert sum(line.startswith("✅") for line in lines) == 4


def test_discovery_script(folder: Path) -> None:
    """The discovery script runs unchanged over the pasted block (S28, S61, S83)."""
    lines = run_snippet("provider_discovery.py.txt", folder)
    assert [ast.literal_eval(line.split(":", 1)[1].strip()) for line in lines] == [
        ["fireworks", "openai", "anthropic", "gemini", "local"],
        ["fireworks", "openai", "anthropic", "gemini", "huggingface", "openrouter", "local"],
        ["anthropic", "fireworks", "openai", "local"],
    ]


def test_registry_script(folder: Path) -> None:
    """The registry test, given to Python as a heredoc, prints its five facts (S71, S101)."""
    lines = run_snippet("registry_testing.py.txt", folder)
    assert lines[0].startswith("All providers in schema: ['fireworks', 'openai', 'anthropic'")
    assert lines[1] == (
        "Available providers: ['fireworks', 'openai', 'anthropic', 'gemini', 'local']"
    )
    assert lines[2] == "Fallback chain: ['anthropic', 'fireworks', 'openai', 'local']"
    assert lines[3] == ""
    assert lines[4] == "DI Container LLM Provider: LLMRouter"
    assert lines[5] in {"Container Health: healthy", "Container Health: degraded"}


def test_status_command(folder: Path) -> None:
    """The troubleshooting guide's status command prints every provider, chain and health (S110)."""
    lines = run_snippet("registry_status.py.txt", folder)
    assert lines[0] == "=== Provider Status ==="
    assert lines[1] == "✅ fireworks    | Confidence: 0.9 | ⚡"
    assert lines[4] == "✅ gemini       | Confidence: 0.8 | ⏸️"
    assert lines[5] == "❌ huggingface  | Confidence: 0.75 | ⏸️"
    assert lines[8:] == [
        "",
        "Fallback Chain: anthropic → fireworks → openai → local",
        "Container Health: not_initialized",
    ]


def test_status_one_liner(folder: Path) -> None:
    """The one-line status command works in a shell exactly as it is printed (S110)."""
    command = (SNIPPETS / "status_one_liner.sh.txt").read_text(encoding="utf-8")
    status = ast.literal_eval(run("/bin/sh", "-c", command, cwd=folder))
    assert status["anthropic"]["available"] is True
    assert status["gemini"]["in_fallback_chain"] is False


def test_compliance_test_runs_green(tmp_path: Path) -> None:
    """The documentation's test file, with the import it forgot, passes under pytest (S97)."""
    forgotten = "from faultmaven.models.interfaces import ProviderConfig\n"
    body = (SNIPPETS / "compliance_test.py.txt").read_text(encoding="utf-8")
    (tmp_path / "test_cohere.py").write_text(forgotten + body, encoding="utf-8")
    command = (sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path))
    assert "2 passed" in run(*command, cwd=tmp_path)


DOCUMENTED_IMPORTS = [
    "from faultmaven.container import container",
    "from faultmaven.models.interfaces import ILLMProvider, LLMResponse",
    "from faultmaven.infrastructure.llm.providers.registry import get_registry, PROVIDER_SCHEMA",
    "from faultmaven.infrastructure.llm.providers.base import BaseLLMProvider, ProviderConfig",
    "from faultmaven.infrastructure.llm.providers.cohere_provider import CohereProvider",
]


def test_documented_imports(tmp_path: Path) -> None:
    """Every import the documentation shows works as written, from any folder (S75)."""
    run(sys.executable, "-c", "\n".join(DOCUMENTED_IMPORTS), cwd=tmp_path)


def test_model_formats_reach_the_configuration_unchanged(tmp_path: Path) -> None:
    """The seven documented model names pass from .env with slashes and case kept (S21, S83)."""
    (tmp_path / ".env").write_bytes((SNIPPETS / "model_formats.env.txt").read_bytes())
    script = (
        "from faultmaven.infrastructure.llm.providers.registry import get_registry\n"
        "status = get_registry().get_provider_status()\n"
        "print([info['models'][0] for info in status.values()])"
    )
    assert ast.literal_eval(run(sys.executable, "-c", script, cwd=tmp_path)) == [
        "accounts/fireworks/models/llama-v3p1-8b-instruct",
        "gpt-4o",
        "claude-3-5-sonnet-20241022",
        "gemini-1.5-pro",
        "tiiuae/falcon-7b-instruct",
        "anthropic/claude-3-sonnet",
        "Phi-3-mini-128k-instruct-onnx",
    ]


TOGETHER_FILE = """
[together]
api_key_var = "TOGETHER_API_KEY"
model_var = "TOGETHER_MODEL"
base_url_var = "TOGETHER_API_BASE"
default_base_url = "https://api.together.xyz/v1"
default_model = "meta-llama/Llama-2-70b-chat-hf"
provider_class = "OpenAIProvider"
max_retries = 3
timeout = 30
confidence_score = 0.8
"""


def test_together_environment(tmp_path: Path) -> None:
    """The documentation's block for Together, pasted, gives the chain it promises (S29)."""
    (tmp_path / ".env").write_bytes((SNIPPETS / "together.env.txt").read_bytes())
    (tmp_path / "providers.toml").write_text(TOGETHER_FILE)
    lines = run_snippet("provider_discovery.py.txt", tmp_path, {"PROVIDERS_FILE": "providers.toml"})
    assert lines[-1] == "Fallback chain: ['together', 'fireworks', 'openai', 'local']"


@pytest.mark.parametrize("log_format", ["console", "json"])
def test_start_up_lines_in_both_formats(folder: Path, log_format: str) -> None:
    """Plain and as JSON, the log has one line a provider and the chain, as documented (S68)."""
    script = (
        "import sys; sys.stderr = sys.stdout\n"
        "from faultmaven.infrastructure.observability.logs import configure_logging\n"
        "from faultmaven.infrastructure.llm.providers.registry import get_registry\n"
        f"configure_logging({log_format!r})\n"
        "get_registry()"
    )
    lines = run(sys.executable, "-c", script, cwd=folder).splitlines()
    if log_format == "json":
        lines = [_message(line) for line in lines]
    documented = [
        "✅ Provider 'fireworks' initialized successfully",
        "✅ Provider 'openai' initialized successfully",
        "✅ Provider 'anthropic' initialized successfully",
        "✅ Provider 'gemini' initialized successfully",
        "❌ Provider 'huggingface' not available (missing API key)",
        "❌ Provider 'openrouter' not available (missing API key)",
        "✅ Provider 'local' initialized successfully",
        "Provider fallback chain: anthropic → fireworks → openai → local",
    ]
    assert [line for line in lines if line in documented] == documented
    assert not [line for line in lines if "your_" in line]


def _message(line: str) -> str:
    """The message of a JSON line, which has its other fields too."""
    record = json.loads(line)
    assert {"time", "level", "logger"} <= set(record)
    return str(record["message"])
