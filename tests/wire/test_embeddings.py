"""Texts become vectors in every format that has a word for it; whatever is no vector is refused."""

import base64
import json
import struct
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.errors import (
    ProviderError,
    ProviderProtocolError,
    UnsupportedRequestError,
)
from faultmaven.infrastructure.llm.wire.embeddings import (
    EmbeddingCodec,
    EmbeddingRequest,
    Embeddings,
    in_batches,
    joined,
)
from faultmaven.infrastructure.llm.wire.embeddings_cohere import CohereEmbeddings
from faultmaven.infrastructure.llm.wire.embeddings_gemini import GeminiEmbeddings
from faultmaven.infrastructure.llm.wire.embeddings_huggingface import (
    HuggingFaceEmbeddings,
    router_route,
)
from faultmaven.infrastructure.llm.wire.embeddings_ollama import OllamaEmbeddings
from faultmaven.infrastructure.llm.wire.embeddings_openai import OpenAIEmbeddings
from faultmaven.infrastructure.llm.wire.openai_dialects import LOCAL, OPENROUTER
from faultmaven.infrastructure.llm.wire.tgi_generate import endpoint_route
from faultmaven.infrastructure.llm.wire.types import Endpoint, WireResponse
from faultmaven.models.attempt import Usage

_KEY = "key-of-tests"
_REQUEST = EmbeddingRequest("embedder", ("disk", "full"))
_VECTORS = ((0.5, -1.0, 2.0), (0.25, 3.0, 0.0))
_AUTHORIZED = {
    "content-type": "application/json",
    "accept": "application/json",
    "authorization": f"Bearer {_KEY}",
}

Vectors = tuple[tuple[float, ...], ...]


def _openai(vectors: Vectors) -> Any:
    data = [{"object": "embedding", "index": n, "embedding": v} for n, v in enumerate(vectors)]
    usage = {"prompt_tokens": 4, "total_tokens": 4}
    return {"object": "list", "data": data, "model": "embedder-1", "usage": usage}


def _gemini(vectors: Vectors) -> Any:
    usage = {"promptTokenCount": 4}
    return {"embeddings": [{"values": vector} for vector in vectors], "usageMetadata": usage}


def _cohere(vectors: Vectors) -> Any:
    meta = {"api_version": {"version": "2"}, "billed_units": {"input_tokens": 4.0}}
    return {"id": "e", "embeddings": {"float": vectors}, "texts": ["disk", "full"], "meta": meta}


def _ollama(vectors: Vectors) -> Any:
    return {"model": "embedder-1", "embeddings": vectors, "prompt_eval_count": 4}


def _huggingface(vectors: Vectors) -> Any:
    return vectors


_FORMATS: Mapping[str, tuple[EmbeddingCodec, Callable[[Vectors], Any]]] = {
    "openai": (OpenAIEmbeddings(), _openai),
    "gemini": (GeminiEmbeddings(), _gemini),
    "cohere": (CohereEmbeddings(), _cohere),
    "ollama": (OllamaEmbeddings(), _ollama),
    "huggingface": (HuggingFaceEmbeddings(router_route), _huggingface),
}
_each_format = pytest.mark.parametrize(("codec", "body"), _FORMATS.values(), ids=_FORMATS)
_each_codec = pytest.mark.parametrize("codec", [codec for codec, _ in _FORMATS.values()])


def _answered(body: Any) -> WireResponse:
    return WireResponse(200, {}, json.dumps(body).encode())


def _sent(
    codec: EmbeddingCodec, base_url: str, request: EmbeddingRequest = _REQUEST
) -> tuple[str, Any]:
    wire = codec.encode_embeddings(request, Endpoint(base_url, _KEY))
    assert _KEY not in repr(wire)
    return wire.url, json.loads(wire.body)


@_each_format
def test_vectors_are_read(codec: EmbeddingCodec, body: Callable[[Vectors], Any]) -> None:
    """Each text's vector is read in the texts' order, with the tokens where they are told."""
    answer = codec.decode_embeddings(_answered(body(_VECTORS)), _REQUEST)

    assert answer.vectors == _VECTORS
    assert answer.usage == (Usage() if body is _huggingface else Usage(prompt=4))


@_each_format
@pytest.mark.parametrize(
    "vectors",
    [
        (),
        ((0.5, 1.0),),
        ((0.5,), (0.5,), (0.5,)),
        ((), ()),
        ((0.5, 1.0), (0.5,)),
        ((0.5, "1.0"), (0.5, 1.0)),
        ((0.5, True), (0.5, 1.0)),
        ((0.5, None), (0.5, 1.0)),
        ((0.5, [1.0]), (0.5, 1.0)),
        ((0.5, float("nan")), (0.5, 1.0)),
        ((0.5, float("inf")), (0.5, 1.0)),
        ((0.5, 1e39), (0.5, 1.0)),
        (None, (0.5, 1.0)),
    ],
    ids=repr,
)
def test_what_is_no_vector_is_refused(
    codec: EmbeddingCodec, body: Callable[[Vectors], Any], vectors: Any
) -> None:
    """Too few, too many, empty, uneven, or anything but finite numbers is no answer."""
    with pytest.raises(ProviderProtocolError):
        codec.decode_embeddings(_answered(body(vectors)), _REQUEST)


@_each_format
def test_vectors_of_another_length_than_asked_are_refused(
    codec: EmbeddingCodec, body: Callable[[Vectors], Any]
) -> None:
    """A server that ignores the length asked for is not believed."""
    request = EmbeddingRequest("embedder", ("disk", "full"), dimensions=2)

    with pytest.raises(ProviderProtocolError, match="3 dimensions instead of 2"):
        codec.decode_embeddings(_answered(body(_VECTORS)), request)


@pytest.mark.parametrize("name", ["openai", "gemini", "ollama", "huggingface"])
def test_an_error_in_a_200_is_one(name: str) -> None:
    """An error object in a 200 is raised as what it says."""
    error = {"error": {"message": "slow down", "code": "rate_limit_exceeded"}}

    with pytest.raises(ProviderError, match="slow down"):
        _FORMATS[name][0].decode_embeddings(_answered(error), _REQUEST)


_leaves = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=8)
_names = st.sampled_from(
    (
        *("data", "embedding", "embeddings", "index", "values", "float", "model", "usage"),
        *("meta", "billed_units", "prompt_tokens", "error", "prompt_eval_count"),
    )
)
_documents = st.recursive(
    _leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=5),
    max_leaves=15,
)
_bodies = st.binary(max_size=50) | _documents.map(lambda document: json.dumps(document).encode())


@_each_codec
@given(body=_bodies)
@settings(max_examples=60, deadline=None)
def test_any_body_is_vectors_or_an_error(codec: EmbeddingCodec, body: bytes) -> None:
    """Whatever a server sends is one vector a text, or a provider's error."""
    try:
        answer = codec.decode_embeddings(WireResponse(200, {}, body), _REQUEST)
    except ProviderError:
        return
    assert len(answer.vectors) == 2


def test_openai_is_asked() -> None:
    """Texts, length and unknown fields are sent; how numbers are written is not the caller's."""
    parameters = {"user": "u", "encoding_format": "base64", "input": "!", "input_type": "passage"}
    request = EmbeddingRequest("m", ("disk",), dimensions=3, parameters=parameters)

    url, body = _sent(OpenAIEmbeddings(), "https://api.openai.com/v1/chat/completions", request)

    assert url == "https://api.openai.com/v1/embeddings"
    assert body == {
        "model": "m",
        "input": ["disk"],
        "dimensions": 3,
        "user": "u",
        "input_type": "passage",
    }
    assert OpenAIEmbeddings().ignored_by_embeddings(request) == ()


def test_local_servers_need_no_version_in_their_address() -> None:
    """A local address without its version gets one, as for chat."""
    url, _ = _sent(OpenAIEmbeddings(LOCAL), "http://127.0.0.1:1234/")

    assert url == "http://127.0.0.1:1234/v1/embeddings"


def test_openrouter_is_told_who_asks() -> None:
    """OpenRouter's optional headers go with embeddings too."""
    endpoint = Endpoint("https://openrouter.ai/api/v1", _KEY, {"title": "FaultMaven"})

    wire = OpenAIEmbeddings(OPENROUTER).encode_embeddings(_REQUEST, endpoint)

    assert wire.headers == {**_AUTHORIZED, "X-OpenRouter-Title": "FaultMaven"}


def test_numbers_decide_openai_s_order() -> None:
    """Vectors that come in another order are put into that of the texts."""
    body = _openai(_VECTORS)
    body["data"].reverse()

    assert OpenAIEmbeddings().decode_embeddings(_answered(body), _REQUEST).vectors == _VECTORS


@pytest.mark.parametrize("numbers", [(0, 0), (1, 2), (-1, 0), (0, None)])
def test_doubtful_numbers_are_refused(numbers: tuple[Any, Any]) -> None:
    """A vector that belongs to nobody knows which text is refused."""
    body = _openai(_VECTORS)
    for entry, number in zip(body["data"], numbers, strict=True):
        entry["index"] = number

    with pytest.raises(ProviderProtocolError, match="numbered"):
        OpenAIEmbeddings().decode_embeddings(_answered(body), _REQUEST)


def test_vectors_without_numbers_stand_in_order() -> None:
    """A server that numbers nothing gives the vectors in the texts' order."""
    body = _openai(_VECTORS)
    for entry in body["data"]:
        del entry["index"]

    assert OpenAIEmbeddings().decode_embeddings(_answered(body), _REQUEST).vectors == _VECTORS


def test_base64_is_read() -> None:
    """Numbers written as base64 of single precision are the same numbers."""
    body = _openai(_VECTORS)
    for entry in body["data"]:
        packed = struct.pack("<3f", *entry["embedding"])
        entry["embedding"] = base64.b64encode(packed).decode()

    assert OpenAIEmbeddings().decode_embeddings(_answered(body), _REQUEST).vectors == _VECTORS


@pytest.mark.parametrize("packed", ["", "AAA", "AAAA", "no base64!", "AACAfw==", "é"])
def test_bad_base64_is_refused(packed: str) -> None:
    """Base64 that is cut, none, or of a number that is not finite, is no vector."""
    body = _openai(_VECTORS)
    body["data"][0]["embedding"] = packed

    with pytest.raises(ProviderProtocolError):
        OpenAIEmbeddings().decode_embeddings(_answered(body), _REQUEST)


def test_gemini_is_asked() -> None:
    """Every text is an entry of its own; the purpose is said in Gemini's words."""
    parameters = {"input_type": "search_query", "user": "u"}
    request = EmbeddingRequest("models/m", ("disk",), dimensions=3, parameters=parameters)
    codec = GeminiEmbeddings()

    url, body = _sent(codec, "https://generativelanguage.googleapis.com", request)

    host = "https://generativelanguage.googleapis.com"
    assert url == f"{host}/v1beta/models/m:batchEmbedContents"
    entry = {"model": "models/m", "content": {"parts": [{"text": "disk"}]}}
    asked = {"outputDimensionality": 3, "taskType": "RETRIEVAL_QUERY"}
    assert body == {"requests": [entry | asked]}
    assert codec.ignored_by_embeddings(request) == ("user",)
    headers = codec.encode_embeddings(request, Endpoint(host, _KEY)).headers
    assert headers["x-goog-api-key"] == _KEY


def test_a_purpose_gemini_does_not_know_is_told() -> None:
    """A purpose of another vendor's is left out, and said to be."""
    request = EmbeddingRequest("m", ("disk",), parameters={"input_type": "passage"})
    codec = GeminiEmbeddings()

    _, body = _sent(codec, "https://generativelanguage.googleapis.com/v1beta", request)

    assert body["requests"][0].keys() == {"model", "content"}
    assert codec.ignored_by_embeddings(request) == ("input_type",)


def test_cohere_is_asked() -> None:
    """Cohere needs to know what texts are for: to be found, unless the caller says otherwise."""
    codec, base = CohereEmbeddings(), "https://api.cohere.ai/v1/generate"
    query = EmbeddingRequest("m", ("disk",), 256, {"input_type": "search_query", "user": "u"})

    url, body = _sent(codec, base)

    assert url == "https://api.cohere.ai/v2/embed"
    assert body == {
        "model": "embedder",
        "texts": ["disk", "full"],
        "embedding_types": ["float"],
        "input_type": "search_document",
    }
    further = {"input_type": "search_query", "output_dimension": 256, "texts": ["disk"]}
    assert _sent(codec, base, query)[1] == body | further | {"model": "m"}
    assert codec.ignored_by_embeddings(query) == ("user",)


def test_ollama_is_asked() -> None:
    """Ollama takes a list of texts, and what it knows beside."""
    codec = OllamaEmbeddings()
    request = EmbeddingRequest("m", ("disk",), 3, {"truncate": False, "user": "u"})

    url, body = _sent(codec, "http://127.0.0.1:11434/v1", request)

    assert url == "http://127.0.0.1:11434/api/embed"
    assert body == {"model": "m", "input": ["disk"], "dimensions": 3, "truncate": False}
    assert codec.ignored_by_embeddings(request) == ("user",)


def test_hugging_face_is_asked() -> None:
    """The router's address names the model, an endpoint's does not; a length is never chosen."""
    request = EmbeddingRequest("org/m:fastest", ("disk",), None, {"normalize": True, "user": "u"})
    codec = HuggingFaceEmbeddings(router_route)

    url, body = _sent(codec, "https://router.huggingface.co/v1", request)

    path = "hf-inference/models/org/m/pipeline/feature-extraction"
    assert url == f"https://router.huggingface.co/{path}"
    assert body == {"inputs": ["disk"], "normalize": True}
    assert codec.ignored_by_embeddings(request) == ("user",)
    endpoint = HuggingFaceEmbeddings(endpoint_route)
    assert _sent(endpoint, "https://mine.example/")[0] == "https://mine.example"
    with pytest.raises(UnsupportedRequestError):
        _sent(codec, "https://router.huggingface.co/v1", EmbeddingRequest("m", ("disk",), 3))


@given(texts=st.lists(st.text(max_size=3), min_size=1, max_size=20), most=st.integers(1, 7))
def test_batches_hold_every_text_in_order(texts: list[str], most: int) -> None:
    """However many a vendor takes at once, each text is sent once and in its place."""
    request = EmbeddingRequest("m", tuple(texts), 3, {"user": "u"})

    batches = list(in_batches(request, most))

    assert tuple(text for batch in batches for text in batch.inputs) == request.inputs
    assert all(1 <= len(batch.inputs) <= most for batch in batches)
    assert {(batch.model, batch.dimensions) for batch in batches} == {("m", 3)}


def test_batches_are_joined() -> None:
    """The parts' vectors stand in order, their tokens are added up."""
    parts = (Embeddings(((1.0,),), Usage(2), "m-1"), Embeddings(((2.0,), (3.0,)), Usage(3), "m-1"))

    assert joined(parts) == Embeddings(((1.0,), (2.0,), (3.0,)), Usage(5), "m-1")


def test_batches_that_do_not_match_are_refused() -> None:
    """Vectors of one request that differ in length cannot be compared."""
    with pytest.raises(ProviderProtocolError, match="differ"):
        joined((Embeddings(((1.0,),)), Embeddings(((1.0, 2.0),))))
