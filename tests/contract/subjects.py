"""Every row of the schema beside an upstream that speaks for its vendor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from doubles import Witness, schema, settings_of
from faultmaven.infrastructure.llm.providers.cohere_provider import CohereProvider
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_SCHEMA, ProviderRegistry
from faultmaven.infrastructure.llm.resilience.retry import RetryPolicy
from faultmaven.infrastructure.llm.router import LLMRouter
from faultmaven.infrastructure.llm.transport import Transport
from upstreams import DIALECTS, Upstream

DOCUMENTED_ROWS: Mapping[str, Any] = {
    "together": {
        "api_key_var": "TOGETHER_API_KEY",
        "model_var": "TOGETHER_MODEL",
        "base_url_var": "TOGETHER_API_BASE",
        "default_base_url": "https://api.together.xyz/v1",
        "default_model": "meta-llama/Llama-2-70b-chat-hf",
        "provider_class": OpenAIProvider,
        "max_retries": 3,
        "timeout": 30,
        "confidence_score": 0.8,
    },
    "cohere": {
        "api_key_var": "COHERE_API_KEY",
        "model_var": "COHERE_MODEL",
        "base_url_var": "COHERE_API_BASE",
        "default_base_url": "https://api.cohere.ai/v1",
        "default_model": "command-r-plus",
        "provider_class": CohereProvider,
        "max_retries": 3,
        "timeout": 30,
        "confidence_score": 0.8,
    },
}
"""The rows that the documentation adds, as they stand there."""

ROWS: Mapping[str, Any] = {**PROVIDER_SCHEMA, **DOCUMENTED_ROWS}

_DIALECTS = {
    "local": ("ollama", "vllm", "llamacpp", "tgi"),
    "huggingface": ("huggingface", "hf_endpoint"),
}
BACKUP = "backup"
ANSWER = "The disk is full."


@dataclass(frozen=True, slots=True)
class Subject:
    """One row of the schema, asked through one dialect.

    Attributes:
        row: its name.
        dialect: whose upstream answers.
        fields: fields of the row that differ.
        settings: further variables.
    """

    row: str
    dialect: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """A name for the test's report."""
        mode = self.settings.get("COHERE_API", "")
        return "-".join(
            filter(None, (self.row, self.dialect if self.dialect != self.row else "", mode))
        )

    def variable(self, field_: str) -> str:
        """The variable that one of the row's fields names."""
        row = ROWS[self.row]
        return str(row.get(field_) or row.get("optional_key_var"))


def subjects() -> list[Subject]:
    """Give every row, through each dialect its class has to understand.

    A row whose name is no dialect speaks OpenAI's, as most newcomers do.
    """
    found = [
        Subject(name, dialect)
        for name in ROWS
        for dialect in _DIALECTS.get(name, (name if name in DIALECTS else "openai",))
    ]
    chat = {"option_vars": {"api": "COHERE_API"}}
    return [*found, Subject("cohere", "cohere", chat, {"COHERE_API": "chat"})]


@dataclass(frozen=True, slots=True)
class Pair:
    """A subject before a healthy backup, as one chain.

    Attributes:
        router: what is asked.
        registry: the two providers.
        witness: what the observers were told.
        key: the subject's key.
    """

    router: LLMRouter
    registry: ProviderRegistry
    witness: Witness
    key: str


def chain_over(
    subject: Subject,
    up: Upstream,
    backup: Upstream,
    transport: Transport,
    *,
    base_url: str | None = None,
    **fields: Any,
) -> Pair:
    """Configure the subject for its upstream, and the backup after it, as users do.

    Args:
        subject: the row and its dialect.
        up: the upstream of that dialect.
        backup: a healthy upstream of OpenAI's.
        transport: the real one.
        base_url: where the subject is said to be, unless at its upstream.
        fields: fields of the subject's row that differ.
    """
    usual = {"timeout": 5, "max_retries": 1, "confidence_score": 0.9}
    rows = {
        subject.row: {**ROWS[subject.row], **usual, **subject.fields, **fields},
        BACKUP: {**ROWS["together"], "api_key_var": "BACKUP_KEY", "base_url_var": "BACKUP_URL",
                 "model_var": "BACKUP_MODEL"},
    }  # fmt: skip
    key = up.key or "local-0123456789abcdef"
    values = {
        subject.variable("api_key_var"): key,
        subject.variable("model_var"): up.model,
        subject.variable("base_url_var"): base_url or up.base_url,
        "BACKUP_KEY": backup.key,
        "BACKUP_URL": backup.base_url,
        "BACKUP_MODEL": backup.model,
        "CHAT_PROVIDER": subject.row,
        "FALLBACK_CHAIN": BACKUP,
        "PROBE_INTERVAL": "0",  # a check of its own would be counted as a question
        **subject.settings,
    }
    witness = Witness()
    with schema(rows):
        registry = ProviderRegistry(settings_of(values), transport=transport)
    router = LLMRouter(registry, retry=RetryPolicy(base=0.001), observers=[witness])
    return Pair(router, registry, witness, key)
