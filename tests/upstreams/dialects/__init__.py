"""Every vendor's dialect, by name."""

from collections.abc import Mapping

from upstreams.dialects.anthropic import ANTHROPIC
from upstreams.dialects.base import Dialect
from upstreams.dialects.cohere import COHERE
from upstreams.dialects.gemini import GEMINI
from upstreams.dialects.ollama import OLLAMA
from upstreams.dialects.openai import OPENAI

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect for dialect in (OPENAI, ANTHROPIC, GEMINI, COHERE, OLLAMA)
}

__all__ = ["DIALECTS", "Dialect"]
