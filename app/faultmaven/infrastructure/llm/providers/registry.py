"""Which providers there are, which of them are configured, and in which order they are asked.

`PROVIDER_SCHEMA` is the one list of providers. To add one that speaks a known wire format, add
a row: here, or in the file that ``PROVIDERS_FILE`` names.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Hashable, Mapping
from dataclasses import replace
from typing import Any

from faultmaven.infrastructure.llm.providers.anthropic_provider import AnthropicProvider
from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.chain import choose_chain
from faultmaven.infrastructure.llm.providers.cohere_provider import CohereProvider
from faultmaven.infrastructure.llm.providers.discovery import Discovered, discover
from faultmaven.infrastructure.llm.providers.fireworks_provider import FireworksProvider
from faultmaven.infrastructure.llm.providers.foreign import describe_failure
from faultmaven.infrastructure.llm.providers.gemini_provider import GeminiProvider
from faultmaven.infrastructure.llm.providers.http_provider import HTTPProvider
from faultmaven.infrastructure.llm.providers.huggingface_provider import HuggingFaceProvider
from faultmaven.infrastructure.llm.providers.local_provider import LocalProvider
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.providers.openrouter_provider import OpenRouterProvider
from faultmaven.infrastructure.llm.providers.providers_file import read_providers_file
from faultmaven.infrastructure.llm.providers.schema import ProviderRow, row_problems
from faultmaven.infrastructure.llm.transport import Transport, shared_transport
from faultmaven.models.interfaces import ILLMProvider
from faultmaven.settings import Settings, load_settings

logger = logging.getLogger(__name__)

PROVIDER_SCHEMA: dict[str, ProviderRow] = {
    "fireworks": {
        "api_key_var": "FIREWORKS_API_KEY",
        "model_var": "FIREWORKS_MODEL",
        "base_url_var": "FIREWORKS_API_BASE",
        "default_base_url": "https://api.fireworks.ai/inference/v1",
        "default_model": "accounts/fireworks/models/llama-v3p1-8b-instruct",
        "provider_class": FireworksProvider,
        "max_retries": 3,
        "timeout": 30,
        "confidence_score": 0.9,
        "models": (
            "accounts/fireworks/models/llama-v3p1-70b-instruct",
            "accounts/fireworks/models/mixtral-8x7b-instruct",
        ),
        "kind": "Commercial",
        "best_for": "High-performance, cost-effective",
        "context_window": 32_768,
        "window_note": "8K-32K",
        "key_prefixes": ("fw_",),
    },
    "openai": {
        "api_key_var": "OPENAI_API_KEY",
        "model_var": "OPENAI_MODEL",
        "base_url_var": "OPENAI_API_BASE",
        "default_base_url": "https://api.openai.com/v1",
        "default_model": "gpt-4o",
        "provider_class": OpenAIProvider,
        "max_retries": 3,
        "timeout": 30,
        "confidence_score": 0.85,
        "models": ("gpt-4o-mini", "gpt-3.5-turbo"),
        "kind": "Commercial",
        "best_for": "Highest quality responses",
        "context_window": 128_000,
        "window_note": "128K",
        "key_prefixes": ("sk-",),
        "retired_models": {"gpt-3.5-turbo": "gpt-5.5", "gpt-4": "gpt-5.5"},
    },
    "anthropic": {
        "api_key_var": "ANTHROPIC_API_KEY",
        "model_var": "ANTHROPIC_MODEL",
        "base_url_var": "ANTHROPIC_API_BASE",
        "default_base_url": AnthropicProvider.default_base_url,
        "default_model": "claude-3-5-sonnet-20241022",
        "provider_class": AnthropicProvider,
        "max_retries": 3,
        "timeout": 30,
        "confidence_score": 0.85,
        "models": (
            "claude-3-5-sonnet-20240620",
            "claude-3-haiku-20240307",
            "claude-3-opus-20240229",
        ),
        "kind": "Commercial",
        "best_for": "Reasoning, code analysis",
        "context_window": 200_000,
        "window_note": "200K",
        "key_prefixes": ("sk-ant-",),
        "option_vars": {"version": "ANTHROPIC_VERSION"},
        "retired_models": {
            "claude-3-5-sonnet-20241022": "claude-sonnet-5-5",
            "claude-3-5-sonnet-20240620": "claude-sonnet-5-5",
            "claude-3-haiku-20240307": "claude-haiku-5-5",
            "claude-3-opus-20240229": "claude-opus-5-5",
        },
    },
    "gemini": {
        "api_key_var": "GEMINI_API_KEY",
        "model_var": "GEMINI_MODEL",
        "base_url_var": "GEMINI_API_BASE",
        "default_base_url": "https://generativelanguage.googleapis.com/v1beta",
        "default_model": "gemini-1.5-pro",
        "provider_class": GeminiProvider,
        "max_retries": 3,
        "timeout": 30,
        "confidence_score": 0.8,
        "models": ("gemini-1.5-flash", "gemini-pro-vision"),
        "kind": "Commercial",
        "best_for": "Multimodal, large context",
        "context_window": 2_000_000,
        "window_note": "2M",
        "key_prefixes": ("AIza",),
        "retired_models": {
            "gemini-1.5-pro": "gemini-3.8-flash",
            "gemini-1.5-flash": "gemini-3.5-flash-lite",
            "gemini-pro-vision": "gemini-3.8-flash",
        },
    },
    "huggingface": {
        "api_key_var": "HUGGINGFACE_API_KEY",
        "model_var": "HUGGINGFACE_MODEL",
        "base_url_var": "HUGGINGFACE_API_BASE",
        "further_base_url_vars": ("HUGGINGFACE_API_URL",),
        "default_base_url": "https://router.huggingface.co/v1",
        "default_model": "tiiuae/falcon-7b-instruct",
        "provider_class": HuggingFaceProvider,
        "max_retries": 3,
        "timeout": 30,
        "confidence_score": 0.75,
        "models": ("microsoft/DialoGPT-large", "meta-llama/Llama-2-7b-chat-hf"),
        "kind": "Open Source",
        "best_for": "Research, experimentation",
        "window_note": "Varies",
        "key_prefixes": ("hf_",),
    },
    "openrouter": {
        "api_key_var": "OPENROUTER_API_KEY",
        "model_var": "OPENROUTER_MODEL",
        "base_url_var": "OPENROUTER_API_BASE",
        "default_base_url": "https://openrouter.ai/api/v1",
        "default_model": "anthropic/claude-3-sonnet",
        "provider_class": OpenRouterProvider,
        "max_retries": 3,
        "timeout": 30,
        "confidence_score": 0.8,
        "models": ("openai/gpt-4", "meta-llama/llama-3-8b-instruct"),
        "kind": "Aggregator",
        "best_for": "Multi-provider access",
        "window_note": "Varies",
        "key_prefixes": ("sk-or-",),
        "retired_models": {"anthropic/claude-3-sonnet": "anthropic/claude-sonnet-4.6"},
    },
    "local": {
        "optional_key_var": "LOCAL_LLM_API_KEY",
        "model_var": "LOCAL_LLM_MODEL",
        "base_url_var": "LOCAL_LLM_URL",
        "default_base_url": "http://localhost:11434",
        "default_model": "Phi-3-mini-128k-instruct-onnx",
        "provider_class": LocalProvider,
        "max_retries": 3,
        "timeout": 60,
        "confidence_score": 0.6,
        "kind": "Self-Hosted",
        "best_for": "Privacy, customization",
        "window_note": "Model-dependent",
        "local": True,
    },
}
"""Every provider FaultMaven knows, by name."""

PROVIDER_CLASSES: Mapping[str, type[ILLMProvider]] = {
    provider_class.__name__: provider_class
    for provider_class in (
        AnthropicProvider,
        CohereProvider,
        FireworksProvider,
        GeminiProvider,
        HuggingFaceProvider,
        LocalProvider,
        OpenAIProvider,
        OpenRouterProvider,
    )
}
"""Classes that a providers file may name without their module."""


class ProviderRegistry:
    """The configured providers and the fallback chain over them.

    Building one reads the environment and connects to nothing.

    Args:
        settings: the service's options; read from the environment by default.
        transport: what moves bytes to all of the providers.
        log: is told what is found.

    Attributes:
        settings: the service's options.
        transport: what moves bytes to all of the providers.
        request_timeout: most seconds one request may take.
        problems: what is wrong with rows of the schema or the providers file.
        notes: what others have worked out from it; forgotten as soon as anything changes.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        transport: Transport | None = None,
        log: logging.Logger = logger,
    ) -> None:
        self.settings = settings or load_settings()
        self.transport = transport or shared_transport(self.settings.http_engine)
        self.request_timeout = self.settings.request_timeout
        self.problems: list[str] = []
        self.notes: dict[Hashable, Any] = {}
        self._log = log
        self._providers: dict[str, ILLMProvider] = {}
        self._discovered: dict[str, Discovered] = {}
        self._fallback_chain: list[str] = []
        self._rows = self._read_rows()
        self._choice = choose_chain(self.settings, self._rows)
        self._initialize_from_environment()

    @property
    def local_only(self) -> bool:
        """Whether nothing but local providers may be contacted."""
        return self._choice.policy.local_only

    @property
    def complaints(self) -> tuple[str, ...]:
        """What is wrong with rows, and which settings name a provider that does not exist."""
        return (*self.problems, *self._choice.complaints)

    def get_available_providers(self) -> list[str]:
        """Names of the configured providers, in the schema's order."""
        return list(self._providers)

    def get_all_provider_names(self) -> list[str]:
        """Names of all providers of the schema."""
        return list(self._rows)

    def get_fallback_chain(self) -> list[str]:
        """The order in which providers are asked; a copy."""
        return list(self._fallback_chain)

    def get_provider(self, name: str) -> ILLMProvider:
        """The configured provider ``name``.

        Raises:
            KeyError: there is none of that name.
        """
        return self._providers[name]

    def get_config(self, name: str) -> ProviderConfig:
        """What provider ``name`` of the schema is configured with, available or not."""
        return self._discovered[name].config

    def get_provider_status(self) -> dict[str, dict[str, Any]]:
        """What is known about every provider of the schema, without asking any of them."""
        return {name: self._status(name) for name in self._rows}

    def use_local_server(self, config: ProviderConfig) -> None:
        """Point the local provider at a server found or started on this machine.

        Args:
            config: how to reach it; `get_config` of ``local`` with what differs replaced.
        """
        if "local" in self._providers:
            self._discovered["local"] = replace(self._discovered["local"], config=config)
            self._providers["local"] = self._construct("local", config)
            self.notes = {}

    def adopt(self, other: ProviderRegistry) -> None:
        """Become what ``other`` is, in one step; a provider configured as before stays as it is.

        Whoever was given a provider or a configuration keeps it. Belongs to the event loop's
        thread: nobody there sees half of the old and half of the new.
        """
        kept = {name: self._providers[name] for name in other._providers if self._has(name, other)}
        self.settings = other.settings
        self.request_timeout = other.request_timeout
        self.problems = other.problems
        self._rows = other._rows
        self._choice = other._choice
        self._discovered = other._discovered
        self._providers = {**other._providers, **kept}
        self._fallback_chain = other._fallback_chain
        self.notes = {}

    def _has(self, name: str, other: ProviderRegistry) -> bool:
        """Whether this registry has a provider as ``other`` has it."""
        former, present = self._providers.get(name), other._providers[name]
        return type(former) is type(present) and self.get_config(name) == other.get_config(name)

    def _read_rows(self) -> dict[str, Mapping[str, Any]]:
        rows: dict[str, Mapping[str, Any]] = {}
        for name, row in PROVIDER_SCHEMA.items():
            wrong = row_problems(name, row)
            self.problems.extend(wrong)
            if not wrong:
                rows[name] = row
        if self.settings.providers_file:
            further = read_providers_file(
                self.settings.providers_file.expanduser(), PROVIDER_CLASSES
            )
            self.problems.extend(further.problems)
            rows.update(further.rows)
        return rows

    def _initialize_from_environment(self) -> None:
        """Scan the schema, find keys, build providers, log each, and set up the chain."""
        for problem in self.problems:
            self._log.error("Provider schema: %s", problem)
        for name in self._rows:
            self._initialize(name)
        for complaint in self._choice.complaints:
            self._log.error("%s", complaint)
        self._setup_fallback_chain(self._choice.primary)
        chain = " → ".join(self._fallback_chain) or "(empty)"
        self._log.info("Provider fallback chain: %s", chain)

    def _initialize(self, name: str) -> None:
        found = discover(name, self._rows[name], self.settings.environment)
        missing = found.missing or self._blocked(found.config) or self._start(name, found.config)
        self._discovered[name] = replace(found, missing=missing)
        if missing is None:
            self._log.info("✅ Provider '%s' initialized successfully", name)
        else:
            self._log.info("❌ Provider '%s' not available (%s)", name, missing)
        for warning in found.warnings:
            self._log.warning("Provider '%s': %s", name, warning)

    def _blocked(self, config: ProviderConfig) -> str | None:
        if config.local:
            return None if self.settings.local_llm_enabled else "LOCAL_LLM_ENABLED=false"
        reason = self._choice.confined_by
        return f"blocked by {reason}" if reason else None

    def _start(self, name: str, config: ProviderConfig) -> str | None:
        """Build the provider; why it cannot be used, or ``None``."""
        try:
            provider = self._construct(name, config)
            usable = provider.is_available()
        except Exception as error:  # noqa: BLE001 - a class somebody else wrote may raise anything
            why = describe_failure(error, config)
            self.problems.append(f"provider '{name}': its class fails with {why}")
            # Without the traceback, which would show its values.
            self._log.error("Provider schema: %s", self.problems[-1])
            return f"its class fails with {type(error).__name__}"
        if not usable:
            return "not configured"
        self._providers[name] = provider
        return None

    def _construct(self, name: str, config: ProviderConfig) -> ILLMProvider:
        provider_class: Any = self._rows[name]["provider_class"]
        ours = issubclass(provider_class, HTTPProvider)
        options = {"transport": self.transport} if ours else {}
        provider: ILLMProvider = provider_class(config, **options)
        return provider

    def _setup_fallback_chain(self, primary_provider: str) -> None:
        """Set the chain: the primary if available, then the fallbacks that are."""
        self._fallback_chain = self._choice.policy.build(primary_provider, self._providers)
        if primary_provider not in self._providers:
            first = self._fallback_chain[0] if self._fallback_chain else "none"
            self._log.warning(
                "Primary provider '%s' is not available; the chain starts at %s",
                primary_provider,
                first,
            )
        leaving = [name for name in self._fallback_chain if not self.get_config(name).local]
        if leaving and self._choice.warns_of_leaving:
            self._log.warning(
                "CHAT_PROVIDER=%s, but the chain goes on to %s, outside this machine; "
                "FALLBACK_CHAIN=none or PRIVACY_MODE=local_only keeps everything here",
                primary_provider,
                ", ".join(leaving),
            )

    def _status(self, name: str) -> dict[str, Any]:
        found, row = self._discovered[name], self._rows[name]
        return {
            "available": name in self._providers,
            "models": found.config.models.copy(),
            "default_model": row["default_model"],
            "confidence_score": found.config.confidence_score,
            "in_fallback_chain": name in self._fallback_chain,
            "missing": found.missing,
            "warnings": list(found.warnings),
            "kind": row.get("kind", ""),
            "best_for": row.get("best_for", ""),
            "context_window": row.get("window_note", found.config.context_window),
            "context_tokens": found.config.context_window,
            "model_var": found.config.model_var,
            "api_key_var": found.config.api_key_var,
            "base_url_var": found.config.base_url_var,
        }


_lock = threading.Lock()
_registry: ProviderRegistry | None = None


def get_registry() -> ProviderRegistry:
    """The process's registry, built from the environment on first use; thread-safe."""
    global _registry  # noqa: PLW0603 - the documented singleton
    with _lock:
        if _registry is None:
            _registry = ProviderRegistry()
        return _registry


def reset_registry() -> None:
    """Forget the process's registry, so that the next call reads the environment again."""
    global _registry  # noqa: PLW0603 - the documented singleton
    with _lock:
        _registry = None
