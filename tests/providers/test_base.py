"""What a provider written by hand gets from its base class."""

import asyncio
import time
from typing import Any

import pytest

from faultmaven.errors import ProviderProtocolError
from faultmaven.infrastructure.llm.providers.base import BaseLLMProvider, ProviderConfig
from faultmaven.models.interfaces import ILLMProvider, LLMResponse


class Handmade(BaseLLMProvider, ILLMProvider):
    """A provider as the documentation says to write one, sleeping instead of asking."""

    def is_available(self) -> bool:
        """Whether it is configured."""
        return bool(self.config.api_key)

    def get_supported_models(self) -> list[str]:
        """Its models; a copy."""
        return self.config.models.copy()

    async def generate(self, prompt: str, **_kwargs: Any) -> LLMResponse:
        """Sleep for as many seconds as the prompt says."""
        before = time.perf_counter()
        self._start_timing()
        after = time.perf_counter()
        await asyncio.sleep(float(prompt))
        least = (time.perf_counter() - after) * 1000
        measured = self._get_response_time_ms()
        most = (time.perf_counter() - before) * 1000
        assert least - 1 <= measured <= most + 1
        return LLMResponse(prompt, 0.8, self.provider_name, "m", 1, measured)


def handmade(**fields: Any) -> Handmade:
    """A hand-made provider with the four fields that suffice, or others."""
    config = {"name": "mine", "api_key": "key", "base_url": "http://h", "models": ["a", "b"]}
    return Handmade(ProviderConfig(**{**config, **fields}))


async def test_concurrent_calls_are_timed_apart() -> None:
    """A hundred calls at once on one provider: each measures its own time, no other's (S51)."""
    provider = handmade()
    pauses = [0.01, 0.03, 0.05, 0.07, 0.1] * 20

    answers = await asyncio.gather(*(provider.generate(str(pause)) for pause in pauses))

    assert len({answer.response_time_ms for answer in answers}) > 1
    for pause, answer in zip(pauses, answers, strict=True):
        assert answer.response_time_ms >= pause * 1000 - 2


async def test_time_without_a_start_is_zero() -> None:
    """A call that never began took no time (S51)."""
    assert handmade()._get_response_time_ms() == 0


def test_four_fields_suffice_and_the_key_is_hidden() -> None:
    """Name, key, address and models are a configuration; its repr shows no key (S50, S54, S69)."""
    provider = handmade(api_key="very-secret-key")

    assert provider.config.models == ["a", "b"]
    assert provider.config.timeout == 30
    assert provider.config.max_retries == 3
    assert "very-secret-key" not in repr(provider.config)


def test_effective_model() -> None:
    """A listed model is used, any other becomes the default, none at all is an error (S52)."""
    provider = handmade()

    assert provider.get_effective_model("b") == "b"
    assert provider.get_effective_model("unlisted") == "a"
    assert provider.get_effective_model() == "a"
    with pytest.raises(ValueError, match="mine"):
        handmade(models=[]).get_effective_model()


@pytest.mark.parametrize("content", [None, "", " \n\t"])
def test_empty_content_is_an_error_that_names_the_provider(content: str | None) -> None:
    """An answer is stripped; nothing left is an error (S53)."""
    provider = handmade()
    assert provider._validate_response_content(" The disk.\n") == "The disk."

    with pytest.raises(ProviderProtocolError, match="mine") as caught:
        provider._validate_response_content(content)
    assert caught.value.provider == "mine"


def test_name_comes_from_the_configuration() -> None:
    """One class serves many rows, each under its own name (S55, S56)."""
    assert handmade().provider_name == "mine"
    assert handmade(name="other").provider_name == "other"


def test_half_an_implementation_cannot_be_made() -> None:
    """A subclass that lacks one of the three methods is refused (S45)."""

    class Half(BaseLLMProvider):
        def is_available(self) -> bool:
            return True

        def get_supported_models(self) -> list[str]:
            return []

    assert Half.__abstractmethods__ == {"generate"}
    with pytest.raises(TypeError, match="generate"):
        Half(ProviderConfig("x", None, "", []))  # type: ignore[abstract] # that is the point


def test_response_has_the_documented_fields() -> None:
    """The seven documented fields are there, the last one with a default (S49)."""
    response = LLMResponse(
        content="c",
        confidence=0.8,
        provider="p",
        model="m",
        tokens_used=1,
        response_time_ms=2,
    )

    assert (response.content, response.confidence, response.provider) == ("c", 0.8, "p")
    assert (response.model, response.tokens_used, response.response_time_ms) == ("m", 1, 2)
    assert response.cached is False
