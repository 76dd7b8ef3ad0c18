"""langchain-openai: a chat model and embeddings that know nothing of the service."""

from __future__ import annotations

from typing import Any

import pytest
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage, ToolMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAIEmbeddings
from openai import NotFoundError
from pydantic import SecretStr

from clients.scenes import (
    DIAGNOSIS,
    DISK,
    PATH,
    PIXEL,
    QUESTION,
    UPTIME,
    VERDICT,
    Diagnosis,
    looks_at_both,
)
from clients.vendors import ANSWER, EMBEDDING, NAMES, SEEING, Vendors


def chat(url: str, model: str, **options: Any) -> ChatOpenAI:
    """The chat model with nothing changed but its address."""
    return ChatOpenAI(base_url=f"{url}/v1", api_key=SecretStr("any"), model=model, **options)


@tool
def disk_usage(path: str) -> str:
    """Tell how full the disk below a path is."""
    return f"{DISK} ({path})"


@tool
def uptime() -> str:
    """Tell how long the machine has been up."""
    return UPTIME


TOOLS = {"disk_usage": disk_usage, "uptime": uptime}


@pytest.mark.parametrize("name", NAMES)
def test_every_vendor_answers(url: str, vendors: Vendors, name: str) -> None:
    """``invoke`` gives text, tokens and finish."""
    message = chat(url, name).invoke(
        [SystemMessage("You are an operator."), HumanMessage(QUESTION)]
    )
    assert isinstance(message, AIMessage)
    assert message.content == ANSWER
    assert message.usage_metadata is not None
    assert message.usage_metadata["output_tokens"] > 0
    assert message.response_metadata["finish_reason"] == "stop"
    assert vendors.asked() == [name]


@pytest.mark.parametrize("name", NAMES)
def test_every_vendor_streams(url: str, vendors: Vendors, name: str) -> None:
    """``stream`` gives pieces that add up, and the tokens with the last."""
    pieces = list(chat(url, name, stream_usage=True).stream(QUESTION))
    whole = pieces[0]
    for piece in pieces[1:]:
        whole += piece
    assert len([piece for piece in pieces if piece.content]) > 1
    assert whole.content == ANSWER
    assert isinstance(whole, AIMessage)
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["output_tokens"] > 0
    assert vendors.asked() == [name]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("stream", [False, True], ids=["whole", "streamed"])
def test_bound_tools_are_used(url: str, vendors: Vendors, name: str, *, stream: bool) -> None:
    """``bind_tools``: parallel calls, run by LangChain, and the answer that builds on both."""
    vendors.say(looks_at_both, name)
    model = chat(url, name, streaming=stream).bind_tools(list(TOOLS.values()))
    asked = [HumanMessage(QUESTION)]

    first = model.invoke(asked)
    results = [TOOLS[call["name"]].invoke(call) for call in first.tool_calls]
    second = model.invoke([*asked, first, *results])

    assert [(call["name"], call["args"]) for call in first.tool_calls] == [
        ("disk_usage", PATH),
        ("uptime", {}),
    ]
    assert all(isinstance(result, ToolMessage) for result in results)
    assert second.content == VERDICT
    assert vendors.asked() == [name, name]


@pytest.mark.parametrize("name", NAMES)
def test_structured_output_is_an_object(url: str, vendors: Vendors, name: str) -> None:
    """``with_structured_output`` by JSON schema gives the model's own class."""
    vendors.say(DIAGNOSIS, name)
    model = chat(url, name).with_structured_output(Diagnosis, method="json_schema")
    assert model.invoke(QUESTION) == Diagnosis.model_validate(DIAGNOSIS)
    assert b'"certain"' in vendors.last(name).body


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_goes_along(url: str, vendors: Vendors, name: str) -> None:
    """A content block with a data URL reaches the vendor."""
    message = HumanMessage(
        [
            {"type": "text", "text": "What does the graph show?"},
            {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
        ]
    )
    assert chat(url, SEEING[name]).invoke([message]).content == ANSWER
    assert PIXEL.encode() in vendors.last(name).body


async def test_the_async_methods_work_alike(url: str, vendors: Vendors) -> None:
    """``ainvoke`` and ``astream`` give what their siblings give."""
    model = chat(url, "gemini")
    whole = await model.ainvoke(QUESTION)
    pieces = [str(piece.content) async for piece in model.astream(QUESTION)]
    assert whole.content == "".join(pieces) == ANSWER
    assert vendors.asked() == ["gemini", "gemini"]


def test_an_unknown_model_is_not_found(url: str, vendors: Vendors) -> None:
    """The SDK's exception comes through LangChain."""
    with pytest.raises(NotFoundError, match="auto"):
        chat(url, "nonsense").invoke(QUESTION)
    assert vendors.asked() == []


@pytest.mark.parametrize("name", EMBEDDING)
def test_texts_become_vectors(url: str, vendors: Vendors, name: str) -> None:
    """``OpenAIEmbeddings``, told not to count tokens itself, gives a vector for each text."""
    embeddings = OpenAIEmbeddings(  # type: ignore[call-arg] # names that mypy does not see
        base_url=f"{url}/v1",
        api_key=SecretStr("any"),
        model=EMBEDDING[name],
        check_embedding_ctx_length=False,
    )
    first, second = embeddings.embed_documents(["disk full", "disk empty"])
    assert len(first) == len(second) > 1
    assert first != second
    assert embeddings.embed_query("disk full") == pytest.approx(first)
    assert vendors.asked() == [name, name]
