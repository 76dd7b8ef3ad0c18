"""The free calls of every provider over real sockets, and what they are taken to mean."""

from dataclasses import replace

import pytest

from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.model_names import match_model
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.models.status import CheckResult
from providers.vendors import SEVEN, provider_for
from upstreams import DIALECTS, Upstream, refused_url

_KEYED = [name for name in SEVEN.values() if name not in ("ollama", "huggingface")]


@pytest.mark.parametrize("dialect", [*_KEYED, "cohere", "together"])
async def test_good_key_and_model(dialect: str, transport: Transport) -> None:
    """A call that needs the key says that it works and that the model is there (S109)."""
    async with Upstream(dialect) as up:
        result = await provider_for(up, transport).check(timeout=5)

    assert (result.reachable, result.key_accepted, result.model_found) == (True, True, True)
    assert (result.error_class, result.detail, result.hint) == (None, None, None)
    assert up.model in result.models
    assert not up.rejections
    assert {request.method for request in up.requests} == {"GET"}


@pytest.mark.parametrize("dialect", [*_KEYED, "cohere", "together"])
async def test_wrong_key(dialect: str, transport: Transport) -> None:
    """A refused key is said to be refused, with the five checks and without the key (S106)."""
    async with Upstream(dialect) as up:
        result = await provider_for(up, transport, api_key="wrong-key-0123456789").check(timeout=5)

    assert result.reachable
    assert result.key_accepted is False
    assert result.error_class is ErrorClass.AUTH
    assert "(5)" in str(result.hint)
    assert "wrong-key-0123456789" not in repr(result)


async def test_public_list_says_nothing_about_the_key(transport: Transport) -> None:
    """Hugging Face lists its models to anybody, so the key stays unproven."""
    async with Upstream("huggingface") as up:
        provider = provider_for(up, transport, models=["openai/gpt-oss-120b:fastest"])
        result = await provider.check(timeout=5)

    assert result.key_accepted is None
    assert result.model_found is True


async def test_openrouter_is_asked_for_the_key_first(transport: Transport) -> None:
    """The key is checked by its own call, the model by the public list."""
    async with Upstream("openrouter") as up:
        await provider_for(up, transport).check(timeout=5)

    assert [request.path for request in up.requests] == ["/api/v1/key", "/api/v1/models"]


async def test_missing_model_comes_with_the_nearest_names(transport: Transport) -> None:
    """A model that is not listed is named, with the variable and the names most like it (S105)."""
    async with Upstream("openai") as up:
        result = await provider_for(up, transport, models=["GPT-4o-minii"]).check(timeout=5)

    assert result.model_found is False
    assert result.key_accepted is True
    assert "gpt-4o-mini" in str(result.hint)
    assert "VENDOR_MODEL" in str(result.hint)


@pytest.mark.parametrize(
    ("dialect", "model", "found"),
    [
        ("ollama", "llama3.2", True),
        ("ollama", "llama3.2:latest", True),
        ("ollama", "llama3.3", False),
        ("vllm", "Qwen/Qwen3-4B", True),
        ("gemini", "models/gemini-2.5-pro", True),
        ("gemini", "gemini-9", False),
    ],
)
async def test_spellings_of_one_model(
    dialect: str, model: str, *, found: bool, transport: Transport
) -> None:
    """Ollama's tag and Gemini's prefix go without saying (S109)."""
    async with Upstream(dialect) as up:
        result = await provider_for(up, transport, models=[model]).check(timeout=5)

    assert result.model_found is found
    assert (result.hint is None) is found


async def test_missing_local_model_names_model_and_address(transport: Transport) -> None:
    """The local hint names the model, the server's address and what it serves (S109)."""
    async with Upstream("ollama") as up:
        result = await provider_for(up, transport, models=["phi3"]).check(timeout=5)

    assert result.key_accepted is None
    assert "phi3" in str(result.hint)
    assert up.base_url in str(result.hint)
    assert "Phi-3-mini-128k-instruct-onnx" in str(result.hint)


async def test_server_without_a_free_call_is_reachable_and_no_more(
    transport: Transport,
) -> None:
    """An endpoint without a list is not said to be broken."""
    async with Upstream("hf_endpoint") as up:
        result = await provider_for(up, transport).check(timeout=5)

    assert result == CheckResult(reachable=True)


async def test_local_server_without_any_list(transport: Transport) -> None:
    """A server of one's own that only answers questions is not said to be broken (S19)."""
    chat_only = tuple(item for item in DIALECTS["vllm"].endpoints if item.completes)
    async with Upstream(replace(DIALECTS["vllm"], endpoints=chat_only)) as up:
        result = await provider_for(up, transport).check(timeout=5)

    assert result == CheckResult(reachable=True)
    assert [request.path for request in up.requests] == ["/v1/models", "/api/tags", "/info"]


async def test_old_servers_are_asked_for_their_own_lists(transport: Transport) -> None:
    """Where OpenAI's list is missing, Ollama's tags or TGI's description stand in (S19, S109)."""
    for name, path in (("ollama", "/api/tags"), ("tgi", "/info")):
        kept = tuple(item for item in DIALECTS[name].endpoints if item.path == path)
        async with Upstream(replace(DIALECTS[name], endpoints=kept)) as up:
            result = await provider_for(up, transport).check(timeout=5)

        assert result.reachable
        assert result.models
        assert up.last.path == path


async def test_list_that_must_be_there_and_is_not(transport: Transport) -> None:
    """A vendor that has no list at this address is not at this address (S108)."""
    async with Upstream("openai") as up:
        result = await provider_for(up, transport, base_url=up.origin + "/v7").check(timeout=5)

    assert result.reachable
    assert result.error_class is ErrorClass.MALFORMED
    assert "VENDOR_API_BASE" in str(result.hint)


async def test_server_that_is_not_there(transport: Transport) -> None:
    """Nobody listening is unreachable, with the network's checks (S108)."""
    config = ProviderConfig("openai", "k", refused_url(), ["m"], base_url_var="OPENAI_API_BASE")
    result = await OpenAIProvider(config, transport=transport).check(timeout=5)

    assert not result.reachable
    assert result.error_class is ErrorClass.CONNECTION
    assert "OPENAI_API_BASE" in str(result.hint)


@pytest.mark.parametrize("dialect", ["openrouter", "ollama"])
async def test_check_is_bounded(dialect: str, transport: Transport) -> None:
    """A hanging server costs the time given to the check, all its calls together."""
    async with Upstream(dialect) as up:
        up.always("stalled_headers")
        result = await provider_for(up, transport).check(timeout=0.2)

    assert not result.reachable
    assert result.error_class is ErrorClass.TIMEOUT
    assert len(up.requests) == 1


@pytest.mark.parametrize(
    ("model", "nearest"),
    [
        ("gpt4o", ("gpt-4o", "gpt-4o-mini")),
        ("GPT-4O-MINI", ("gpt-4o-mini", "gpt-4o")),
        ("zzzz", ()),
    ],
)
def test_nearest_names(model: str, nearest: tuple[str, ...]) -> None:
    """Likeness ignores case; nothing alike is nothing (S105)."""
    names = ["gpt-4o", "gpt-4o-mini", "o3", "whisper-1", "tts-1", "dall-e-3"]

    match = match_model(model, names)

    assert match.found is False
    assert match.nearest[:2] == nearest


def test_few_names_are_all_told() -> None:
    """Of a handful of names the most like ones are told, however unlike they are (S109)."""
    assert set(match_model("phi3", ["llama3.2:latest", "qwen3:4b"]).nearest) == {
        "llama3.2:latest",
        "qwen3:4b",
    }


def test_no_list_no_verdict() -> None:
    """Without names nobody knows whether the model is there."""
    assert match_model("m", []).found is None
