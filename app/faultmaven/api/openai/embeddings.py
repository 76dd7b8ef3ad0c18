"""POST /v1/embeddings."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from faultmaven.api.answer_headers import headers_of_vectors
from faultmaven.api.body import checked, read_body, timeout_header
from faultmaven.api.deps import services_of
from faultmaven.api.disconnect import unless_gone
from faultmaven.api.openai import described
from faultmaven.api.openai.answer import as_json
from faultmaven.api.openai.vectors import EmbeddingsRequest, embeddings_body
from faultmaven.models.departure import TELL

router = APIRouter(tags=["openai"])


@router.post("/v1/embeddings/", include_in_schema=False)
@router.post("/v1/embeddings", **described.EMBEDDINGS)
async def create_embeddings(request: Request) -> Response:
    """Turn texts into vectors, for as long as the caller waits."""
    embeddings = services_of(request).embeddings
    body = await checked(await read_body(request), EmbeddingsRequest, needed="model and input")
    question = body.question(timeout_header(request))
    answer = await unless_gone(
        request.receive,
        embeddings.embed(body.model, question),
        tell=request.scope.get(TELL),
    )
    return Response(
        as_json(embeddings_body(answer, packed=body.encoding_format == "base64")),
        headers=headers_of_vectors(answer),
        media_type="application/json",
    )
