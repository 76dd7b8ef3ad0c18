"""Which models one can ask for, and who answers for each name."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Protocol

from faultmaven.errors import InvalidInputError
from faultmaven.models.interfaces import ILLMProvider
from faultmaven.models.live import Live, now
from faultmaven.models.value import value

AUTO = "auto"
"""The name of the whole chain."""

TROUBLESHOOT = "faultmaven/troubleshoot"
"""The name of the troubleshooting agent."""

_OURS = "faultmaven"
_LISTED = 20  # names that an error lists; GET /v1/models has them all


class UnknownModelError(InvalidInputError):
    """No configured provider has the model that was asked for; the hint lists what exists."""

    status = 404
    slug = "model_not_found"
    title = "Unknown model"


class Providers(Protocol):
    """Knows the configured providers and their order; the registry does."""

    def get_available_providers(self) -> list[str]:
        """Names of the configured providers."""
        ...

    def get_fallback_chain(self) -> list[str]:
        """The order in which providers are asked."""
        ...

    def get_provider(self, name: str) -> ILLMProvider:
        """One of them."""
        ...


@value
class Choice:
    """Who is meant by a model's name.

    Attributes:
        providers: whom the chain is narrowed to; empty for all.
        model: model to ask for, or ``None`` for each provider's own.
    """

    providers: tuple[str, ...] = ()
    model: str | None = None


@value
class ListedModel:
    """One name that can be asked for.

    Attributes:
        id: the name.
        owner: provider behind it, or ``faultmaven``.
    """

    id: str
    owner: str


class ModelDirectory:
    """Reads the names that callers of the compatible APIs use for models.

    Args:
        providers: the configured ones.
        model_map: stand-ins of models at other providers, by model and provider (``MODEL_MAP``).
        clock: gives Unix time in seconds.

    Attributes:
        since: Unix time in seconds since when its models can be asked for.
    """

    def __init__(
        self,
        providers: Providers,
        *,
        model_map: Live[Mapping[str, Mapping[str, str]] | None] = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.since = clock()
        self._providers = providers
        self._model_map = model_map

    def choose(self, name: str, providers: Sequence[str] = ()) -> Choice:
        """Who is meant by ``name``.

        A slash parts provider and model only where a configured provider stands before it:
        other names have slashes of their own.

        Args:
            name: ``auto``, a provider, ``provider/model``, or a model of the chain.
            providers: whom the caller narrows the chain to; empty for all.

        Raises:
            UnknownModelError: nobody has it.
            InvalidInputError: name and ``providers`` contradict each other.
        """
        known = self._providers.get_available_providers()
        _require_configured(providers, known)
        if name == AUTO:
            return Choice(tuple(providers))
        owner, _, model = name.partition("/")
        if owner in known and (model or owner == name):
            return _narrowed(owner, model or None, providers)
        if name in (now(self._model_map) or ()) or self._is_served(name, providers):
            return Choice(tuple(providers), name)
        raise self._unknown()

    def models(self) -> tuple[ListedModel, ...]:
        """Every name worth offering: the chain, the agent, the providers, and their models."""
        ours = (ListedModel(AUTO, _OURS), ListedModel(TROUBLESHOOT, _OURS))
        names = self._providers.get_available_providers()
        owned = [ListedModel(name, name) for name in names]
        return (*ours, *owned, *(model for name in names for model in self._models_of(name)))

    def find(self, name: str) -> ListedModel:
        """One name, also a model's that is listed with its provider only.

        Raises:
            UnknownModelError: nobody has it.
        """
        listed = next((model for model in self.models() if model.id == name), None)
        if listed is not None:
            return listed
        if name in (now(self._model_map) or ()) or self._is_served(name, ()):
            return ListedModel(name, _OURS)
        raise self._unknown()

    def _models_of(self, owner: str) -> Iterator[ListedModel]:
        for model in self._providers.get_provider(owner).get_supported_models():
            yield ListedModel(f"{owner}/{model}", owner)

    def _is_served(self, model: str, providers: Sequence[str]) -> bool:
        return any(
            model in self._providers.get_provider(name).get_supported_models()
            for name in providers or self._providers.get_fallback_chain()
        )

    def _unknown(self) -> UnknownModelError:
        names = [model.id for model in self.models()]
        more = f" and {len(names) - _LISTED} more" if len(names) > _LISTED else ""
        hint = f"Choose from: {', '.join(names[:_LISTED])}{more}. GET /v1/models lists them."
        return UnknownModelError("names a model that does not exist here", field="model", hint=hint)


def _require_configured(providers: Sequence[str], known: Sequence[str]) -> None:
    if providers and not set(providers) <= set(known):
        message = "names a provider that is not configured"
        hint = f"Choose from: {', '.join(known) or 'none'}."
        raise InvalidInputError(message, field="providers", hint=hint)


def _narrowed(owner: str, model: str | None, providers: Sequence[str]) -> Choice:
    if providers and tuple(providers) != (owner,):
        message = "and a provider's name in model exclude each other"
        raise InvalidInputError(message, field="providers", hint="Send one of them.")
    return Choice((owner,), model)
