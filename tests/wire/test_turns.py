"""Conversations with tools, merged, flattened and arranged."""

from faultmaven.infrastructure.llm.wire.alternation import alternate, tool_loop
from faultmaven.infrastructure.llm.wire.turns import dialogue, flatten
from faultmaven.models.prompt import Message, Thought, ToolCall

_ASK = Message("user", "Which disk?")
_DF = ToolCall("call_1", "df", '{"path":"/"}')
_UP = ToolCall("call_2", "uptime", "")
_CALLS = Message("assistant", "Let me look.", tool_calls=(_DF, _UP))
_USE = Message("tool", "97 %", tool_call_id="call_1")
_FAILED = Message("tool", "no", tool_call_id="call_2", failed=True)


def test_results_stay_apart() -> None:
    """Results are never merged, not even blank ones: each belongs to a call of its own."""
    blank = Message("tool", "", tool_call_id="call_2")

    assert dialogue([_ASK, _CALLS, _USE, blank]) == (_ASK, _CALLS, _USE, blank)


def test_calls_in_a_row_are_made_at_once() -> None:
    """Calls that stand in several messages are one turn; what is said behind them is another."""
    thought = Thought("Look.", "c2ln")
    first = Message("assistant", "Let me look.", tool_calls=(_DF,), thoughts=(thought,))
    second, third = Message("assistant", "", tool_calls=(_UP,)), Message("assistant", "Wait.")

    turns = dialogue([_ASK, first, second, third])

    merged = Message("assistant", "Let me look.", tool_calls=(_DF, _UP), thoughts=(thought,))
    assert turns == (_ASK, merged, third)


def test_tools_are_told_in_words() -> None:
    """A format without messages is told of calls and results as of all else that was said."""
    stray = Message("tool", " ", tool_call_id="call_0")

    assert flatten([Message("system", "Be brief."), _ASK, _CALLS, _USE, _FAILED, stray]) == (
        "Be brief.\n\n"
        "User: Which disk?\n\n"
        "Assistant: Let me look.\n\n"
        'Assistant asked for tool df with {"path":"/"}\n\n'
        "Assistant asked for tool uptime with {}\n\n"
        "Result of df: 97 %\n\n"
        "Error of uptime: no\n\n"
        "Result of a tool: (nothing)\n\n"
        "Assistant:"
    )


def test_result_alone_is_no_question() -> None:
    """A lone result keeps its heading; a lone question needs none."""
    assert flatten([_USE]) == "Result of a tool: 97 %\n\nAssistant:"
    assert flatten([_ASK]) == "Which disk?"


def test_ids_that_repeat_are_told_apart() -> None:
    """Vendors that count their calls per answer repeat their ids; each result finds its call."""
    again = Message("tool", "98 %", tool_call_id="call_1")

    turns = alternate([_ASK, _CALLS, _USE, _FAILED, _CALLS, again])

    first, second = (turn.results for turn in turns if turn.results)
    assert [result.text for result in first] == ["97 %", "no"]
    assert second[0].text == "98 %"
    assert {result.call.id for result in first}.isdisjoint(result.call.id for result in second)


def test_loop_is_what_goes_on_without_the_user() -> None:
    """The tools in use are those since the user last spoke; then there are none."""
    used = [_ASK, _CALLS, _USE, _FAILED]
    ended = [*used, Message("assistant", "Full.")]

    assert len(tool_loop(alternate([*ended, *used, _CALLS, _USE]))) == 2
    assert tool_loop(alternate(ended)) == ()
    assert tool_loop(alternate([*ended, _ASK])) == ()
