"""Embeddings: the same vectors in every vendor's format."""

import base64
import math
import struct
from typing import Any

import pytest

from upstreams import DIALECTS, Upstream, vector
from upstreams.client import Received, ask
from upstreams.samples import EMBEDDING_SAMPLES, Sample

TEXTS = ["The disk is full.", "Überlauf"]
SHAPED = [
    ("openai", 0), ("fireworks", 0), ("openrouter", 0), ("together", 0), ("vllm", 0),
    ("llamacpp", 0), ("ollama", 1),
]  # fmt: skip


async def embed(up: Upstream, number: int = 0, **changes: Any) -> Received:
    """Post a vendor's sample with fields changed; None takes one out."""
    sample = EMBEDDING_SAMPLES[up.dialect.name][number].filled(key=up.key, model=up.model)
    body = {name: value for name, value in {**sample.body, **changes}.items() if value is not None}
    return await ask(up, Sample(sample.path, body, sample.headers))


def test_a_vector_is_its_texts_own() -> None:
    """The same text has the same one, another text another one, all of length 1."""
    assert vector("a") == vector("a") != vector("b")
    assert len(vector("a", 3)) == 3
    assert math.isclose(math.hypot(*vector("a")), 1, rel_tol=1e-6)


@pytest.mark.parametrize(("dialect", "number"), SHAPED)
async def test_openais_shape(dialect: str, number: int) -> None:
    """One entry for each input, in order, and what was counted."""
    async with Upstream(dialect) as up:
        body = (await embed(up, number)).json
        one = (await embed(up, number, input="Überlauf")).json

    assert [entry["embedding"] for entry in body["data"]] == [vector(text) for text in TEXTS]
    assert [entry["index"] for entry in body["data"]] == [0, 1]
    assert body["usage"]["total_tokens"] == body["usage"]["prompt_tokens"] > 0
    assert [entry["embedding"] for entry in one["data"]] == [vector("Überlauf")]


async def test_openai_encodes_and_shortens() -> None:
    """Base64 is the same numbers in single precision; tokens are an input too."""
    async with Upstream("openai") as up:
        coded = (await embed(up, encoding_format="base64", dimensions=3)).json["data"]
        tokens = (await embed(up, input=[[1, 2], [3]])).json["data"]
        one = (await embed(up, input=[1, 2])).json["data"]

    unpacked = [struct.unpack("<3f", base64.b64decode(entry["embedding"])) for entry in coded]
    assert [list(numbers) for numbers in unpacked] == [vector(text, 3) for text in TEXTS]
    assert len(tokens) == 2
    assert one == tokens[:1]


async def test_gemini_embeds_one_or_many() -> None:
    """A batch names the model in every request."""
    async with Upstream("gemini") as up:
        many = (await embed(up, 0)).json
        one = (await embed(up, 1, outputDimensionality=4)).json
        unnamed = await embed(up, 0, requests=[{"content": {"parts": [{"text": "x"}]}}])

    assert [entry["values"] for entry in many["embeddings"]] == [vector(text) for text in TEXTS]
    assert one["embedding"]["values"] == vector(TEXTS[0], 4)
    assert unnamed.status == 400


async def test_cohere_embeds_by_type() -> None:
    """What was billed is a float."""
    async with Upstream("cohere") as up:
        body = (await embed(up)).json

    assert body["embeddings"]["float"] == [vector(text) for text in TEXTS]
    assert body["texts"] == TEXTS
    assert isinstance(body["meta"]["billed_units"]["input_tokens"], float)


async def test_ollama_embeds_by_a_name_without_tag() -> None:
    """Its list has no entries around the numbers."""
    async with Upstream("ollama") as up:
        body = (await embed(up, model="llama3.2")).json
        unknown = await embed(up, model="nothing")

    assert body["embeddings"] == [vector(text) for text in TEXTS]
    assert body["prompt_eval_count"] > 0
    assert unknown.status == 404


REFUSED: list[tuple[str, dict[str, Any], int]] = [
    ("openai", {"input": None}, 400),
    ("openai", {"input": []}, 400),
    ("openai", {"input": ["x", ""]}, 400),
    ("openai", {"input": [["x"]]}, 400),
    ("openai", {"dimensions": 0}, 400),
    ("openai", {"encoding_format": "hex"}, 400),
    ("openai", {"messages": []}, 400),
    ("openai", {"model": "text-embedding-9"}, 404),
    ("fireworks", {"model": "x"}, 404),
    ("cohere", {"texts": []}, 400),
    ("cohere", {"texts": [""]}, 400),
    ("cohere", {"input_type": None}, 400),
    ("cohere", {"embedding_types": ["double"]}, 400),
    ("cohere", {"input": "x"}, 400),
    ("gemini", {"requests": []}, 400),
    ("gemini", {"input": "x", "requests": None}, 400),
    ("ollama", {"input": [7]}, 400),
]


@pytest.mark.parametrize(("dialect", "changes", "status"), REFUSED, ids=str)
async def test_what_cannot_be_embedded_is_refused(
    dialect: str, changes: dict[str, Any], status: int
) -> None:
    """In the vendor's own words."""
    async with Upstream(dialect) as up:
        assert (await embed(up, **changes)).status == status
        assert up.rejections


async def test_a_model_that_only_embeds_is_served_beside_the_others() -> None:
    """It needs no mention in the account."""
    async with Upstream("openai", models={"gpt-4o"}) as up:
        assert (await embed(up, model="text-embedding-3-small")).status == 200


@pytest.mark.parametrize("dialect", EMBEDDING_SAMPLES)
async def test_embeddings_are_scripted_as_answers_are(dialect: str) -> None:
    """A wrong key is refused; the next of the script befalls them; then they are good again."""
    async with Upstream(dialect) as up:
        for number in range(len(EMBEDDING_SAMPLES[dialect])):
            up.script(
                "status_503",
                "stream_nothing",
                "empty_text",
                "error_in_choice" if dialect not in {"cohere", "gemini"} else "error_in_200",
            )
            statuses = [(await embed(up, number)).status for _ in range(5)]
            assert statuses == [503, 200, 200, 200, 200]
    async with Upstream(dialect, keys={"right"}) as up:
        sample = EMBEDDING_SAMPLES[dialect][0].filled(key="wrong", model=up.model)
        wrong = Sample(sample.path, sample.body, {"authorization": "Bearer no", **sample.headers})
        assert (await ask(up, wrong)).status in {400, 401}


def test_those_without_embeddings_have_none() -> None:
    """Claude and the generation servers have no such endpoint here."""
    without = DIALECTS.keys() - EMBEDDING_SAMPLES.keys()
    assert without == {
        "anthropic", "huggingface", "vllm_older", "tgi", "hf_endpoint", "hf_endpoint_object",
    }  # fmt: skip
