"""A conversation with tools reaches chat completions as they demand it, whatever it was."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.infrastructure.llm.wire.openai_messages import written_messages
from faultmaven.infrastructure.llm.wire.tool_results import answered
from faultmaven.infrastructure.llm.wire.turns import UNKNOWN_RESULT
from faultmaven.models.prompt import Image, Message, ToolCall

_ASK, _ON = Message("user", "Which disk?"), Message("user", "Go on.")
_DF, _UP = ToolCall("c1", "df", "{}"), ToolCall("c2", "uptime", "{}")
_CALLS = Message("assistant", "", tool_calls=(_DF, _UP))
_USE = Message("tool", "97 %", tool_call_id="c1")
_UPTIME = Message("tool", "3 d", tool_call_id="c2")
_UNKNOWN = Message("tool", UNKNOWN_RESULT, tool_call_id="c2")
_TOLD = Message("user", "Result of df: 97 %")


@pytest.mark.parametrize(
    ("messages", "arranged"),
    [
        ((_ASK, _CALLS, _USE, _ON), (_ASK, _CALLS, _USE, _UNKNOWN, _ON)),
        ((_ASK, _CALLS, _USE), (_ASK, _CALLS, _USE, _UNKNOWN)),
        ((_ASK, _CALLS, _USE, _ON, _UPTIME), (_ASK, _CALLS, _USE, _UPTIME, _ON)),
        ((_ASK, _USE, _ON), (_ASK, Message("user", "Result of a tool: 97 %"), _ON)),
        ((_ASK, _CALLS, _USE, _UPTIME, _USE), (_ASK, _CALLS, _USE, _UPTIME, _TOLD)),
        (
            (
                Message("assistant", "", tool_calls=(_DF,)),
                Message("assistant", "", tool_calls=(_UP,)),
                _UPTIME,
                _USE,
            ),
            (_CALLS, _USE, _UPTIME),
        ),
    ],
)
def test_calls_and_results_find_each_other(
    messages: tuple[Message, ...], arranged: tuple[Message, ...]
) -> None:
    """A call without a result is given one; a result without a call is told in words."""
    assert answered(messages) == arranged
    assert written_messages(messages) == written_messages(arranged)


def test_picture_of_a_stray_result_is_kept() -> None:
    """What a tool showed is shown, though no call of it can be pointed to."""
    stray = Message("tool", "Look.", images=(Image(url="http://h/p.png"),), tool_call_id="c9")

    (told,) = answered((stray,))

    assert (told.role, told.images) == ("user", stray.images)


@pytest.mark.parametrize(
    "messages",
    [
        (),
        (_ASK, _ON),
        (_ASK, _CALLS, _UPTIME, _USE, _ON),
        (Message("assistant", "Hm."), Message("assistant", "Ha."), _ASK, _CALLS, _USE, _UPTIME),
    ],
)
def test_what_is_in_order_stays_as_it_is(messages: tuple[Message, ...]) -> None:
    """No turn of a conversation that the format takes is merged, moved or said otherwise."""
    assert answered(messages) is messages


_turns = st.sampled_from(
    [
        *(_ASK, _CALLS, _USE, _UPTIME, Message("system", "Be brief."), Message("assistant", "Hm.")),
        Message("assistant", "", tool_calls=(_DF, _DF)),
        Message("tool", "no", tool_call_id="c9", failed=True),
    ]
)


@given(st.lists(_turns, max_size=10).map(tuple))
def test_whatever_was_sent_is_in_order_afterwards(messages: tuple[Message, ...]) -> None:
    """Each call has its result right behind it, and each result that was sent is still told."""
    arranged = answered(messages)

    assert answered(arranged) is arranged
    texts = " ".join(message.text for message in arranged)
    assert all(message.text in texts for message in messages)
