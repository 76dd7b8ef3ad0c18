"""Every vendor's dialect, by name."""

from collections.abc import Mapping

from upstreams.dialects.anthropic import ANTHROPIC
from upstreams.dialects.base import Dialect
from upstreams.dialects.cohere import COHERE
from upstreams.dialects.fireworks import FIREWORKS
from upstreams.dialects.gemini import GEMINI
from upstreams.dialects.huggingface import HUGGINGFACE
from upstreams.dialects.llamacpp import LLAMACPP
from upstreams.dialects.ollama import OLLAMA
from upstreams.dialects.openai import OPENAI
from upstreams.dialects.openrouter import OPENROUTER
from upstreams.dialects.tgi import HF_ENDPOINT, HF_ENDPOINT_OBJECT, TGI
from upstreams.dialects.together import TOGETHER
from upstreams.dialects.vllm import OLDER_VLLM, VLLM

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        OPENAI,
        FIREWORKS,
        OPENROUTER,
        HUGGINGFACE,
        TOGETHER,
        ANTHROPIC,
        GEMINI,
        COHERE,
        OLLAMA,
        VLLM,
        OLDER_VLLM,
        TGI,
        LLAMACPP,
        HF_ENDPOINT,
        HF_ENDPOINT_OBJECT,
    )
}

__all__ = ["DIALECTS", "Dialect"]
