"""Texts to vectors, by the one model that a name stands for."""

from __future__ import annotations

from dataclasses import replace
from typing import Protocol

from faultmaven.errors import InvalidInputError
from faultmaven.models.embedding import EmbeddingAnswer, EmbeddingQuestion, IEmbedder
from faultmaven.models.interfaces import ILLMProvider
from faultmaven.services.model_directory import AUTO, UnknownModelError


class Configured(Protocol):
    """Knows the configured providers; the registry does."""

    def get_provider(self, name: str) -> ILLMProvider:
        """One of them."""
        ...


class EmbeddingService:
    """Finds who has a model, and asks nobody else: vectors of two models cannot be compared.

    Args:
        embedder: asks one provider.
        providers: the configured ones.
    """

    def __init__(self, embedder: IEmbedder, *, providers: Configured) -> None:
        self._embedder = embedder
        self._providers = providers

    async def embed(self, name: str, question: EmbeddingQuestion) -> EmbeddingAnswer:
        """The vectors of a question whose provider and model are to be found by ``name``.

        Args:
            name: ``provider/model``, or a model that one configured provider alone can mean.
            question: what is asked; its provider and model are filled in.

        Raises:
            InvalidInputError: the name leaves the model open, or a field is out of range.
            UnknownModelError: nobody has it.
            ChainError: the provider did not answer.
        """
        provider, model = self._choose(name)
        return await self._embedder.embed(replace(question, provider=provider, model=model))

    def _choose(self, name: str) -> tuple[str, str]:
        able = self._embedder.embedders()
        owner, _, model = name.partition("/")
        if owner in able and model:
            return owner, model
        if name in able or name == AUTO:
            raise InvalidInputError(
                "must name one model: vectors of different models cannot be compared",
                field="model",
                hint=_hint(able),
            )
        owners = [other for other in able if name in self._models_of(other)] or able
        if len(owners) == 1:
            return owners[0], name
        raise UnknownModelError(
            "names no model of which it is clear who has it", field="model", hint=_hint(able)
        )

    def _models_of(self, provider: str) -> list[str]:
        return self._providers.get_provider(provider).get_supported_models()


def _hint(able: list[str]) -> str:
    known = ", ".join(f"{name}/..." for name in able)
    return f"Write provider/model: {known}." if able else "No configured provider has any."
