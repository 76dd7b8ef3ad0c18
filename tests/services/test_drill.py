"""The drill's stand-ins speak as vendors do, and nobody else can be reached."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from doubles import settings_of
from faultmaven.container.rehearsal import ConfinedTransport, Rehearsal
from faultmaven.errors import ProviderConnectionError
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.llm.transport import new_transport
from faultmaven.infrastructure.llm.wire.types import WireRequest
from faultmaven.models.interfaces import ILLMProvider
from faultmaven.services.drill import FAULTS, DrillService, Outcome
from faultmaven.services.drill.asking import ask_for_stream, ask_plain
from faultmaven.services.drill.faults import answer
from faultmaven.services.drill.report import Case, Seen, advice_for
from faultmaven.services.drill.stand_in import stand_in

_COHERE = """
[{name}]
api_key_var = "COHERE_API_KEY"
model_var = "COHERE_MODEL"
base_url_var = "COHERE_API_BASE"
default_base_url = "https://api.cohere.ai"
default_model = "command"
provider_class = "CohereProvider"
option_vars = {{ api = "COHERE_API" }}
"""
_FOREIGN = """
[homemade]
model_var = "HOMEMADE_MODEL"
default_model = "m"
default_base_url = "http://192.0.2.1"
provider_class = "doubles:HandWritten"
"""
_SUBJECTS = {
    "openai": {"OPENAI_API_KEY": "sk-1"},
    "fireworks": {"FIREWORKS_API_KEY": "fw_1"},
    "openrouter": {"OPENROUTER_API_KEY": "sk-or-1"},
    "anthropic": {"ANTHROPIC_API_KEY": "sk-ant-1"},
    "gemini": {"GEMINI_API_KEY": "AIza1"},
    "huggingface": {"HUGGINGFACE_API_KEY": "hf_1"},
    "huggingface, older": {
        "HUGGINGFACE_API_KEY": "hf_1",
        "HUGGINGFACE_API_BASE": "https://api-inference.huggingface.co/models",
    },
    "local": {},
    "cohere": {"COHERE_API_KEY": "c"},
    "cohere, chat": {"COHERE_API_KEY": "c", "COHERE_API": "chat"},
}


def _rehearsal(folder: Path, rows: str = "", **variables: str) -> Rehearsal:
    file = folder / "providers.toml"
    file.write_text(_COHERE.format(name="cohere") + rows, encoding="utf-8")
    return Rehearsal(ProviderRegistry(settings_of({"PROVIDERS_FILE": str(file), **variables})))


@asynccontextmanager
async def _healthy(rehearsal: Rehearsal) -> AsyncIterator[ILLMProvider]:
    async with AsyncExitStack() as servers:
        origins = {
            name: await servers.enter_async_context(stand_in(answer)) for name in rehearsal.chain
        }
        yield await servers.enter_async_context(rehearsal.router(origins, seconds=5.0))


@pytest.mark.parametrize("subject", _SUBJECTS)
async def test_a_stand_in_speaks_each_wire_format(tmp_path: Path, subject: str) -> None:
    """Every vendor's own codec reads the answer, whole and as a stream, at the first attempt."""
    name = subject.partition(",")[0]
    chain = {"CHAT_PROVIDER": name, "FALLBACK_CHAIN": "none"}
    rehearsal = _rehearsal(tmp_path, **chain, **_SUBJECTS[subject])
    assert rehearsal.chain == (name,)
    async with _healthy(rehearsal) as router:
        for seen in (await ask_plain(router), await ask_for_stream(router)):
            assert seen.outcome is Outcome.ANSWERED, seen
            assert seen.attempts == (f"{name}: ok",)


async def test_each_fault_is_the_failure_it_is_named_after(tmp_path: Path) -> None:
    """What the first provider does is classed as that, so the drill drills what it says."""
    keys = {"OPENAI_API_KEY": "sk-1", "ANTHROPIC_API_KEY": "sk-ant-1"}
    chain = {"CHAT_PROVIDER": "openai", "FALLBACK_CHAIN": "anthropic"}
    report = await DrillService(_rehearsal(tmp_path, **keys, **chain)).run(seconds=0.3)
    first = {case.fault: case for case in report.cases if case.failing == ("openai",)}
    assert {name: case.stream.attempts[0] for name, case in first.items()} == {
        "429": "openai: rate_limited",
        "500": "openai: overloaded",
        "hang": "openai: timeout",
        "cut stream": "openai: connection",
        "empty 200": "openai: connection",  # a stream that ended before its end mark
        "bad JSON": "openai: malformed",
        "refused": "openai: connection",
        "cut midway": "openai: connection",
    }
    assert all(case.survived for case in first.values())
    assert {case.stream.provider for name, case in first.items() if name != "cut midway"} == {
        "anthropic"
    }
    assert first["hang"].stream.switch_ms >= 300
    assert first["cut midway"].stream.outcome is Outcome.TOLD
    assert report.survives_one
    assert report.advice is None
    both = [case for case in report.cases if len(case.failing) == 2 and case.plain]
    assert len(both) == len(FAULTS) - 1
    assert {case.plain.outcome for case in both if case.plain} == {Outcome.FAILED}


async def test_code_of_others_is_left_out(tmp_path: Path) -> None:
    """A provider that does its own network might reach a vendor, so it takes no part."""
    chain = {"CHAT_PROVIDER": "homemade", "FALLBACK_CHAIN": "local"}
    rehearsal = _rehearsal(tmp_path, _FOREIGN, **chain)
    assert rehearsal.left_out == ("homemade",)
    async with _healthy(rehearsal) as router:
        assert (await ask_plain(router)).attempts == ("local: ok",)


async def test_nothing_but_stand_ins_can_be_reached() -> None:
    """The transport refuses every other address, even one that begins the same, before any I/O."""
    transport = ConfinedTransport(new_transport(), frozenset({"http://127.0.0.1:80"}))
    for url in ("https://api.openai.com/v1", "http://127.0.0.1:8000/", "http://127.0.0.1:80@x/"):
        request = WireRequest("GET", url, headers={})
        with pytest.raises(ProviderConnectionError, match="nobody outside this machine"):
            await transport.send(request, timeout=1.0)
        with pytest.raises(ProviderConnectionError, match="nobody outside this machine"):
            transport.stream(request)


def _seen(outcome: Outcome) -> Seen:
    return Seen(outcome, None, 0.0, 0.0, ())


def test_advice_says_what_to_configure() -> None:
    """An empty chain, one of a single provider, and one that is too slow each get a sentence."""
    lost = Case("hang", ("a",), _seen(Outcome.FAILED), _seen(Outcome.ANSWERED))
    assert "Set one of X_API_KEY" in (advice_for((), (), ("X_API_KEY",)) or "")
    assert "a alone" in (advice_for(("a",), (), ()) or "")
    assert "hang" in (advice_for(("a", "b"), (lost,), ()) or "")
    fine = Case("hang", ("a",), _seen(Outcome.ANSWERED), _seen(Outcome.ANSWERED))
    assert advice_for(("a", "b"), (fine,), ()) is None


def test_a_broken_off_answer_counts_as_told_only_midway() -> None:
    """Where another provider could have answered instead, an error does not count as survived."""
    told, answered = _seen(Outcome.TOLD), _seen(Outcome.ANSWERED)
    assert Case("cut midway", ("a",), None, told).survived
    assert not Case("cut stream", ("a",), answered, told).survived
