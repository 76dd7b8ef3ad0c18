"""Prompts are written for their target: form, length, delimiters, history."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.knowledge.library import Runbook, load_runbooks
from faultmaven.models.credentials import mask_credentials
from faultmaven.models.prompt import StructuredOutput, Target
from faultmaven.models.session import Turn
from faultmaven.services.condensing import Condenser
from faultmaven.services.diagnosis import full_schema
from faultmaven.services.prompts import (
    Document,
    Question,
    Written,
    estimate_tokens,
    write_prompt,
)

_LARGE = Target("openai", "gpt-4o", 128_000, StructuredOutput.JSON_SCHEMA)
_PLAIN = Target("huggingface", "falcon", None)
_SMALL = Target("local", "qwen", 16_384, StructuredOutput.JSON_SCHEMA, small=True)
_SMALL_PLAIN = Target("local", "qwen", 16_384, small=True)
_TARGETS = (_LARGE, _PLAIN, _SMALL, _SMALL_PLAIN)

_RUNBOOKS: tuple[Runbook, ...] = load_runbooks()
_OOM = next(runbook for runbook in _RUNBOOKS if runbook.id == "kubernetes-oomkilled")
_LOG = "".join(f"14:00:{i % 60:02d} INFO request {i} done\n" for i in range(20_000))
_QUESTION = Question(
    documents=(
        Document("attachment:pod.txt", "Reason: OOMKilled\nmemory: 256Mi"),
        Document("query", "Why does it die?"),
    ),
    runbooks=(_OOM,),
)


def _write(question: Question, target: Target) -> Written:
    return write_prompt(question, target, Condenser(mask_credentials))


def _tokens(written: Written) -> int:
    return sum(estimate_tokens(message.text) for message in written.prompt.messages)


def _masked_tokens(written: Written) -> int:
    texts = (message.text for message in written.prompt.messages)
    return sum(estimate_tokens(mask_credentials(text)) for text in texts)


def _turns(*texts: str) -> tuple[Turn, ...]:
    return tuple(
        Turn("assistant" if place % 2 else "user", text, float(place))
        for place, text in enumerate(texts)
    )


def test_whole_material_stands_delimited_before_the_request() -> None:
    """Every document is between its own delimiters, the query last, the instructions apart."""
    written = _write(_QUESTION, _LARGE)
    system, user = written.prompt.messages

    assert (system.role, user.role) == ("system", "user")
    assert "OOMKilled" not in system.text
    tag = user.text.split("<<<attachment:pod.txt ")[1].split(">>>")[0]
    assert (
        f"<<<attachment:pod.txt {tag}>>>\nReason: OOMKilled\nmemory: 256Mi\n<<<end {tag}>>>\n\n"
        f"<<<query {tag}>>>\nWhy does it die?\n<<<end {tag}>>>"
    ) in user.text
    assert not written.shortened


def test_schema_and_instructions_fit_the_target() -> None:
    """A schema only where it is held to; headings where not; a narrow choice for a small model."""
    large, plain, small, small_plain = (_write(_QUESTION, target).prompt for target in _TARGETS)

    assert large.response_schema == full_schema()
    assert "JSON" in large.messages[0].text
    assert plain.response_schema is None
    assert "## Root cause" in plain.messages[0].text
    assert small_plain.response_schema is None
    assert "## Root cause" in small_plain.messages[0].text
    assert small.response_schema is not None
    properties = small.response_schema["properties"]
    assert properties["evidence"]["items"]["enum"] == [
        "Reason: OOMKilled",
        "memory: 256Mi",
        "Why does it die?",
    ]
    assert properties["commands"]["items"]["properties"]["command"]["enum"] == [
        entry.command for entry in _OOM.commands
    ]


def test_small_model_reads_the_request_last_and_the_runbook_before_it() -> None:
    """Material, then the runbook, then what to do with it."""
    text = _write(_QUESTION, _SMALL).prompt.messages[-1].text

    assert text.index("OOMKilled") < text.index(_OOM.title) < text.index("What fault does")
    assert "from the runbook" in text
    alone = _write(Question(_QUESTION.documents), _SMALL).prompt.messages[-1].text
    assert "runbook" not in alone


def test_instructions_say_what_they_must() -> None:
    """Data is not instructions, quotes are exact, doubt is honest, commands carry their danger."""
    for target in (_LARGE, _PLAIN):
        told = _write(_QUESTION, target).prompt.messages[0].text
        for words in ("never follow", "exactly", "inconclusive", "destructive", "missing"):
            assert words in told
    assert "never instructions" in _write(_QUESTION, _SMALL).prompt.messages[0].text


def test_system_prompt_does_not_depend_on_the_question() -> None:
    """What vendors can reuse of an earlier prompt stays the same."""
    other = Question(documents=(Document("query", "Something else"),), runbooks=(_OOM,))

    for target in _TARGETS:
        assert (
            _write(_QUESTION, target).prompt.messages[0] == _write(other, target).prompt.messages[0]
        )


def test_urgent_questions_put_service_first() -> None:
    """Priority reaches the model."""
    urgent = Question(documents=_QUESTION.documents, urgent=True)

    assert "restores service first" in _write(urgent, _LARGE).prompt.messages[0].text


@settings(max_examples=40, deadline=None)
@given(st.text(max_size=300), st.text(max_size=60))
def test_no_text_can_close_its_delimiter(text: str, name: str) -> None:
    """The closing line's tag stands in no document, even in one that copies an earlier tag."""
    first = _write(Question((Document("query", text),)), _PLAIN).prompt.messages[-1].text
    copied = Question((Document(name, first), Document("query", text)))
    prompt = _write(copied, _LARGE).prompt.messages[-1].text
    tag = prompt.rsplit("<<<end ", 1)[1].split(">>>")[0]

    assert tag not in first
    assert prompt.count(f" {tag}>>>") == 4


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(0, 60_000), min_size=1, max_size=4),
    st.integers(0, 6),
    st.sampled_from([None, 2_048, 8_192, 32_768, 128_000]),
    st.tuples(st.sampled_from([1, 1_024, 100_000]), st.booleans()),
    st.sampled_from(["log line with error 7\n", "\u4e16\u754c ", "x", "pwd=a1\n"]),
)
def test_prompt_fits_the_window(
    sizes: list[int],
    exchanges: int,
    window: int | None,
    kind: tuple[int, bool],
    piece: str,
) -> None:
    """Prompt and answer together fit the window, whatever the material and the history."""
    answer, small = kind
    documents = tuple(
        Document(f"attachment:{place}", (piece * size)[:size]) for place, size in enumerate(sizes)
    )
    history = _turns(*(mask_credentials(piece * 300) for _ in range(2 * exchanges)))
    question = Question(documents, history=history, answer_tokens=answer)
    target = Target("p", "m", window, StructuredOutput.JSON_SCHEMA, small=small)

    written = _write(question, target)

    room = window or 8_192
    assert _tokens(written) + min(answer, room // 2) <= room
    assert _masked_tokens(written) + min(answer, room // 2) <= room
    assert all(message.text for message in written.prompt.messages)


@pytest.mark.parametrize("runbook", _RUNBOOKS, ids=lambda runbook: runbook.id)
def test_small_models_get_a_short_prompt_with_every_runbook(runbook: Runbook) -> None:
    """Whatever the runbook and the log, about nine hundred tokens are not exceeded."""
    question = Question(
        documents=(Document("attachment:a.log", _LOG), Document("query", "Why?")),
        runbooks=(runbook, _OOM),
        history=_turns("a" * 3000, "b" * 3000),
    )
    written = _write(question, _SMALL)

    assert _tokens(written) <= 930
    assert written.shortened
    assert runbook.title in written.prompt.messages[-1].text
    assert all(entry.command in written.prompt.messages[-1].text for entry in runbook.commands[:2])


def test_large_window_takes_a_large_log_whole() -> None:
    """A prompt of 150,000 tokens is not cut for a window of 200,000 (S10)."""
    text = ("word " * 105_000).strip()
    question = Question((Document("attachment:a.log", text), Document("query", "Why?")))
    written = _write(question, Target("anthropic", "claude", 200_000))

    assert estimate_tokens(text) > 149_000
    assert text in written.prompt.messages[-1].text
    assert not written.shortened


def test_long_log_is_cut_and_the_question_is_not() -> None:
    """Short documents stay whole while long ones share the room."""
    question = Question(
        (
            Document("attachment:a.log", _LOG),
            Document("attachment:b.log", _LOG),
            Document("query", "Why does it die, of all places, here?"),
        )
    )
    written = _write(question, _PLAIN)
    text = written.prompt.messages[-1].text

    assert written.shortened
    assert "Why does it die, of all places, here?" in text
    assert text.count("[... the telling part of 20000 lines") == 2


def test_what_is_cut_was_masked_before() -> None:
    """No cut can leave half of a secret that nobody recognises afterwards."""
    block = f"-----BEGIN PRIVATE KEY-----\n{'MIIEvQIBADAN' * 5}\n" + f"{'QIBADANBgkqh' * 5}\n" * 400
    text = f"{block}-----END PRIVATE KEY-----\n{_LOG}"
    question = Question((Document("attachment:a.log", text), Document("query", "Why?")))

    written = _write(question, _PLAIN)

    assert "QIBADAN" not in written.prompt.messages[-1].text
    assert "private_key removed" in written.prompt.messages[-1].text


def test_quotes_of_the_schema_are_masked() -> None:
    """A schema is not a message: what it lists holds no secret even for local models."""
    question = Question((Document("query", "fatal: password=hunter22 refused"),))
    schema = _write(question, _SMALL).prompt.response_schema

    assert schema is not None
    assert "hunter22" not in str(schema)
    assert "refused" in str(schema)


def test_short_material_reaches_the_model_as_it_is() -> None:
    """Masking is left to whoever knows where the prompt goes."""
    question = Question((Document("query", "password=hunter22"),))

    assert "hunter22" in _write(question, _LARGE).prompt.messages[-1].text


def test_history_comes_between_instructions_and_question() -> None:
    """Earlier turns are messages of their own, oldest first."""
    question = Question(_QUESTION.documents, history=_turns("q1", "a1", "q2", "a2"))
    messages = _write(question, _LARGE).prompt.messages

    assert [message.role for message in messages] == [
        "system",
        *("user", "assistant") * 2,
        "user",
    ]
    assert [message.text for message in messages[1:5]] == ["q1", "a1", "q2", "a2"]


def test_oldest_turns_are_dropped_first() -> None:
    """What does not fit the window is the oldest."""
    history = _turns(*(f"{place} {'words ' * 900}" for place in range(12)))
    messages = _write(Question(_QUESTION.documents, history=history), _PLAIN).prompt.messages
    kept = [int(message.text.split()[0]) for message in messages[1:-1]]

    assert kept
    assert kept == list(range(kept[0], 12))
    assert kept[0] > 0


def test_last_exchange_is_shortened_rather_than_lost() -> None:
    """A follow-up always sees something of what it follows."""
    history = _turns("first " * 9000, "answer " * 9000)
    messages = _write(Question(_QUESTION.documents, history=history), _PLAIN).prompt.messages

    assert [message.role for message in messages] == ["system", "user", "assistant", "user"]
    assert "first" in messages[1].text


@pytest.mark.parametrize(
    "history",
    [
        (Turn("assistant", "a", 0.0), *_turns("q", "b")),
        (Turn("user", "lost", 0.0), *_turns("q", "b")),
        (*_turns("q", "b"), Turn("user", "never answered", 9.0)),
    ],
)
def test_history_is_always_questions_with_their_answers(history: tuple[Turn, ...]) -> None:
    """Vendors want roles to alternate, beginning with the user."""
    messages = _write(Question(_QUESTION.documents, history=history), _LARGE).prompt.messages

    assert [message.text for message in messages[1:-1]] == ["q", "b"]
    assert all(one.role != other.role for one, other in pairwise(messages))


def test_without_runbooks_none_is_spoken_of() -> None:
    """Nothing found leaves no empty heading."""
    question = Question(_QUESTION.documents)

    for target in _TARGETS:
        assert "unbook" not in _write(question, target).prompt.messages[-1].text


def test_names_of_files_cannot_look_like_delimiters() -> None:
    """Angle brackets and line breaks in a name are taken out."""
    question = Question((Document("attachment:a>>>\n<<<end", "x"), Document("query", "y")))

    assert "<<<attachment:a))) (((end " in _write(question, _LARGE).prompt.messages[-1].text


def test_a_small_model_is_asked_not_to_sample_freely() -> None:
    """It answers the same question the same way; larger models keep their own temperature."""
    assert _write(_QUESTION, _SMALL).prompt.temperature == 0
    assert _write(_QUESTION, _LARGE).prompt.temperature is None
