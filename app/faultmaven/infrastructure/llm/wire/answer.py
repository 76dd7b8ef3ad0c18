"""An answer in the making: what a codec has read, turned into a `Completion` or an error."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from faultmaven.errors import (
    ContentFilteredError,
    ProviderConnectionError,
    ProviderOverloadedError,
    ProviderProtocolError,
)
from faultmaven.infrastructure.llm.wire.excerpt import excerpt
from faultmaven.infrastructure.llm.wire.finish import (
    CONTENT_FILTER,
    ERROR,
    LENGTH,
    STOP,
    TOOL_CALLS,
    finish_reason,
)
from faultmaven.infrastructure.llm.wire.thinking import split_leading, split_thinking
from faultmaven.infrastructure.llm.wire.types import Completion
from faultmaven.models.attempt import Usage
from faultmaven.models.prompt import Thought, ToolCall
from faultmaven.models.stream import Delta, ToolCallPiece

_OK = 200
_NO_ARGUMENTS = "{}"
_AS_WE_SAY = frozenset((STOP, LENGTH))  # how nearly all answers end
_LONGEST_NAME = 120
_NAME = re.compile(r"[A-Za-z0-9._:/@+-]{0,120}")  # how models are called; else it is just text


def finished(completion: Completion) -> Completion:
    """The completion with its finish reason in our words and its thoughts out of the text.

    Calls of tools are an answer, with text or without. One that says no tool's name is no call;
    one that says nothing of arguments has none, unless it was cut before it could.

    Args:
        completion: as read; ``finish_reason`` in the vendor's word, ``text`` maybe blank.

    Raises:
        ProviderOverloadedError: the vendor says that it failed: what it wrote until then is no
            answer, whole or streamed.
        ContentFilteredError: there is no text because policy or the model withheld it.
        ProviderProtocolError: there is no text for any other reason; the message says which.
    """
    text, thoughts = split_thinking(completion.text)
    if _is_finished(completion, text):
        return completion
    return _judged(completion, text, thoughts)


def _is_finished(completion: Completion, text: str) -> bool:
    """Whether there is nothing to change about it, as about nearly all that are not streamed."""
    return (
        bool(text)
        and text == completion.text
        and completion.finish_reason in _AS_WE_SAY
        and not (completion.reasoning or completion.tool_calls)
        and _NAME.fullmatch(completion.model) is not None
    )


def _judged(completion: Completion, text: str, thoughts: str) -> Completion:
    reason = finish_reason(completion.finish_reason)
    calls = _calls(completion.tool_calls, reason) if completion.tool_calls else ()
    read = Completion(
        text=text,
        finish_reason=TOOL_CALLS if reason == STOP and calls else reason,
        usage=completion.usage,
        model=_name(completion.model),
        reasoning=_joined(completion.reasoning, thoughts) if completion.reasoning else thoughts,
        mean_logprob=completion.mean_logprob,
        cost_usd=completion.cost_usd,
        prior=completion.prior,
        tool_calls=calls,
        thoughts=completion.thoughts,
        logprobs=completion.logprobs,
    )
    if not read.text and not read.tool_calls:
        raise _without_text(read)
    if reason == ERROR:
        raise _failed(completion.finish_reason)
    return read


def _calls(calls: Iterable[ToolCall], reason: str) -> tuple[ToolCall, ...]:
    named = (call for call in calls if call.name)
    return tuple(named if reason == LENGTH else map(_with_arguments, named))


def _joined(*thoughts: str) -> str:
    return "\n".join(filter(None, map(str.strip, thoughts)))


def mean_logprob(logprobs: Iterable[Mapping[str, Any]]) -> float | None:
    """Mean natural logarithm of the tokens' probabilities, or ``None`` where none is known.

    Args:
        logprobs: one entry for each token, in OpenAI's shape.
    """
    values = [item.get("logprob") for item in logprobs]
    known = [value for value in values if isinstance(value, int | float) and math.isfinite(value)]
    return sum(known) / len(known) if known else None


@dataclass(slots=True)
class _Call:
    """A tool call whose pieces are coming in."""

    id: str = ""
    name: str = ""
    signature: str = ""
    arguments: list[str] = field(default_factory=list)

    def add(self, piece: ToolCallPiece) -> None:
        self.id = self.id or piece.id
        self.name = self.name or piece.name
        self.signature = self.signature or piece.signature
        self.arguments.append(piece.arguments)

    def whole(self, index: int) -> ToolCall:
        call_id = self.id or f"call_{index}"
        return ToolCall(call_id, self.name, "".join(self.arguments), self.signature)


class Assembly:
    """Puts the pieces of a streamed answer together.

    Its pieces may have had their thoughts told from their text already, or not. What was heard is
    the answer: thoughts that only a closing tag behind them betrays were passed on as text, and
    stay text.

    Attributes:
        finished: whether the model has said why it stopped; books may follow.
    """

    def __init__(self) -> None:
        self.finished = False
        self._text: list[str] = []
        self._reasoning: list[str] = []
        self._thoughts: list[Thought] = []
        self._calls: dict[int, _Call] = {}
        self._logprobs: list[Mapping[str, Any]] = []
        self._finish_reason = ""
        self._usage = Usage()
        self._model = ""
        self._cost_usd: float | None = None

    def add(self, delta: Delta) -> None:
        """Keep the next piece."""
        if delta.text:
            self._text.append(delta.text)
        if delta.reasoning:
            self._reasoning.append(delta.reasoning)
        if delta.logprobs:
            self._logprobs.extend(delta.logprobs)
        if delta.thought is not None:
            self._thoughts.append(delta.thought)
        for piece in delta.tool_calls:
            self._calls.setdefault(piece.index, _Call()).add(piece)
        self._model = delta.model or self._model  # the last word on each of these counts
        if delta.finish_reason:
            self._finish_reason, self.finished = delta.finish_reason, True
        if delta.usage is not None:
            self._usage = delta.usage
        if delta.cost_usd is not None:
            self._cost_usd = delta.cost_usd

    def completion(self) -> Completion:
        """The whole answer, as if it had come in one piece.

        Raises:
            ProviderConnectionError: it ended without its finish, so that it was cut.
            ProviderOverloadedError: the vendor says that it failed.
            ContentFilteredError: nothing was said because policy or the model withheld it.
            ProviderProtocolError: nothing was said for any other reason.
        """
        if not self.finished:
            raise ProviderConnectionError("the answer was cut before its end", status_code=_OK)
        text, thoughts = split_leading("".join(self._text))
        return _judged(self._read(), text, thoughts)

    def _read(self) -> Completion:
        """All but the text as it was read."""
        return Completion(
            text="",
            finish_reason=self._finish_reason,
            usage=self._usage,
            model=self._model,
            reasoning="".join(self._reasoning),
            mean_logprob=mean_logprob(self._logprobs),
            cost_usd=self._cost_usd,
            tool_calls=tuple(call.whole(index) for index, call in sorted(self._calls.items())),
            thoughts=tuple(self._thoughts),
            logprobs=tuple(self._logprobs),
        )


def _with_arguments(call: ToolCall) -> ToolCall:
    return call if call.arguments.strip() else replace(call, arguments=_NO_ARGUMENTS)


def _failed(word: str) -> ProviderOverloadedError:
    said = excerpt(word, most=_LONGEST_NAME)
    return ProviderOverloadedError(f"the answer broke off (finish: {said})", status_code=_OK)


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
