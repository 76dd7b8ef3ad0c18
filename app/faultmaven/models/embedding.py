"""Texts as vectors: what is asked, what is answered, and whom to ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from typing import Any, Protocol

from faultmaven.models.attempt import Attempt, Usage
from faultmaven.models.value import value


@value
class EmbeddingQuestion:
    """Texts to be turned into vectors by one model of one provider.

    Attributes:
        provider: name as in ``PROVIDER_SCHEMA``.
        model: name of the model, as the provider writes it.
        inputs: the texts, at least one.
        dimensions: length of the vectors, or ``None`` for the model's own.
        parameters: further fields in OpenAI's names, and ``input_type`` (``search_document``,
            ``search_query``, ``classification``, ``clustering``).
        timeout: seconds within which everything must be over, or ``None`` for the longest that
            is allowed.
    """

    provider: str
    model: str
    inputs: tuple[str, ...]
    dimensions: int | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    timeout: float | None = None


@value
class EmbeddingAnswer:
    """The vectors, and what it took to get them.

    Attributes:
        vectors: one for each text, in their order, all of one length.
        provider: who answered.
        model: model that answered, as the provider names it.
        usage: tokens read; zeros where the provider does not say.
        attempts: every try, in order.
        ignored: what was asked that the provider has no word for, in the caller's names.
    """

    vectors: tuple[tuple[float, ...], ...]
    provider: str
    model: str
    usage: Usage = Usage()
    attempts: tuple[Attempt, ...] = ()
    ignored: tuple[str, ...] = ()


class IEmbedder(Protocol):
    """Turns texts into vectors."""

    def embedders(self) -> list[str]:
        """Names of the configured providers that can, in the order of the schema."""
        ...

    async def embed(self, question: EmbeddingQuestion) -> EmbeddingAnswer:
        """The texts' vectors.

        Raises:
            InvalidInputError: the question names a provider that is not configured or gives no
                embeddings, or has no text, or a field out of range.
            AllProvidersFailedError: the provider did not answer.
            RequestRejectedError: the provider finds the request itself wrong.
        """
        ...
