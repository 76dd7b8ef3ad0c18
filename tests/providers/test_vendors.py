"""Every vendor asked over a real socket, its upstream judging the request as the vendor would."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from faultmaven.errors import ProviderRequestError
from faultmaven.infrastructure.llm.transport import Transport
from faultmaven.infrastructure.llm.wire.types import CompletionRequest
from faultmaven.models.interfaces import ILLMProvider, LLMResponse
from faultmaven.models.prompt import Image, Message
from providers.vendors import CLASSES, SEVEN, provider_for
from upstreams import DIALECTS, Upstream

_PICTURE = Image("image/png", "iVBORw0KGgo=")
_SCHEMA = {
    "type": "object",
    "properties": {
        "cause": {"type": "string", "maxLength": 100},
        "line": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}]},
    },
    "required": ["cause"],
}
_TEXT_ONLY = ("cohere", "hf_endpoint", "hf_endpoint_object")

_PATHS = {
    "fireworks": "/inference/v1/chat/completions",
    "openai": "/v1/chat/completions",
    "anthropic": "/v1/messages",
    "gemini": "/v1beta/models/gemini-1.5-pro:generateContent",
    "huggingface": "/v1/chat/completions",
    "openrouter": "/api/v1/chat/completions",
    "local": "/v1/chat/completions",
}


@pytest.mark.parametrize(("name", "dialect"), SEVEN.items())
async def test_vendor_is_asked_in_its_own_way(
    name: str, dialect: str, transport: Transport
) -> None:
    """The upstream sees path, key and model of its vendor (S4, S6, S8, S11, S14, S16, S18)."""
    async with Upstream(dialect, answer="The disk is full.") as up:
        provider = provider_for(up, transport, name=name)
        response = await provider.generate("Why?", max_tokens=50)

    assert up.last.path == _PATHS[name]
    assert not up.rejections
    assert response.content == "The disk is full."
    assert response.provider == name
    assert response.model == up.model
    assert response.tokens_used > 0
    assert isinstance(response, LLMResponse)


async def test_keys_travel_where_each_vendor_wants_them(transport: Transport) -> None:
    """Bearer, x-api-key or x-goog-api-key; never in the address (S4, S8, S11, S14)."""
    headers = {"anthropic": ("x-api-key", ""), "gemini": ("x-goog-api-key", "")}
    for name in ("fireworks", "openai", "anthropic", "gemini", "huggingface", "openrouter"):
        async with Upstream(name) as up:
            await provider_for(up, transport).generate("Why?")
        header, scheme = headers.get(name, ("authorization", "Bearer "))
        assert up.last.headers[header] == scheme + up.key
        assert up.key not in up.last.target


async def test_anthropic_gets_its_version(transport: Transport) -> None:
    """The version header is the configured one, and the long-lived one by default (S8)."""
    async with Upstream("anthropic") as up:
        await provider_for(up, transport).generate("Why?")
        assert up.last.headers["anthropic-version"] == "2023-06-01"
        newer = provider_for(up, transport, options={"version": "2026-10-21"})
        await newer.generate("Why?", temperature=0.2)
        assert up.last.headers["anthropic-version"] == "2026-10-21"
    assert not up.rejections


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("fireworks", "accounts/fireworks/models/llama-v3p1-8b-instruct"),
        ("openai", "gpt-4o"),
        ("anthropic", "claude-3-5-sonnet-20241022"),
        ("gemini", "gemini-1.5-pro"),
        ("huggingface", "tiiuae/falcon-7b-instruct"),
        ("openrouter", "anthropic/claude-3-sonnet"),
        ("local", "Phi-3-mini-128k-instruct-onnx"),
        ("huggingface", "Some-Org/Any.Model-7B:fastest"),
        ("openrouter", "vendor/Any-Model:free"),
    ],
)
async def test_model_reaches_the_wire_unchanged(
    name: str, model: str, transport: Transport
) -> None:
    """Slashes and case of a model's name are kept, any org/model is taken (S15, S17, S21)."""
    async with Upstream(SEVEN[name], models=None) as up:
        response = await provider_for(up, transport, models=[model]).generate("Why?")

    sent = up.last.fields.get("model") or up.last.path.split("/models/")[1].split(":")[0]
    assert sent == model
    assert response.model == model
    assert not up.rejections


async def test_picture_reaches_gemini(transport: Transport) -> None:
    """A picture given with the prompt is forwarded to the model (S13)."""
    async with Upstream("gemini") as up:
        await provider_for(up, transport).generate("What is this?", images=[_PICTURE])

    parts = up.last.json["contents"][0]["parts"]
    assert parts[1] == {"inlineData": {"mimeType": "image/png", "data": "iVBORw0KGgo="}}


@pytest.mark.parametrize("dialect", _TEXT_ONLY)
async def test_picture_nobody_can_carry_is_not_dropped(dialect: str, transport: Transport) -> None:
    """A format without pictures refuses before it asks, and the next provider is tried."""
    async with Upstream(dialect) as up:
        with pytest.raises(ProviderRequestError) as caught:
            await provider_for(up, transport).generate("What is this?", images=[_PICTURE])

    assert caught.value.falls_back
    assert not up.requests


_words = st.text(st.characters(codec="utf-8"), min_size=1, max_size=30).filter(str.strip)
_turns = st.lists(
    st.builds(Message, st.sampled_from(["system", "user", "assistant"]), _words), max_size=4
)


@pytest.mark.parametrize("dialect", [name for name in DIALECTS if name in CLASSES])
async def test_no_vendor_finds_fault_with_what_we_send(dialect: str, transport: Transport) -> None:
    """Whatever is asked of whatever model, the vendor accepts the request (S13, S21)."""
    async with Upstream(dialect) as up:

        async def ask(**fields: Any) -> None:
            await provider_for(up, transport).complete(CompletionRequest(**fields), timeout=5)

        for request in _requests(up, images=dialect not in (*_TEXT_ONLY, "tgi")):
            await ask(**request)

    assert [(refusal.request.body, refusal.reply.body) for refusal in up.rejections] == []


def _requests(up: Upstream, *, images: bool) -> list[dict[str, Any]]:
    """Requests of every make for every model of an upstream."""
    question = Message("user", "Why?")
    talk = (
        Message("assistant", "Hello."),
        Message("system", "Be brief."),
        Message("user", "It is down."),
        Message("user", "Why?"),
        Message("assistant", "Which host?"),
        Message("user", "db-1 \u202e \U0001f600"),
    )
    makes: list[dict[str, Any]] = [
        {"messages": (question,)},
        {"messages": talk, "max_tokens": 50, "temperature": 0.2, "stop": ("END", "STOP")},
        {"messages": talk, "max_tokens": 1, "temperature": 0.0, "response_schema": _SCHEMA},
        {"messages": (question,), "temperature": 2.0},
    ]
    if images:
        makes.append({"messages": (Message("user", "What is this?", (_PICTURE,)),)})
        makes.append({"messages": (Message("user", "", (_PICTURE,)), question)})
    return [{"model": model, **make} for model in up.dialect.models for make in makes]


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "gemini", "cohere", "ollama"])
@given(turns=_turns, last=_words)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
async def test_any_conversation_is_accepted(
    dialect: str, transport: Transport, turns: list[Message], last: str
) -> None:
    """Turns in any order and of any text make a request the vendor accepts."""
    async with Upstream(dialect) as up:
        messages = (*turns, Message("user", last))
        request = CompletionRequest(model=up.model, messages=messages, max_tokens=5)
        await provider_for(up, transport).complete(request, timeout=5)

    assert not up.rejections


@pytest.mark.parametrize("name", SEVEN)
def test_seven_are_providers(name: str) -> None:
    """Each of the seven implements the interface and answers by `generate` (S45, S46)."""
    assert issubclass(CLASSES[SEVEN[name]], ILLMProvider)


@pytest.mark.parametrize(
    ("dialect", "suffix"),
    [(name, suffix) for name in SEVEN.values() for suffix in ("", "/", " \n")],
)
async def test_base_url_redirects_traffic(dialect: str, suffix: str, transport: Transport) -> None:
    """Whatever address is configured is the one asked, however it was written (S19, S22)."""
    async with Upstream(dialect) as up:
        provider = provider_for(up, transport, base_url=up.base_url + suffix)
        assert (await provider.generate("Why?")).content

    assert not up.rejections


async def test_long_prompt_is_not_refused_by_us(transport: Transport) -> None:
    """150,000 tokens of prompt reach a model with a window of 200K (S10)."""
    async with Upstream("anthropic", context_tokens=200_000) as up:
        prompt = "log " * 150_000
        provider = provider_for(up, transport, context_window=200_000)
        assert (await provider.generate(prompt)).content

    assert len(up.last.body) > 600_000
    assert not up.rejections
    assert provider.target(up.model).context_window == 200_000
