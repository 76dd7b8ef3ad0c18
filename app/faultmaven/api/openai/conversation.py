"""The messages of a chat, in our words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from faultmaven.api.openai.parts import ChatMessage, ThinkingBlock
from faultmaven.models.prompt import Message, Thought, ToolCall


def conversation(messages: Iterable[ChatMessage]) -> tuple[Message, ...]:
    """The messages, calls of the old kind (``function_call``) turned into calls of tools."""
    return tuple(_Conversation().read(messages))


class _Conversation:
    """Reads messages in order: a result of the old kind belongs to the call before it."""

    def __init__(self) -> None:
        self._calls = 0
        self._pending: dict[str, str] = {}  # the latest call's id by function

    def read(self, messages: Iterable[ChatMessage]) -> Iterator[Message]:
        """Each message in our words."""
        for message in messages:
            if message.role == "tool":
                yield _result(message, message.tool_call_id or "")
            elif message.role == "function":
                yield _result(message, self._id_of(message.name or ""))
            elif message.role == "assistant":
                yield self._answer(message)
            elif message.role == "user":
                yield Message("user", message.text, message.images, name=message.name or "")
            else:
                yield Message("system", message.text, name=message.name or "")

    def _answer(self, message: ChatMessage) -> Message:
        calls = [
            ToolCall(call.id, call.function.name, call.function.arguments, call.signature)
            for call in message.tool_calls or ()
        ]
        if message.function_call is not None:
            called = message.function_call
            calls.append(ToolCall(self._new_id(called.name), called.name, called.arguments))
        thoughts = tuple(_thought(block) for block in message.thinking_blocks or ())
        return Message(
            "assistant",
            message.text,
            tool_calls=tuple(calls),
            thoughts=thoughts,
            name=message.name or "",
        )

    def _new_id(self, name: str) -> str:
        self._calls += 1
        self._pending[name] = f"call_{self._calls}"
        return self._pending[name]

    def _id_of(self, name: str) -> str:
        return self._pending.get(name) or f"call_{name}"


def _result(message: ChatMessage, call_id: str) -> Message:
    return Message("tool", message.text, message.images, tool_call_id=call_id)


def _thought(block: ThinkingBlock) -> Thought:
    return Thought(block.thinking, block.signature or "", block.data)
