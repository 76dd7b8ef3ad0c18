"""Which vendors a fault can happen at, where that differs."""

OPENAI_SHAPED = frozenset(
    {
        "openai",
        "fireworks",
        "openrouter",
        "huggingface",
        "together",
        "vllm",
        "vllm_older",
        "tgi",
        "llamacpp",
    }
)
"""Those with a `/chat/completions`, apart from Ollama."""

CLOUD = frozenset(
    {
        "openai",
        "fireworks",
        "openrouter",
        "huggingface",
        "together",
        "anthropic",
        "gemini",
        "cohere",
    }
)
"""Those one pays for: they have money, policies and keys."""

HOSTED = frozenset({"hf_endpoint", "hf_endpoint_object"})
"""Dedicated endpoints."""

LOADING = HOSTED | {"huggingface", "ollama", "vllm", "vllm_older", "tgi", "llamacpp"}
"""Those that load a model while one waits."""

CHATTING = OPENAI_SHAPED | {"anthropic", "gemini", "cohere"}
"""Those whose answer may come in parts."""

MESSAGING = CHATTING | {"ollama"}
"""Those whose answer is a message with roles, thinking and tools."""

NAMES_CONTEXT = frozenset({"openai", "openrouter", "huggingface", "llamacpp"})
"""Those with a code of its own for a prompt that is too long; the others only say so in words."""
