"""Why a model stopped: every vendor's word for it, in ours."""

from __future__ import annotations

from faultmaven.infrastructure.llm.wire.excerpt import excerpt

STOP, LENGTH, TOOL_CALLS = "stop", "length", "tool_calls"
CONTENT_FILTER, ERROR = "content_filter", "error"

_LONGEST_WORD = 64  # characters; a vendor's reason is one word

_MEANINGS = {
    STOP: "stop end_turn stop_sequence stop_token eos eos_token end_of_text complete completed",
    LENGTH: (
        "length max_tokens max_output_tokens token_limit time_limit model_length "
        "model_context_window_exceeded"
    ),
    TOOL_CALLS: "tool_calls function_call tool_use tool_call pause_turn",
    CONTENT_FILTER: (
        "content_filter refusal safety recitation blocklist prohibited_content spii language "
        "jailbreak model_armor image_safety image_prohibited_content image_recitation error_toxic"
    ),
    ERROR: (
        "error timeout other malformed_function_call malformed_response unexpected_tool_call "
        "too_many_tool_calls missing_thought_signature no_image image_other error_limit "
        # Ollama only loaded the model; vLLM, SGLang, Cohere and DeepSeek gave up.
        "load unload abort aborted cancel cancelled canceled user_cancel "
        "insufficient_system_resource"
    ),
}
_BY_WORD = {word: meaning for meaning, words in _MEANINGS.items() for word in words.split()}


def finish_reason(word: str) -> str:
    """Our word for a vendor's; an unknown one is kept, an absent one means ``stop``."""
    if word == STOP or not word:
        return STOP
    return _BY_WORD.get(word.lower()) or excerpt(word, most=_LONGEST_WORD)
