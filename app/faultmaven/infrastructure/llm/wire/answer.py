"""An answer in the making: what a codec has read, turned into a `Completion` or an error."""

from __future__ import annotations

import re
from dataclasses import replace

from faultmaven.errors import ContentFilteredError, ProviderProtocolError
from faultmaven.infrastructure.llm.wire.excerpt import excerpt
from faultmaven.infrastructure.llm.wire.finish import (
    CONTENT_FILTER,
    LENGTH,
    TOOL_CALLS,
    finish_reason,
)
from faultmaven.infrastructure.llm.wire.thinking import split_thinking
from faultmaven.infrastructure.llm.wire.types import Completion

_OK = 200
_LONGEST_NAME = 120
_NAME = re.compile(r"[A-Za-z0-9._:/@+-]{0,120}")  # how models are called; else it is just text


def finished(completion: Completion) -> Completion:
    """The completion with its finish reason in our words and its thoughts out of the text.

    Args:
        completion: as read; ``finish_reason`` in the vendor's word, ``text`` maybe blank.

    Raises:
        ContentFilteredError: there is no text because policy or the model withheld it.
        ProviderProtocolError: there is no text for any other reason; the message says which.
    """
    text, thoughts = split_thinking(completion.text)
    read = replace(
        completion,
        text=text,
        reasoning="\n".join(filter(None, (completion.reasoning.strip(), thoughts))),
        finish_reason=finish_reason(completion.finish_reason),
        model=_name(completion.model),
    )
    if not read.text:
        raise _without_text(read)
    return read


def _name(model: str) -> str:
    return model if _NAME.fullmatch(model) else excerpt(model, most=_LONGEST_NAME)


def _without_text(completion: Completion) -> ContentFilteredError | ProviderProtocolError:
    reason = completion.finish_reason
    if reason == CONTENT_FILTER:
        return ContentFilteredError("the answer was withheld by policy", status_code=_OK)
    if reason == TOOL_CALLS:
        return ProviderProtocolError("the model asked for a tool instead", status_code=_OK)
    if reason == LENGTH or completion.reasoning:
        message = "the model spent its whole budget before its answer began"
        return ProviderProtocolError(message, status_code=_OK)
    return ProviderProtocolError(f"the answer has no text (finish: {reason})", status_code=_OK)
