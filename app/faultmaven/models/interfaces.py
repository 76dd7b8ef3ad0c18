"""The contracts between rooms.

`ILLMProvider` is the one the seed document defines: three abstract methods. Everything that
can be asked, a vendor or the whole chain, implements it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Protocol, TypedDict

from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.confidence import Confidence
from faultmaven.models.prompt import (
    Assess,
    Controls,
    Image,
    Message,
    Render,
    Thought,
    ToolCall,
)
from faultmaven.models.status import CheckResult
from faultmaven.models.stream import IAnswerListener
from faultmaven.models.value import value

if TYPE_CHECKING:
    from faultmaven.models.session import Session, Turn

__all__ = [
    "GenerateOptions",
    "HedgeOutcome",
    "IAnswerListener",
    "IAnswerObserver",
    "ICheckable",
    "ILLMProvider",
    "ISanitizer",
    "ISessionStore",
    "ITool",
    "ITracer",
    "LLMResponse",
    "ProviderConfig",
]


@value
class LLMResponse:
    """An answer, with what it took to get it.

    Attributes:
        content: the text.
        confidence: how sure the answer is, in [0, 1].
        provider: name of the provider that answered.
        model: model that answered.
        tokens_used: tokens read and written for this answer.
        response_time_ms: milliseconds from request to whole answer.
        cached: whether it came from a cache instead of a provider.
        finish_reason: why the model stopped: ``stop``, ``length``, ``tool_calls``,
            ``content_filter``, ``error``, or the vendor's own word.
        usage: tokens, split into read and written.
        assessment: the score with its parts, or ``None`` where nobody scored it.
        attempts: every try of the chain, in order; empty for a single provider.
        stopped_because: why the chain ended: ``threshold_met``, ``exhausted``, ``deadline``,
            ``budget``, ``no_better``, or ``committed``: the answer was being read already.
        cost_usd: price of all attempts, or ``None`` when not known.
        tool_calls: tools that the model wants used; then ``content`` may be empty.
        reasoning: what the model thought aloud, kept apart from the answer.
        thoughts: blocks of thoughts that the vendor signed and may want to see again.
        logprobs: token probabilities in OpenAI's shape, where they were asked for.
        ignored: what the caller asked for that the provider has no word for.
    """

    content: str
    confidence: float
    provider: str
    model: str
    tokens_used: int
    response_time_ms: int
    cached: bool = False
    finish_reason: str = "stop"
    usage: Usage = Usage()
    assessment: Confidence | None = None
    attempts: tuple[Attempt, ...] = ()
    stopped_because: str = "threshold_met"
    cost_usd: float | None = None
    tool_calls: tuple[ToolCall, ...] = ()
    reasoning: str = ""
    thoughts: tuple[Thought, ...] = ()
    logprobs: tuple[Mapping[str, Any], ...] = ()
    ignored: tuple[str, ...] = ()


class GenerateOptions(TypedDict, total=False):
    """Keywords that `ILLMProvider.generate` of our own providers and router understands.

    A provider somebody else wrote gets ``model``, ``max_tokens`` and ``temperature`` only.
    """

    model: str | None
    """Model to use; a chain uses it only for the provider it belongs to."""
    max_tokens: int | None
    """Most tokens to write, from 1."""
    temperature: float | None
    """Sampling temperature in [0, 2]; left out where the model refuses it."""
    stop: Sequence[str]
    """Texts that end the answer."""
    system: str | None
    """System prompt."""
    history: Sequence[Message]
    """Earlier turns, oldest first."""
    images: Sequence[Image]
    """Pictures that belong to the prompt."""
    timeout: float | None
    """Seconds within which the whole call must end."""
    render: Render | None
    """Writes the prompt per target; ``prompt``, ``system`` and ``history`` are then unused."""
    material_chars: int
    """Characters that ``render`` writes from, where they are more than the prompt's."""
    assess: Assess | None
    """Judges each answer; its signals enter the confidence."""
    confidence_threshold: float | None
    """In [0, 1]: the first answer at or above it wins."""
    require_confidence: bool
    """Raise `LowConfidenceError` rather than return an answer below the threshold."""
    providers: Sequence[str]
    """Narrows the chain to these names, in this order."""
    max_cost_usd: float | None
    """The chain does not go on once this much has been spent."""
    controls: Controls | None
    """Tools, form of the answer and whatever else is asked of the model."""
    messages: Sequence[Message]
    """The whole conversation; prompt, system, history and images are then unused."""
    listener: IAnswerListener | None
    """Hears the answer while it is written."""


class ILLMProvider(ABC):
    """Something that answers prompts: a vendor, or the chain over all of them."""

    redacts_by_target: ClassVar[bool] = False
    """Whether it masks secrets itself for each target; if not, its caller must."""

    @property
    def provider_name(self) -> str:
        """Unique name; a class that serves several names says which one it is."""
        return type(self).__name__.removesuffix("Provider").lower()

    @abstractmethod
    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        """Answer ``prompt``.

        Keywords are those of `GenerateOptions`.

        Raises:
            ProviderError: the attempt failed.
            ChainError: no provider of the chain gave a usable answer.
        """

    @abstractmethod
    def is_available(self) -> bool:
        """Whether it is configured; makes no connection."""

    @abstractmethod
    def get_supported_models(self) -> list[str]:
        """Models it can be asked for, the default first; a copy."""


class ICheckable(Protocol):
    """A provider that can be checked without spending tokens."""

    async def check(self, *, timeout: float) -> CheckResult:  # noqa: ASYNC109 - a length, as everywhere at this edge
        """Make the vendor's free call and say what it shows; never raises a provider error."""
        ...


class ISanitizer(Protocol):
    """Keeps what must not leave from leaving."""

    def mask(self, text: str) -> str:
        """Return ``text`` with credentials replaced by placeholders; idempotent."""
        ...

    def clean(self, text: str) -> str:
        """Return ``text`` without invisible, bidirectional and terminal control characters."""
        ...


class ITool(Protocol):
    """Something the agent may consult while it works on a question."""

    name: str
    description: str

    async def run(self, query: str) -> Sequence[Any]:
        """Return what it found for ``query``, best first; empty when nothing fits."""
        ...


class ITracer(Protocol):
    """Times the steps of a request."""

    def span(self, name: str) -> AbstractContextManager[None]:
        """Time what happens inside the ``with`` block under ``name``."""
        ...


class ISessionStore(Protocol):
    """Keeps conversations between requests."""

    async def get(self, session_id: str) -> Session | None:
        """The session with its turns, oldest first, or ``None``."""
        ...

    async def append(self, session_id: str, turns: Sequence[Turn]) -> None:
        """Add turns, creating the session on first use."""
        ...

    async def is_healthy(self) -> bool:
        """Whether the store can be read now."""
        ...

    async def aclose(self) -> None:
        """Release what it holds."""
        ...


HedgeOutcome = Literal["won", "lost", "neither"]
"""Whether a provider that was asked beside a slow one answered first; ``neither`` of them did."""


class IAnswerObserver(Protocol):
    """Is told what the chain did. Must not raise and must not block."""

    def on_start(self, provider: str) -> None:
        """An attempt at ``provider`` is about to be sent."""
        ...

    def on_attempt(self, attempt: Attempt) -> None:
        """An attempt ended, good or bad."""
        ...

    def on_cancel(self, provider: str) -> None:
        """An attempt at ``provider`` was given up: nobody's failure.

        Its caller left, or another attempt answered first.
        """
        ...

    def on_fallback(self, source: str, target: str, reason: str) -> None:
        """The chain went from one provider to the next."""
        ...

    def on_hedge(self, first: str, second: str, outcome: HedgeOutcome) -> None:
        """``second`` had been asked beside ``first``, which was slow, and that is over now."""
        ...

    def on_answer(self, response: LLMResponse) -> None:
        """The chain returned an answer."""
        ...


@dataclass(slots=True)
class ProviderConfig:
    """What one provider is configured with. The four first fields suffice.

    Attributes:
        name: unique name, the key in ``PROVIDER_SCHEMA``.
        api_key: secret, or ``None`` where none is needed; never in ``repr``. The first of several.
        base_url: address without a trailing slash.
        models: models it can be asked for, the default first.
        max_retries: most retries of one request, from 0.
        timeout: seconds one attempt may take.
        confidence_score: prior confidence of its answers, in [0, 1].
        model_var: environment variable that names the model, for hints.
        api_key_var: environment variable that holds the key, for hints.
        base_url_var: environment variable that holds the address, for hints.
        context_window: tokens that fit the default model, or ``None`` if unknown.
        needs_key: whether it is unusable without a key.
        local: runs on the operator's own machines: text goes to it unredacted.
        small_model: serves a small model, which needs short prompts and narrow choices.
        options: what only this provider's codec knows, such as an API version.
        not_ready: says why it cannot answer yet, such as a model that is still loading, or
            ``None``; asked before each attempt.
        api_keys: all secrets where there are several, ``api_key`` first; never in ``repr``.
    """

    name: str
    api_key: str | None = field(repr=False)
    base_url: str
    models: list[str]
    max_retries: int = 3
    timeout: float = 30.0
    confidence_score: float = 0.8
    model_var: str = ""
    api_key_var: str | None = None
    base_url_var: str | None = None
    context_window: int | None = None
    needs_key: bool = True
    local: bool = False
    small_model: bool = False
    options: dict[str, str] = field(default_factory=dict, repr=False)
    not_ready: Callable[[], str | None] | None = field(default=None, repr=False)
    api_keys: tuple[str, ...] = field(default=(), repr=False)

    @property
    def all_keys(self) -> tuple[str, ...]:
        """Every key, ``api_key`` first; a list that begins with another key is out of date."""
        if not self.api_key:
            return ()
        return self.api_keys if self.api_keys[:1] == (self.api_key,) else (self.api_key,)
