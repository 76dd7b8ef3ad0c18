"""Plain data between the chain, the codecs and the transport, and the codec's contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Any, Literal, Protocol

from faultmaven.errors import ProviderError
from faultmaven.models.attempt import Usage
from faultmaven.models.prompt import Controls, Message, StructuredOutput, Thought, ToolCall
from faultmaven.models.stream import Delta
from faultmaven.models.value import value


@value
class CompletionRequest:
    """One question to one model, in nobody's wire format.

    Attributes:
        model: name of the model, as the vendor writes it.
        messages: system prompt first if there is one; the last is the user's.
        max_tokens: most tokens to write, or ``None`` for the vendor's own limit.
        temperature: sampling temperature in [0, 2], or ``None`` to leave it to the model.
        stop: texts that end the answer.
        response_schema: JSON schema that we wish the answer to follow, where the model can be
            held to one, and that nobody changes; or ``None``.
        controls: what the caller asks beside the conversation; a `ResponseFormat` in there is a
            demand, not a wish.
        stream: whether the answer comes piece by piece.
    """

    model: str
    messages: tuple[Message, ...]
    max_tokens: int | None = None
    temperature: float | None = None
    stop: tuple[str, ...] = ()
    response_schema: Mapping[str, Any] | None = None
    controls: Controls = Controls()
    stream: bool = False

    def streamed(self) -> CompletionRequest:
        """The same question, its answer piece by piece."""
        return CompletionRequest(
            model=self.model,
            messages=self.messages,
            max_tokens=self.max_tokens,
            temperature=self.temperature,
            stop=self.stop,
            response_schema=self.response_schema,
            controls=self.controls,
            stream=True,
        )


@value
class Completion:
    """One model's answer, in nobody's wire format.

    Attributes:
        text: the answer; blank only where there are tool calls (else a codec raises).
        finish_reason: ``stop``, ``length``, ``tool_calls``, ``content_filter``, ``error``, or
            the vendor's own word where it has no equal.
        usage: tokens spent; zeros where the vendor did not say.
        model: model that answered, as the vendor names it; empty where it did not say.
        reasoning: what the model thought aloud, kept apart from the answer.
        mean_logprob: mean natural logarithm of the answer's token probabilities, or ``None``.
        cost_usd: price as the vendor states it, or ``None``.
        prior: confidence that a hand-written provider gave this answer, or ``None``.
        tool_calls: tools that the model wants used.
        thoughts: blocks of thoughts that the vendor signed.
        logprobs: token probabilities in OpenAI's shape, where they were asked for.
    """

    text: str
    finish_reason: str = "stop"
    usage: Usage = Usage()
    model: str = ""
    reasoning: str = ""
    mean_logprob: float | None = None
    cost_usd: float | None = None
    prior: float | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    thoughts: tuple[Thought, ...] = ()
    logprobs: tuple[Mapping[str, Any], ...] = ()


class SharedHeaders(Mapping[str, str]):
    """Headers that all requests of an endpoint have in common, and that nobody can change.

    Attributes:
        lines: what whoever sends them made of them, for the next time; empty until then.
    """

    __slots__ = ("_headers", "lines")

    def __init__(self, headers: Mapping[str, str]) -> None:
        self._headers = dict(headers)
        self.lines = ""

    def __getitem__(self, name: str) -> str:
        """The value of a header."""
        return self._headers[name]

    def __iter__(self) -> Iterator[str]:
        """The names, in order."""
        return iter(self._headers)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._headers)


@value
class Endpoint:
    """Where and as whom to ask.

    Attributes:
        base_url: address without a trailing slash.
        api_key: secret, or ``None``; never in ``repr``.
        options: what only one codec knows, such as an API version.
        kept: what codecs made of it, by what made it. It holds the key, so it goes where the
            endpoint goes, and is forgotten with it.
    """

    base_url: str
    api_key: str | None = field(default=None, repr=False)
    # A mapping has no hash. Without it the rest can be a key all the same, and no two endpoints
    # are taken for one: they are equal only if their options are.
    options: Mapping[str, str] = field(default_factory=dict, repr=False, hash=False)
    kept: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)


@value
class WireRequest:
    """An HTTP request as data. Headers hold the key, so ``repr`` shows none of them.

    Attributes:
        method: HTTP method.
        url: whole address.
        headers: names and values.
        body: content; empty where there is none.
        direct: whether it goes straight there, past any proxy of the environment.
    """

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(default=b"", repr=False)
    direct: bool = False


@value
class WireResponse:
    """An HTTP answer as data.

    Attributes:
        status: HTTP status.
        headers: names in lower case.
        body: whole body, decompressed.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes = field(repr=False)


@value
class Listing:
    """What one free call showed.

    Attributes:
        models: names of models, in the vendor's order; empty where the call lists none.
        key_accepted: whether the key works, or ``None`` where the call cannot tell.
        any_name: the server has one model, which answers to any name.
    """

    models: tuple[str, ...] = ()
    key_accepted: bool | None = None
    any_name: bool = False


@value
class WireEvent:
    """One event of a stream.

    Attributes:
        data: its content; the lines of an event in several are joined by line feeds.
        name: its type, where the format names one; else empty.
    """

    data: bytes
    name: str = ""


class Framing(Protocol):
    """Cuts the bytes of one stream into events, however they were split on their way."""

    def feed(self, chunk: bytes) -> Sequence[WireEvent]:
        """The events that ``chunk`` completes, in order.

        Raises:
            ProviderProtocolError: an event grows beyond what any event is.
        """
        ...

    def close(self) -> Sequence[WireEvent]:
        """The event that only the end of the stream completes, if the format has such."""
        ...


class EventReader(Protocol):
    """Reads the events of one stream; it has the stream's state."""

    @property
    def ended(self) -> bool:
        """Whether the format's end mark came, so that nothing more is to be waited for."""
        ...

    def read(self, event: WireEvent) -> Sequence[Delta]:
        """The pieces of the answer in ``event``; none where it says nothing of the answer.

        Raises:
            ProviderError: the event is an error, blocks the answer, or is none of the format's.
        """
        ...


class Codec(Protocol):
    """One wire format: pure, without I/O, clock or state.

    A codec raises `ProviderError` without provider and model; whoever called fills them in.
    """

    def structured(self, model: str) -> StructuredOutput:
        """How ``model`` can be held to a JSON schema."""
        ...

    def encode(self, request: CompletionRequest, endpoint: Endpoint) -> WireRequest:
        """Write the request.

        Raises:
            UnsupportedRequestError: the format or the model has no place for what is asked.
        """
        ...

    def ignored(self, request: CompletionRequest) -> tuple[str, ...]:
        """What is asked that the format leaves out, in the caller's names, sorted."""
        ...

    def framing(self) -> Framing:
        """What cuts one of this format's streams into events."""
        ...

    def reader(self) -> EventReader:
        """What reads the events of one of this format's streams."""
        ...

    def decode(self, response: WireResponse) -> Completion:
        """Read a 200.

        Raises:
            ProviderError: the 200 is a failure: an error object, a blocked or empty answer,
                or a body that is none of the format's.
        """
        ...

    def decode_error(self, response: WireResponse) -> ProviderError:
        """Read an answer that is no 200 into the error it means."""
        ...

    def encode_check(self, model: str, endpoint: Endpoint) -> tuple[WireRequest, ...]:
        """Write the vendor's free calls: its list of models, its check of the key, or both."""
        ...

    def decode_check(self, response: WireResponse) -> Listing:
        """Read one free call's 200.

        Raises:
            ProviderProtocolError: the body is none of the format's.
        """
        ...
