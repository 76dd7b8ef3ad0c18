"""``faultmaven drill``: providers fail on this machine alone; the report says what was seen."""

from pathlib import Path

from cli.command import run

# An audit hook sees every connection and every name that Python looks up, and forbids them here.
_GUARD = """
import os, sys

def _watch(event, arguments):
    if event == "socket.connect":
        address = arguments[1]
    elif event == "socket.getaddrinfo":
        address = arguments
    else:
        return
    if str(address[0]) != "127.0.0.1" and not isinstance(address, (str, bytes)):
        with open(os.environ["SEEN"], "a", encoding="utf-8") as seen:
            seen.write(f"{address[0]}\\n")
        raise OSError("not on this machine")

sys.addaudithook(_watch)
"""
_KEYS = {"OPENAI_API_KEY": "sk-canary-one", "ANTHROPIC_API_KEY": "sk-ant-canary-two"}
_CHAIN = {"CHAT_PROVIDER": "openai", "FALLBACK_CHAIN": "anthropic"}


def _guarded(folder: Path) -> dict[str, str]:
    (folder / "sitecustomize.py").write_text(_GUARD, encoding="utf-8")
    return {"PYTHONPATH": str(folder), "SEEN": str(folder / "seen.txt")}


async def test_survives_one_failing_provider_and_contacts_no_vendor(tmp_path: Path) -> None:
    """Two providers survive every fault of the first: exit code 0, nothing left this machine."""
    guard = _guarded(tmp_path)
    words = ("drill", "--json", "--timeout", "0.3")
    result = await run(*words, folder=tmp_path, **_KEYS, **_CHAIN, **guard)
    assert result.code == 0, result.out + result.err
    report = result.json
    assert report["survives_one"] is True
    assert report["chain"] == ["openai", "anthropic"]
    hang = next(case for case in report["cases"] if case["fault"] == "hang")
    assert hang["survived"] is True
    assert hang["plain"]["provider"] == "anthropic"
    assert hang["plain"]["switch_ms"] >= 300
    assert not (tmp_path / "seen.txt").exists()
    assert "canary" not in result.out + result.err


async def test_the_guard_of_the_test_above_sees_who_leaves(tmp_path: Path) -> None:
    """A verb that does ask a vendor is caught by the same guard, before anything leaves."""
    guard = _guarded(tmp_path)
    key = {"OPENAI_API_KEY": "sk-canary-one", "LOCAL_LLM_ENABLED": "false"}
    base = "https://vendor.invalid/v1"
    await run("doctor", folder=tmp_path, OPENAI_API_BASE=base, **key, **guard)
    assert "vendor.invalid" in (tmp_path / "seen.txt").read_text(encoding="utf-8")


async def test_a_single_provider_cannot_survive(tmp_path: Path) -> None:
    """A chain of one ends with exit code 1, what callers are told, and what to configure."""
    chain = {"CHAT_PROVIDER": "openai", "FALLBACK_CHAIN": "none", "OPENAI_API_KEY": "sk-canary-1"}
    result = await run("drill", "--timeout", "0.2", folder=tmp_path, **chain)
    assert result.code == 1
    assert "Fallback chain: openai\n" in result.out
    assert "❌ refused" in result.out
    assert "All providers failed: openai: timeout" in result.out
    assert "The chain is openai alone" in result.out
    assert "ANTHROPIC_API_KEY" in result.out
    assert "canary" not in result.out + result.err
    assert "Traceback" not in result.err


async def test_an_empty_chain_says_so(tmp_path: Path) -> None:
    """Without any provider there is nothing to drill: exit code 1 and a sentence."""
    result = await run("drill", folder=tmp_path, LOCAL_LLM_ENABLED="false")
    assert result.code == 1
    assert "Fallback chain: (empty)" in result.out
    assert "No provider is configured" in result.out
