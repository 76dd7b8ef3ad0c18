"""Small decisions about texts: thoughts, finish reasons, excerpts, addresses, turns."""

from dataclasses import fields, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.errors import ProviderAuthError, ProviderRequestError
from faultmaven.infrastructure.llm.wire import address
from faultmaven.infrastructure.llm.wire.anthropic_messages import AnthropicMessages
from faultmaven.infrastructure.llm.wire.excerpt import MAX_CHARS, excerpt
from faultmaven.infrastructure.llm.wire.finish import finish_reason
from faultmaven.infrastructure.llm.wire.headers import bearer
from faultmaven.infrastructure.llm.wire.openai_chat import OpenAIChat
from faultmaven.infrastructure.llm.wire.openai_dialects import OPENROUTER
from faultmaven.infrastructure.llm.wire.thinking import split_thinking
from faultmaven.infrastructure.llm.wire.turns import dialogue, flatten
from faultmaven.infrastructure.llm.wire.types import CompletionRequest, Endpoint
from faultmaven.models.prompt import Controls, Image, Message


@pytest.mark.parametrize(
    ("text", "answer", "thoughts"),
    [
        ("The disk is full.", "The disk is full.", ""),
        ("<think>Look.</think>The disk is full.", "The disk is full.", "Look."),
        ("\n<think>\nLook.\n</think>\n\nFull. \n", "Full.", "Look."),
        ("<think></think>Full.", "Full.", ""),
        ("<think>a</think>\n<think>b</think>\nFull.", "Full.", "a\nb"),
        ("<think>Look at the", "", "Look at the"),
        ("Look.\n</think>\nFull.", "Full.", "Look."),
        ("Look.\n</think>", "", "Look."),
        ("Strip `<think>` tags: </think> too.", "Strip `<think>` tags: </think> too.", ""),
        (
            "First this.\n<think>\nno\n</think>\nThen.",
            "First this.\n<think>\nno\n</think>\nThen.",
            "",
        ),
    ],
)
def test_thoughts_are_told_from_the_answer(text: str, answer: str, thoughts: str) -> None:
    """A block before the answer is thought; a tag quoted within it is part of the answer."""
    assert split_thinking(text) == (answer, thoughts)


def test_many_tags_are_read_in_one_pass() -> None:
    """A server that sends nothing but tags does not keep us busy: passes over passes would."""
    assert split_thinking("<think></think>" * 500_000 + "Full.") == ("Full.", "")
    assert split_thinking("<think>" * 500_000)[0] == ""


@pytest.mark.parametrize(
    ("words", "meaning"),
    [
        ("stop end_turn stop_sequence eos eos_token COMPLETE STOP_SEQUENCE STOP", "stop"),
        ("length max_tokens MAX_TOKENS model_context_window_exceeded", "length"),
        ("tool_calls function_call tool_use TOOL_CALL", "tool_calls"),
        ("content_filter refusal SAFETY RECITATION SPII MODEL_ARMOR", "content_filter"),
        ("error ERROR TIMEOUT MALFORMED_FUNCTION_CALL MALFORMED_RESPONSE", "error"),
        ("abort aborted cancelled USER_CANCEL insufficient_system_resource load", "error"),
        ("quota_watch", "quota_watch"),
    ],
)
def test_finish_reasons_are_normalised(words: str, meaning: str) -> None:
    """Every vendor's word has one of ours; an unknown one is kept."""
    assert {finish_reason(word) for word in words.split()} == {meaning}


def test_no_finish_reason_means_stop() -> None:
    """A whole answer without a reason has ended of itself."""
    assert finish_reason("") == "stop"


@given(text=st.text(max_size=600))
def test_excerpt_is_one_short_printable_line(text: str) -> None:
    """Whatever a vendor writes, an excerpt is fit for a log line."""
    shown = excerpt(text)

    assert len(shown) <= MAX_CHARS
    assert shown.isprintable()
    assert excerpt(shown) == shown


def test_excerpt_masks_before_it_cuts() -> None:
    """A credential at the cut is masked whole, not shown in half (S69)."""
    text = "x" * (MAX_CHARS - 10) + " sk-ant-api03-abcdefghijklmnop"

    assert "sk-ant" not in excerpt(text)


@pytest.mark.parametrize(
    ("base", "versioned", "unversioned"),
    [
        ("http://h:1", "http://h:1/v1", "http://h:1"),
        ("http://h:1/", "http://h:1/v1", "http://h:1"),
        ("http://h:1/v1", "http://h:1/v1", "http://h:1"),
        (" http://h:1/v1/ \n", "http://h:1/v1", "http://h:1"),
        ("http://h/v1beta//", "http://h/v1beta", "http://h"),
        ("http://h/proxy/v2", "http://h/proxy/v2", "http://h/proxy"),
        ("http://v1", "http://v1/v1", "http://v1"),
    ],
)
def test_base_urls_as_people_write_them(base: str, versioned: str, unversioned: str) -> None:
    """With and without a version, slashes, blanks and line ends: one correct address (S19)."""
    assert address.versioned(base, "/v1") == versioned
    assert address.unversioned(base) == unversioned
    assert address.join(base, "/models") == address.tidy(base) + "/models"


def test_key_is_stripped_and_never_breaks_a_header() -> None:
    """Blanks around a key are dropped; what no header can carry is refused without showing it."""
    stripped = bearer(Endpoint("http://h", " sk-1 \n"))
    assert stripped["authorization"] == "Bearer sk-1"
    assert "authorization" not in bearer(Endpoint("http://h", " "))
    for bad in ("sk-a\r\nx-evil: 1", "sk-ключ", "sk-\x00"):
        with pytest.raises(ProviderAuthError) as caught:
            bearer(Endpoint("http://h", bad))
        assert bad not in str(caught.value)


def test_each_endpoint_is_asked_with_its_own_key_and_options() -> None:
    """What is worked out for one endpoint is never used for another that is nearly the same."""
    codec = OpenAIChat(OPENROUTER)
    request = CompletionRequest("m", (Message("user", "Why?"),))
    sent = [
        codec.encode(request, Endpoint(base, key, {"title": title}))
        for base in ("http://h/v1", "http://i/v1")
        for key in ("sk-1", "sk-2")
        for title in ("one", "two")
        for _ in range(2)
    ]
    told = [(s.url, s.headers["authorization"], s.headers["X-OpenRouter-Title"]) for s in sent]
    assert told[::2] == told[1::2]
    assert len(set(told)) == 8


def test_a_streamed_question_is_the_same_question() -> None:
    """Nothing that is asked is lost where the answer comes piece by piece."""
    tool = Controls(parameters={"seed": 1})
    asked = CompletionRequest("m", (Message("user", "?"),), 7, 0.5, ("END",), {"a": 1}, tool)
    assert asked.streamed() == replace(asked, stream=True)
    usual = CompletionRequest("", ())
    same = [
        item.name
        for item in fields(asked)
        if getattr(asked, item.name) == getattr(usual, item.name)
    ]
    assert same == ["stream"], "every other field is put to the test"


def test_neighbours_of_one_role_are_merged() -> None:
    """Blank turns vanish, neighbours of one role become one, pictures stay with them."""
    picture = Image("image/png", "AA==")
    turns = dialogue(
        [
            Message("system", "s"),
            Message("user", "a"),
            Message("user", ""),
            Message("user", "b", (picture,)),
            Message("assistant", "c"),
        ]
    )

    assert turns == (Message("user", "a\n\nb", (picture,)), Message("assistant", "c"))


def test_flattened_prompt_carries_no_picture() -> None:
    """A format that cannot carry a picture says so, and the next provider is asked."""
    with pytest.raises(ProviderRequestError) as caught:
        flatten([Message("user", "What is this?", (Image("image/png", "AA=="),))])

    assert caught.value.falls_back


@pytest.mark.parametrize("last", [Message("assistant", "Hello."), Message("system", "s")])
def test_anthropic_is_not_sent_a_prefill(last: Message) -> None:
    """A conversation that does not end with the user is refused before it is sent."""
    request = CompletionRequest("claude-sonnet-5", (last,))

    with pytest.raises(ProviderRequestError, match="user"):
        AnthropicMessages().encode(request, Endpoint("http://h", "key"))
