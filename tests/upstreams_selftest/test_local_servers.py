"""The servers people run themselves: Ollama, vLLM, TGI, llama.cpp, and hosted endpoints."""

from typing import Any

import pytest

from upstreams import Upstream
from upstreams.client import ask, call, sample_of

NATIVE, COMPATIBLE = 0, 1


async def test_ollama_streams_unless_told_not_to() -> None:
    """Without `stream: false` the answer comes as lines, the last of them done."""
    async with Upstream("ollama") as up:
        whole = await ask(up, sample_of(up, NATIVE))
        lines = await ask(up, sample_of(up, NATIVE, stream=None))

    objects = lines.lines
    assert lines.headers["content-type"] == "application/x-ndjson"
    assert [item["done"] for item in objects] == [False] * 6 + [True]
    assert "".join(item["message"]["content"] for item in objects) == "The disk is full."
    assert whole.json["done"] is True
    assert whole.json["message"]["content"] == "The disk is full."


@pytest.mark.parametrize("number", [NATIVE, COMPATIBLE])
async def test_ollama_knows_a_model_without_its_tag(number: int) -> None:
    """`llama3.2` is `llama3.2:latest`; another tag is another model."""
    async with Upstream("ollama") as up:
        assert (await ask(up, sample_of(up, number, model="llama3.2"))).status == 200
        assert (await ask(up, sample_of(up, number, model="llama3.2:70b"))).status == 404


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"model": None}, "model is required"),
        ({"messages": "x"}, "cannot unmarshal"),
        ({"messages": [{"role": "user", "content": [{"type": "text"}]}]}, "cannot unmarshal"),
        ({"format": "xml"}, "invalid format"),
        ({"options": []}, "expected an object"),
    ],
)
async def test_ollama_refuses_with_a_bare_text(changes: dict[str, Any], words: str) -> None:
    """Its error is a string."""
    async with Upstream("ollama") as up:
        received = await ask(up, sample_of(up, NATIVE, **changes))

    assert received.status == 400
    assert words in received.json["error"]


async def test_ollama_can_be_recognised() -> None:
    """Version, tags, list and root answer without a key; another path is plain text."""
    async with Upstream("ollama", models={"a:latest"}) as up:
        assert "version" in (await call(up, "GET", "/api/version")).json
        assert (await call(up, "GET", "/api/tags")).json["models"][0]["name"] == "a:latest"
        assert (await call(up, "GET", "/v1/models")).json["data"][0]["id"] == "a:latest"
        assert (await call(up, "GET", "/")).body == b"Ollama is running"
        nothing = await call(up, "GET", "/health")
    assert (nothing.status, nothing.body) == (404, b"404 page not found")


async def test_ollama_cuts_a_long_prompt_in_silence() -> None:
    """Whatever the window, there is an answer."""
    async with Upstream("ollama", context_tokens=1) as up:
        assert (await ask(up, sample_of(up, NATIVE))).status == 200
        assert (await ask(up, sample_of(up, COMPATIBLE))).status == 200


async def test_vllm_tells_its_window_and_health() -> None:
    """The list carries `max_model_len`; health is a status alone, also when it is bad."""
    async with Upstream("vllm") as up:
        assert (await call(up, "GET", "/v1/models")).json["data"][0]["max_model_len"] == 8192
        assert (await call(up, "GET", "/health")).body == b""
        up.script_free("status_503")
        ill = await call(up, "GET", "/health")
    assert (ill.status, ill.body) == (503, b"")


async def test_older_vllm_has_its_errors_at_top_level() -> None:
    """`object` says error, and the code is a number in both."""
    async with Upstream("vllm") as new, Upstream("vllm_older") as old:
        new.script("status_400")
        old.script("status_400")
        inside, flat = (await ask(new)).json, (await ask(old)).json

    assert inside["error"]["code"] == flat["code"] == 400
    assert flat["object"] == "error"


async def test_a_local_server_may_want_a_key() -> None:
    """Without keys it ignores the header; with keys it insists."""
    async with Upstream("vllm", keys={"k"}) as up:
        assert (await call(up, "GET", "/v1/models")).status == 401
        headers = {"authorization": "Bearer k"}
        assert (await call(up, "GET", "/v1/models", headers=headers)).status == 200
    async with Upstream("vllm") as up:
        headers = {"authorization": "Bearer anything"}
        assert (await call(up, "GET", "/v1/models", headers=headers)).status == 200


async def test_llamacpp_says_that_it_is_loading() -> None:
    """Health and answers are both 503 until it has loaded."""
    async with Upstream("llamacpp") as up:
        up.always("loading")
        health, answer = await call(up, "GET", "/health"), await ask(up)
        up.recover()

        assert health.status == answer.status == 503
        assert health.json["error"]["message"] == "Loading model"
        assert (await call(up, "GET", "/health")).json == {"status": "ok"}
        assert (await ask(up)).json["timings"]


async def test_llamacpp_names_a_prompt_that_is_too_long() -> None:
    """Its type says so, with both counts."""
    async with Upstream("llamacpp", context_tokens=4) as up:
        error = (await ask(up)).json["error"]

    assert error["type"] == "exceed_context_size_error"
    assert error.keys() >= {"n_prompt_tokens", "n_ctx"}


@pytest.mark.parametrize(
    "parameters",
    [{"temperature": 0}, {"top_p": 1}, {"max_new_tokens": 0}, {"max_tokens": 5}],
    ids=str,
)
async def test_tgi_is_strict_about_parameters(parameters: dict[str, Any]) -> None:
    """A temperature of 0 or a top_p of 1 is refused with 422, as is an unknown name."""
    async with Upstream("tgi") as up:
        received = await ask(up, sample_of(up, parameters=parameters))

    assert received.status == 422 or received.json["error_type"] == "validation"
    assert received.json["error"].startswith(("Input validation error", "Invalid"))


async def test_tgi_gives_details_on_demand() -> None:
    """Finish reason and count come only if asked for."""
    async with Upstream("tgi") as up:
        plain = (await ask(up)).json
        asked = (await ask(up, sample_of(up, parameters={"details": True}))).json

    assert plain.keys() == {"generated_text"}
    assert asked["details"]["finish_reason"] == "eos_token"
    assert asked["details"]["generated_tokens"] > 0


@pytest.mark.parametrize(
    ("dialect", "shape"), [("hf_endpoint", list), ("hf_endpoint_object", dict)]
)
async def test_hosted_endpoints_answer_in_two_shapes(dialect: str, shape: type[Any]) -> None:
    """One sends a list, the other an object; both repeat the prompt unless told not to."""
    async with Upstream(dialect) as up:
        brief = (await ask(up)).json
        full = (await ask(up, sample_of(up, parameters=None))).json
        up.script("loading")
        cold = await ask(up)

    assert isinstance(brief, shape)
    item, whole = (brief[0], full[0]) if isinstance(brief, list) else (brief, full)
    assert item["generated_text"] == "The disk is full."
    assert whole["generated_text"] == "Why does the pod restart?The disk is full."
    assert (cold.status, cold.json["estimated_time"]) == (503, 20.0)
