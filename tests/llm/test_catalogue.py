"""The seven providers, as the catalogue describes them."""

import pytest

from doubles import schema
from llm.registries import ALL_KEYS, SEVEN, TOGETHER, registry_of


def test_exactly_seven_providers() -> None:
    """The schema has the seven documented providers and no other (S1)."""
    assert tuple(registry_of().get_all_provider_names()) == SEVEN


@pytest.mark.parametrize(
    ("name", "kind", "best_for"),
    [
        ("fireworks", "Commercial", "High-performance, cost-effective"),
        ("openai", "Commercial", "Highest quality responses"),
        ("anthropic", "Commercial", "Reasoning, code analysis"),
        ("gemini", "Commercial", "Multimodal, large context"),
        ("huggingface", "Open Source", "Research, experimentation"),
        ("openrouter", "Aggregator", "Multi-provider access"),
        ("local", "Self-Hosted", "Privacy, customization"),
    ],
)
def test_catalogue_describes_each_provider(name: str, kind: str, best_for: str) -> None:
    """The catalogue says what kind each provider is and what it is best for (S2)."""
    status = registry_of().get_provider_status()[name]
    assert (status["kind"], status["best_for"]) == (kind, best_for)


@pytest.mark.parametrize(
    ("name", "window"),
    [
        ("fireworks", "8K-32K"),
        ("openai", "128K"),
        ("anthropic", "200K"),
        ("gemini", "2M"),
        ("huggingface", "Varies"),
        ("openrouter", "Varies"),
        ("local", "Model-dependent"),
    ],
)
def test_catalogue_tells_context_windows(name: str, window: str) -> None:
    """The catalogue gives each documented context window (S10, S13, S26)."""
    assert registry_of().get_provider_status()[name]["context_window"] == window


@pytest.mark.parametrize(
    ("name", "models"),
    [
        (
            "fireworks",
            [
                "accounts/fireworks/models/llama-v3p1-8b-instruct",
                "accounts/fireworks/models/llama-v3p1-70b-instruct",
                "accounts/fireworks/models/mixtral-8x7b-instruct",
            ],
        ),
        ("openai", ["gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo"]),
        (
            "anthropic",
            [
                "claude-3-5-sonnet-20241022",
                "claude-3-5-sonnet-20240620",
                "claude-3-haiku-20240307",
                "claude-3-opus-20240229",
            ],
        ),
        ("gemini", ["gemini-1.5-pro", "gemini-1.5-flash", "gemini-pro-vision"]),
        (
            "huggingface",
            [
                "tiiuae/falcon-7b-instruct",
                "microsoft/DialoGPT-large",
                "meta-llama/Llama-2-7b-chat-hf",
            ],
        ),
        (
            "openrouter",
            ["anthropic/claude-3-sonnet", "openai/gpt-4", "meta-llama/llama-3-8b-instruct"],
        ),
        ("local", ["Phi-3-mini-128k-instruct-onnx"]),
    ],
)
def test_documented_models_are_supported(name: str, models: list[str]) -> None:
    """Each provider lists its documented models, the default first (S5, S7, S9, S12, S15, S17)."""
    registry = registry_of(**ALL_KEYS)
    assert registry.get_provider(name).get_supported_models() == models


@pytest.mark.parametrize(
    ("name", "tokens"), [("openai", 128_000), ("anthropic", 200_000), ("gemini", 2_000_000)]
)
def test_windows_are_numbers_too(name: str, tokens: int) -> None:
    """Windows the documentation states are numbers, for the chain to compare (S10, S13)."""
    assert registry_of().get_config(name).context_window == tokens


@pytest.mark.parametrize(
    ("name", "score"),
    [
        ("fireworks", 0.9),
        ("openai", 0.85),
        ("anthropic", 0.85),
        ("gemini", 0.8),
        ("local", 0.6),
        ("together", 0.8),
    ],
)
def test_documented_confidence_scores(name: str, score: float) -> None:
    """Each provider's prior confidence is the documented one (S44)."""
    with schema({"together": TOGETHER}, alone=False):
        assert registry_of().get_provider_status()[name]["confidence_score"] == score
