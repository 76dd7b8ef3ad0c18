"""How many tokens a conversation has, roughly (pure).

Nobody can count for every provider: each has a tokenizer of its own, and who will answer is not
known yet. The estimate is made to be rather too high than too low, because callers use it to
stay within a window.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator

from faultmaven.api.anthropic.request import ConversationRequest
from faultmaven.models.prompt import Message

# Tokenizers in use take 3.5 to 4.5 letters of English and about 3 of code or JSON at once, and
# of most other scripts hardly more than one.
_ASCII_PER_TOKEN = 3.0
_PER_MESSAGE = 4  # role and separators
_PER_TOOL = 12  # what stands around a tool's definition
_PER_IMAGE = 1600  # Anthropic's most for one picture that it does not scale down


def estimated_tokens(body: ConversationRequest) -> int:
    """Tokens that the conversation, its system prompt and its tools have, roughly."""
    messages = body.conversation
    tools = body.tools or ()
    fixed = _PER_MESSAGE * len(messages) + _PER_TOOL * len(tools)
    pictures = _PER_IMAGE * sum(len(message.images) for message in messages)
    schemas = (json.dumps(tool.input_schema, ensure_ascii=False) for tool in tools)
    described = (f"{tool.name} {tool.description or ''}" for tool in tools)
    return fixed + pictures + _tokens((*_texts(messages), *schemas, *described))


def _texts(messages: Iterable[Message]) -> Iterator[str]:
    for message in messages:
        yield message.text
        yield from (f"{call.name}{call.arguments}" for call in message.tool_calls)


def _tokens(texts: Iterable[str]) -> int:
    plain = other = 0
    for text in texts:
        ascii_chars = len(text.encode("ascii", "ignore"))
        plain += ascii_chars
        other += len(text) - ascii_chars
    return math.ceil(plain / _ASCII_PER_TOKEN) + other
