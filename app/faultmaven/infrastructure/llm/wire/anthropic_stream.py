"""Anthropic's streams.

https://platform.claude.com/docs/en/build-with-claude/streaming
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated

from pydantic import BeforeValidator, Field

from faultmaven.infrastructure.llm.wire.anthropic_answer import (
    REFUSAL,
    AnthropicUsage,
    Block,
    MessageBody,
    silence,
)
from faultmaven.infrastructure.llm.wire.body import Shape, Word, read
from faultmaven.infrastructure.llm.wire.errors import read_error
from faultmaven.infrastructure.llm.wire.finish import CONTENT_FILTER, LENGTH, finish_reason
from faultmaven.infrastructure.llm.wire.given_arguments import NO_ARGUMENTS
from faultmaven.infrastructure.llm.wire.lenient import LenientObject
from faultmaven.infrastructure.llm.wire.types import WireEvent, WireResponse
from faultmaven.models.attempt import Usage
from faultmaven.models.prompt import Thought
from faultmaven.models.stream import Delta, ToolCallPiece

_OK = 200


def _place(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


class _Change(Shape):
    """A block's next piece, or what changed of the message."""

    type: Word = ""
    text: Word = ""
    partial_json: Word = ""
    thinking: Word = ""
    signature: Word = ""
    stop_reason: Word = ""


class _Event(Shape):
    type: Word
    index: Annotated[int, BeforeValidator(_place)] = 0
    message: LenientObject[MessageBody] = MessageBody()
    block: LenientObject[Block] = Field(default=Block(), alias="content_block")
    delta: LenientObject[_Change] = _Change()
    usage: LenientObject[AnthropicUsage] = AnthropicUsage()


class AnthropicReader:
    """Reads the events of one stream; what it does not know says nothing of the answer."""

    def __init__(self) -> None:
        self._ended = False
        self._said = False
        self._thought_before = False
        self._usage = Usage()
        self._calls: dict[int, _Call] = {}
        self._silent: _Call | None = None  # closed without arguments: has none, or was cut
        self._thoughts: dict[int, _Thought] = {}
        self._kinds: Mapping[str, Callable[[_Event], Sequence[Delta]]] = {
            "message_start": self._begin,
            "content_block_start": self._open,
            "content_block_delta": self._continue,
            "content_block_stop": self._close,
            "message_delta": self._finish,
            "message_stop": self._end,
        }

    @property
    def ended(self) -> bool:
        """Whether ``message_stop`` came."""
        return self._ended

    def read(self, event: WireEvent) -> Sequence[Delta]:
        """The pieces of the answer in ``event``.

        Raises:
            ProviderError: it is an error, the model refused before it said anything, or it is
                none of the format's.
        """
        response = WireResponse(_OK, {}, event.data)
        read_event = read(response, _Event)
        if read_event.type == "error":
            raise read_error(response)
        kind = self._kinds.get(read_event.type)
        deltas = kind(read_event) if kind else ()
        self._said = self._said or any(delta.has_content for delta in deltas)
        return deltas

    def _begin(self, event: _Event) -> Sequence[Delta]:
        return (Delta(model=event.message.model, usage=self._spent(event.message.usage)),)

    def _open(self, event: _Event) -> Sequence[Delta]:
        block = event.block
        if block.type == "tool_use":
            call = self._calls[event.index] = _Call(len(self._calls))
            return (*self._without_arguments(), call.begin(block))
        if block.type == "thinking":
            apart = "\n" if self._thought_before else ""
            self._thought_before = True
            self._thoughts[event.index] = _Thought(block.thinking, block.signature)
            return (Delta(reasoning=apart + block.thinking),) if apart or block.thinking else ()
        if block.type == "redacted_thinking":
            return (Delta(thought=block.thought),) if block.thought else ()
        return (Delta(text=block.text),) if block.type == "text" and block.text else ()

    def _continue(self, event: _Event) -> Sequence[Delta]:
        delta = event.delta
        if delta.type == "text_delta" and delta.text:
            return (Delta(text=delta.text),)
        if delta.type == "input_json_delta" and delta.partial_json and event.index in self._calls:
            return (self._calls[event.index].go_on(delta.partial_json),)
        thought = self._thoughts.get(event.index)
        if delta.type == "thinking_delta" and delta.thinking:
            if thought:
                thought.parts.append(delta.thinking)
            return (Delta(reasoning=delta.thinking),)
        if delta.type == "signature_delta" and thought:
            thought.signature += delta.signature
        return ()

    def _close(self, event: _Event) -> Sequence[Delta]:
        call = self._calls.get(event.index)
        if call and not call.written:
            self._silent = call
            return ()
        thought = self._thoughts.pop(event.index, None)
        return (Delta(thought=thought.whole),) if thought and thought.signature else ()

    def _finish(self, event: _Event) -> Sequence[Delta]:
        reason = event.delta.stop_reason
        failure = None if self._said else silence(reason)
        if failure is not None:
            raise failure
        word = CONTENT_FILTER if reason == REFUSAL else reason
        whole = () if finish_reason(reason) == LENGTH else self._without_arguments()
        return (*whole, Delta(finish_reason=word, usage=self._spent(event.usage)))

    def _without_arguments(self) -> Sequence[Delta]:
        """What is left to say of a call once it is known that it was not cut: it has none."""
        call, self._silent = self._silent, None
        return (call.go_on(NO_ARGUMENTS),) if call else ()

    def _end(self, event: _Event) -> Sequence[Delta]:
        del event
        self._ended = True
        return ()

    def _spent(self, usage: AnthropicUsage) -> Usage:
        """The counts so far: each event gives whole ones, but not every event gives all."""
        now, before = usage.tokens, self._usage
        self._usage = Usage(
            prompt=now.prompt or before.prompt,
            completion=now.completion or before.completion,
            cached=now.cached or before.cached,
            reasoning=now.reasoning or before.reasoning,
        )
        return self._usage


class _Call:
    """A call that is being written; ``place`` is which of the answer's."""

    def __init__(self, place: int) -> None:
        self._place = place
        self.written = False

    def begin(self, block: Block) -> Delta:
        """Its name; also its arguments, from a server that gives them at once."""
        whole = "" if block.input == NO_ARGUMENTS else block.input
        self.written = bool(whole)
        piece = ToolCallPiece(self._place, id=block.id, name=block.name, arguments=whole)
        return Delta(tool_calls=(piece,))

    def go_on(self, arguments: str) -> Delta:
        """The next part of its arguments."""
        self.written = True
        return Delta(tool_calls=(ToolCallPiece(self._place, arguments=arguments),))


class _Thought:
    """A block of thoughts that is being written."""

    def __init__(self, text: str, signature: str) -> None:
        self.parts = [text]
        self.signature = signature

    @property
    def whole(self) -> Thought:
        """The block as Anthropic wants to see it again."""
        return Thought(text="".join(self.parts), signature=self.signature)
