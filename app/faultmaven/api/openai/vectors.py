"""Texts and vectors as OpenAI writes them (pure).

https://platform.openai.com/docs/api-reference/embeddings
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from faultmaven.api.extensions import ModelName, Timed
from faultmaven.api.openai.parts import Texts
from faultmaven.models.embedding import EmbeddingAnswer, EmbeddingQuestion
from faultmaven.models.faults import fault

_MAX_INPUTS = 2048


def _texts(sent: object) -> object:
    """What was sent, unless it is tokens: the numbers of one model mean nothing to another."""
    if isinstance(sent, list) and any(isinstance(item, int | list) for item in sent):
        raise fault(
            "holds tokens, and must be a text or a list of texts",
            fix="Send the texts themselves; LangChain does with check_embedding_ctx_length=False.",
        )
    if isinstance(sent, list) and len(sent) > _MAX_INPUTS:
        raise fault(f"must have at most {_MAX_INPUTS:,} entries", fix="Send fewer entries.")
    return sent


class EmbeddingsRequest(Timed):
    """What ``POST /v1/embeddings`` takes."""

    model: ModelName = Field(
        description="provider/model, or a model that one configured provider alone can mean."
    )
    input: Annotated[Texts, BeforeValidator(_texts)]
    encoding_format: Literal["float", "base64"] | None = Field(
        default=None, description="base64 is of 32-bit floats, the low byte first."
    )
    dimensions: Annotated[int, Field(ge=1, le=65_536)] | None = None
    user: str | None = None

    def question(self, timeout: str | None) -> EmbeddingQuestion:
        """What is asked; of whom is found out by the model's name.

        Raises:
            InvalidInputError: the header that bounds the time is wrong.
        """
        further = {**self.unknown, "user": self.user}
        return EmbeddingQuestion(
            provider="",
            model="",
            inputs=(self.input,) if isinstance(self.input, str) else tuple(self.input),
            dimensions=self.dimensions,
            parameters={name: value for name, value in further.items() if value is not None},
            timeout=self.timeout(timeout),
        )


def embeddings_body(answer: EmbeddingAnswer, *, packed: bool) -> dict[str, Any]:
    """The vectors as OpenAI writes them; its own clients ask for them packed."""
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(v) if packed else list(v)}
        for index, v in enumerate(answer.vectors)
    ]
    usage = {"prompt_tokens": answer.usage.prompt, "total_tokens": answer.usage.total}
    return {"object": "list", "data": data, "model": answer.model, "usage": usage}


def _packed(vector: Sequence[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
