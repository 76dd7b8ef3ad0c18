"""Whom one request may ask, with which models, and how sure an answer must be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from faultmaven.errors import InvalidInputError
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.models.interfaces import GenerateOptions, ILLMProvider, ProviderConfig
from faultmaven.models.prompt import Assess, Controls, Message, Prompt, Render
from faultmaven.models.stream import IAnswerListener
from faultmaven.models.value import value

_DEFAULT_MAX_TOKENS = 1024
_LARGE = 100_000  # characters; masking that many takes some 30 ms on one core
_PER_MESSAGE = 20  # characters that take as long as whatever else there is to do with a message
_FAIR_CHANCE = 10.0  # seconds; a healthy vendor often takes that long for a whole answer
_MOST_NOTES = 256
_MOST_OF_IT = 0.9  # of a shorter REQUEST_TIMEOUT: preparing the prompt takes a little of it
_NOTHING_FURTHER = Controls()
_UNASKED: GenerateOptions = {
    "model": None,
    "max_tokens": None,
    "temperature": None,
    "stop": (),
    "system": None,
    "history": (),
    "images": (),
    "timeout": None,
    "render": None,
    "material_chars": 0,
    "assess": None,
    "confidence_threshold": None,
    "require_confidence": False,
    "providers": (),
    "max_cost_usd": None,
    "controls": None,
    "messages": (),
    "listener": None,
}


@value
class Step:
    """One provider of the plan, and what it will be asked for.

    Attributes:
        name: the provider's.
        provider: who.
        config: what it is configured with.
        model: which model.
        threshold: in [0, 1]: an answer at or above it ends the chain.
    """

    name: str
    provider: ILLMProvider
    config: ProviderConfig
    model: str
    threshold: float


@value
class Plan:
    """One request, ready to walk the chain.

    Attributes:
        steps: whom to ask, in order.
        prompt: the same for whoever is asked, or what writes it for one target.
        assess: judges an answer, or ``None``.
        max_tokens: most tokens to write, or ``None`` for the vendor's own limit.
        temperature: sampling temperature, or ``None``.
        stop: texts that end the answer.
        seconds: time until the deadline.
        controls: what is asked beside the conversation.
        listener: hears the answer while it is written, or ``None``.
        held: the listener hears an answer only after it was judged: the caller asked for a
            confidence, and what was passed on cannot be taken back.
        stream_seconds: time until the end of an answer that is being listened to.
        first_token: most seconds until its first token.
        silence: most seconds between two tokens of it.
        fair_seconds: an attempt given less by the caller says nothing about the provider.
        require_confidence: rather fail than answer below the threshold.
        max_cost_usd: the chain does not go on once this much is spent.
        large: writing and judging take long enough for everybody else to notice.
    """

    steps: tuple[Step, ...]
    prompt: Prompt | Render
    seconds: float
    fair_seconds: float = 0.0
    assess: Assess | None = None
    max_tokens: int | None = None
    temperature: float | None = None
    stop: tuple[str, ...] = field(default=())
    require_confidence: bool = False
    max_cost_usd: float | None = None
    large: bool = False
    controls: Controls = _NOTHING_FURTHER
    listener: IAnswerListener | None = None
    held: bool = False
    stream_seconds: float = math.inf
    first_token: float = math.inf
    silence: float = math.inf

    @property
    def live(self) -> bool:
        """Whether somebody hears the answer while it is written."""
        return self.listener is not None and not self.held


def make_plan(registry: ProviderRegistry, prompt: str, options: GenerateOptions) -> Plan:
    """The plan for one call of the router.

    Raises:
        InvalidInputError: an option is out of range, or names a provider or model that no
            configured provider of the chain has.
    """
    asked: GenerateOptions = {**_UNASKED, **options}
    settings, most = registry.settings, registry.request_timeout
    seconds = seconds_within(asked["timeout"], most)
    # A caller with a conversation of their own gets as much as the model gives.
    in_our_words, tokens = "messages" not in options, asked["max_tokens"]
    return Plan(
        steps=_steps(registry, asked),
        prompt=asked["render"] or _conversation(prompt, asked),
        assess=asked["assess"],
        max_tokens=_DEFAULT_MAX_TOKENS if in_our_words and tokens is None else tokens,
        temperature=asked["temperature"],
        stop=tuple(asked["stop"] or ()),
        seconds=seconds,
        fair_seconds=fair_seconds(most),
        require_confidence=asked["require_confidence"],
        max_cost_usd=asked["max_cost_usd"],
        large=max(len(prompt), asked["material_chars"], _chars(asked["messages"] or ())) > _LARGE,
        controls=asked["controls"] or _NOTHING_FURTHER,
        listener=asked["listener"],
        held=bool(asked["confidence_threshold"] or asked["require_confidence"]),
        # A caller's own deadline holds to the end; the service's only to the beginning.
        stream_seconds=max(settings.stream_timeout, most) if asked["timeout"] is None else seconds,
        first_token=settings.first_token_timeout or math.inf,
        silence=settings.stream_idle_timeout,
    )


def _chars(messages: Sequence[Message]) -> int:
    """Characters of a conversation, and what takes as long as so many."""
    chars = 0
    for message in messages:
        chars += len(message.text) + _PER_MESSAGE
        for call in message.tool_calls:
            chars += len(call.arguments)
    return chars


def _steps(registry: ProviderRegistry, asked: GenerateOptions) -> tuple[Step, ...]:
    """Whom these options may ask: worked out once for all requests that say the same of it."""
    key = (
        tuple(asked["providers"] or ()),
        asked["model"],
        asked["confidence_threshold"],
    )
    known: tuple[Step, ...] | None = registry.notes.get(key)
    if known is None:
        known = tuple(_new_steps(registry, asked))
        if len(registry.notes) >= _MOST_NOTES:  # callers may name models as they like
            registry.notes.clear()
        registry.notes[key] = known
    return known


def _new_steps(registry: ProviderRegistry, asked: GenerateOptions) -> Iterator[Step]:
    names = _narrowed(registry, asked["providers"] or ())
    wanted = asked["model"]
    named = bool(asked["providers"])
    owners = _owners(registry, names, wanted, trusted=named and len(names) == 1)
    # Whoever wants a model wants it before another one; an order they gave themselves stands.
    for name in names if named else sorted(names, key=lambda name: name not in owners):
        config = registry.get_config(name)
        yield Step(
            name=config.name,
            provider=registry.get_provider(name),
            config=config,
            model=_model_for(registry, name, wanted, owners),
            threshold=_threshold(registry, name, asked["confidence_threshold"]),
        )


def _narrowed(registry: ProviderRegistry, names: Sequence[str]) -> list[str]:
    """The chain, or the requested part of what is configured: never more than that.

    Under PRIVACY_MODE other providers are not configured at all, so no request reaches them.
    """
    available = registry.get_available_providers()
    if not names:
        return [name for name in registry.get_fallback_chain() if name in available]
    for name in names:
        if name not in available:
            known = ", ".join(available) or "none"
            message = "names a provider that is not configured"
            hint = f"Choose from: {known}."
            field = "provider" if len(names) == 1 else "providers"
            raise InvalidInputError(message, field=field, hint=hint)
    return list(dict.fromkeys(names))


def _owners(
    registry: ProviderRegistry, names: Sequence[str], model: str | None, *, trusted: bool
) -> frozenset[str]:
    """Who has the wanted model. A caller who named one provider is taken at their word."""
    if model is None:
        return frozenset()
    if trusted:
        return frozenset(names)
    owners = frozenset(
        name for name in names if model in registry.get_provider(name).get_supported_models()
    )
    if not owners and model not in registry.settings.model_map:
        message = "names a model that no provider of the chain is configured with"
        hint = "Name its provider too, or leave the model out."
        raise InvalidInputError(message, field="model", hint=hint)
    return owners


def _model_for(
    registry: ProviderRegistry, name: str, wanted: str | None, owners: frozenset[str]
) -> str:
    """The wanted model where it belongs, its stand-in or the provider's own elsewhere."""
    if wanted is not None and name in owners:
        return wanted
    stand_ins: Mapping[str, str] = registry.settings.model_map.get(wanted or "", {})
    return stand_ins.get(name) or registry.get_provider(name).get_supported_models()[0]


def _threshold(registry: ProviderRegistry, name: str, requested: float | None) -> float:
    if requested is None:
        settings = registry.settings
        return settings.confidence_thresholds.get(name, settings.confidence_threshold)
    if math.isnan(requested) or not 0 <= requested <= 1:
        message = "must be between 0 and 1"
        raise InvalidInputError(message, field="confidence_threshold")
    return requested


def fair_seconds(request_timeout: float) -> float:
    """Seconds that give a provider a fair chance: given less, its silence says nothing of it."""
    return min(_FAIR_CHANCE, _MOST_OF_IT * request_timeout)


def seconds_within(requested: float | None, most: float) -> float:
    """The seconds asked for, at most ``most``.

    Raises:
        InvalidInputError: they are no time at all.
    """
    if requested is None:
        return most
    if not requested > 0:  # true for nan as well
        message = "must be above 0"
        raise InvalidInputError(message, field="timeout")
    return min(requested, most)


def _conversation(prompt: str, asked: GenerateOptions) -> Prompt:
    system = asked["system"]
    messages = asked["messages"] or (
        *((Message("system", system),) if system else ()),
        *(asked["history"] or ()),
        Message("user", prompt, tuple(asked["images"] or ())),
    )
    return Prompt(messages=tuple(messages))
