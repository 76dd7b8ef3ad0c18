"""What is asked, and whom it is written for."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Any, Literal

from faultmaven.models.confidence import Signal
from faultmaven.models.value import value


class StructuredOutput(StrEnum):
    """How a target can be held to a JSON schema."""

    JSON_SCHEMA = "json_schema"
    NONE = "none"


@value
class Image:
    """A picture in a message: its bytes, or where they are.

    Attributes:
        media_type: such as ``image/png``; empty where only an address is known.
        data: the bytes, base64; empty where only an address is known.
        url: address of the picture, which we never fetch ourselves; empty where there are bytes.
        detail: how closely to look, in OpenAI's words (``low``, ``high``, ``auto``); or empty.
    """

    media_type: str = ""
    data: str = ""
    url: str = ""
    detail: str = ""


@value
class ToolCall:
    """A tool that the model wants used.

    Attributes:
        id: what the result will refer to, in the words of whoever made it up; codecs rewrite
            one that their vendor would refuse.
        name: of the tool.
        arguments: JSON text of an object, as the model wrote it: it need not be valid.
        signature: opaque proof of the thoughts behind it (Gemini); goes back to that vendor only.
    """

    id: str
    name: str
    arguments: str
    signature: str = ""


@value
class Thought:
    """One block of a model's thoughts that its vendor may want to see again.

    Attributes:
        text: the thoughts; empty where they are hidden.
        signature: the vendor's proof that they are its own (Anthropic); or empty.
        hidden: encrypted thoughts (Anthropic's ``redacted_thinking``); or empty.
    """

    text: str = ""
    signature: str = ""
    hidden: str = ""


@value
class Message:
    """One turn of a conversation.

    Attributes:
        role: who speaks; ``tool`` gives the result of one call. The system prompt is a message
            too; codecs put it where the vendor wants it.
        text: what is said.
        images: pictures that belong to it, after the text.
        tool_calls: tools that the assistant wants used.
        tool_call_id: which call a ``tool`` message answers; else empty.
        failed: whether the tool that a ``tool`` message speaks for failed.
        thoughts: what the assistant thought before it spoke, where its vendor signed it.
        name: who of several speaks in that role (OpenAI); or empty.
    """

    role: Literal["system", "user", "assistant", "tool"]
    text: str
    images: tuple[Image, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    tool_call_id: str = ""
    failed: bool = False
    thoughts: tuple[Thought, ...] = ()
    name: str = ""


@value
class Tool:
    """A tool that the model may ask for.

    Attributes:
        name: what the model calls it.
        description: what it is for; or empty.
        parameters: JSON schema of its arguments, an object; ``None`` for a tool without any.
        strict: whether the arguments must follow the schema; ``None`` leaves it to the vendor.
    """

    name: str
    description: str = ""
    parameters: Mapping[str, Any] | None = None
    strict: bool | None = None


@value
class ToolChoice:
    """Whether the model may, must or must not ask for a tool.

    Attributes:
        mode: ``auto`` (may), ``none`` (must not), ``required`` (must, any), ``tool`` (must, this).
        name: which tool, for ``tool``; else empty.
    """

    mode: Literal["auto", "none", "required", "tool"]
    name: str = ""


@value
class ResponseFormat:
    """The form the caller wants the answer in.

    Attributes:
        schema: JSON schema of the answer; ``None`` for any JSON object.
        name: what the caller calls the schema.
        strict: whether the caller insists on it; ``None`` leaves it to the vendor.
        description: what the form is for, in the caller's words (OpenAI); or empty.
    """

    schema: Mapping[str, Any] | None = None
    name: str = "answer"
    strict: bool | None = None
    description: str = ""


@value
class Controls:
    """What a caller asks of the model beside the conversation; what is empty was not asked.

    Attributes:
        tools: what the model may ask for.
        tool_choice: whether it may, must or must not.
        parallel_tool_calls: whether it may ask for several at once.
        response_format: form of the answer. A provider that cannot promise it is not asked.
        parameters: further fields in OpenAI's names, such as ``top_p``, ``seed``, ``logprobs``,
            ``reasoning_effort``, ``user``; a format carries those it has a word for.
        native: fields of one protocol that this gateway does not know, by protocol (``openai``,
            ``anthropic``); sent as they are to who speaks it, and to nobody else.
    """

    tools: tuple[Tool, ...] = ()
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    response_format: ResponseFormat | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    native: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@value
class Target:
    """Who is about to be asked, as far as it matters for writing the prompt.

    Attributes:
        provider: name as in ``PROVIDER_SCHEMA``.
        model: the model's name.
        context_window: tokens that fit, prompt and answer together, or ``None`` if unknown.
        structured: how it can be held to a JSON schema.
        small: a small model, which needs a short prompt and a narrow choice.
    """

    provider: str
    model: str
    context_window: int | None = None
    structured: StructuredOutput = StructuredOutput.NONE
    small: bool = False


class ConstantSchema(dict[str, Any]):
    """A JSON schema that is made once for the life of the process, and that nobody changes.

    What is made of it may be remembered, as may not be done with one that is written for a
    request: that may hold words of the case. It is known by which object it is, since reading all
    of it takes as long as adapting it.
    """

    __slots__ = ()
    __eq__ = object.__eq__
    __ne__ = object.__ne__
    __hash__ = object.__hash__  # type: ignore[assignment]  # other dictionaries have none


@value
class Prompt:
    """A conversation written for one target.

    Attributes:
        messages: system prompt first if there is one, then the turns; the last is the user's.
        response_schema: JSON schema the answer must follow, for targets that can; else ``None``.
        temperature: sampling temperature in [0, 2] that suits it, unless the caller asks for
            another; ``None`` leaves it to the model.
    """

    messages: tuple[Message, ...]
    response_schema: Mapping[str, Any] | None = None
    temperature: float | None = None


Render = Callable[[Target], Prompt]
"""Writes the prompt for the target that is about to be asked. Pure: may be called often."""

Assess = Callable[[str, Target], Sequence[Signal]]
"""Judges the text of an answer against what was asked, as signals for its confidence. Pure."""
