"""Conversations with tools as they reach a codec: whole, shortened, or from another vendor."""

from hypothesis import strategies as st

from faultmaven.models.prompt import Image, Message, Thought, ToolCall
from upstreams.dialects.gemini_answer import signature_of
from upstreams.dialects.signatures import sign

_IDS = st.sampled_from(["", "call_1", "call_2", "toolu_01", "chatcmpl-tool:1/2", "x" * 90, "é"])
_TEXTS = st.sampled_from(["", " ", "Why?", '{"use": 97}', "[1]", "NaN", '{"a": NaN}']) | st.text(
    max_size=8
)
_ARGUMENTS = st.sampled_from(
    ["", "{}", '{"path": "/"}', '{"path": "/var', "[1]", "null"]
) | st.text(max_size=8)
_NAMES = st.sampled_from(["df", "du", "disk.usage", "two words", "", "7zip", "n" * 200])
_PICTURES = st.sampled_from([(), (), (Image("image/png", "AA=="),)])
_SIGNED = signature_of("df", {"path": "/"})
_CALLS = st.builds(ToolCall, _IDS, _NAMES, _ARGUMENTS) | st.builds(
    ToolCall, _IDS, st.just("df"), st.just('{"path": "/"}'), st.just(_SIGNED)
)
_THOUGHTS = st.sampled_from(
    [
        Thought("Look.", signature=sign("anthropic", "Look.")),
        Thought(hidden="x"),
        Thought("Hm.", signature="faultmaven:1"),
        Thought("Hm."),
    ]
)

_systems = st.builds(Message, st.just("system"), _TEXTS)
_questions = st.builds(Message, st.just("user"), _TEXTS, _PICTURES)
_replies = st.builds(
    Message,
    st.just("assistant"),
    _TEXTS,
    tool_calls=st.lists(_CALLS, max_size=3).map(tuple),
    thoughts=st.lists(_THOUGHTS, max_size=2).map(tuple),
)
_results = st.builds(
    Message,
    st.just("tool"),
    _TEXTS,
    _PICTURES,
    tool_call_id=_IDS,
    failed=st.booleans(),
)

conversations = st.lists(_systems | _questions | _replies | _results, max_size=10).map(
    lambda turns: (*turns, Message("user", "And now?"))
)
"""Any turns in any order; the user has the last word."""
