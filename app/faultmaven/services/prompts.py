"""Writes the prompt for one question and one target (pure).

Tokens are estimated as bytes of UTF-8 over 3.5: English prose has about four to a token, logs
with their digits and paths about three. A tenth of the window is kept free for the error.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, pairwise

from faultmaven.knowledge.library import Runbook, render_full
from faultmaven.models.prompt import Message, Prompt, StructuredOutput, Target
from faultmaven.models.session import Turn
from faultmaven.services import prompt_texts
from faultmaven.services.condensing import Condenser, size_of
from faultmaven.services.diagnosis import full_schema, narrow_schema
from faultmaven.services.diagnosis.schema import Schema
from faultmaven.services.trouble import telling_lines

_BYTES_PER_TOKEN = 3.5
_DEFAULT_WINDOW = 8_192
_MARGIN = 0.9
_SMALL_TOKENS = 900  # the embedded model reads some 70 tokens a second
_SMALL_RUNBOOK_CHARS = 1_150
_SMALL_QUOTES = 10
_HISTORY_SHARE = 0.15  # of the room, when the material alone would fill it
_GROWTH = 6  # times that masking may lengthen a text, at most: ``pwd=a,`` grows to 4.5
_LEAST_TOKENS = 256  # for the material, however small the window is
_LEAST_HISTORY = 60  # tokens; a shorter piece of an exchange says nothing


@dataclass(frozen=True, slots=True)
class Document:
    """A named text of the caller."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """Everything a prompt is written from.

    Attributes:
        documents: attachments and context, then the query: what is asked comes last.
        runbooks: what may fit, best first.
        history: earlier turns, oldest first.
        urgent: restoring service comes before finding the cause.
        answer_tokens: what the answer may take of the window.
    """

    documents: tuple[Document, ...]
    runbooks: tuple[Runbook, ...] = ()
    history: tuple[Turn, ...] = ()
    urgent: bool = False
    answer_tokens: int = 1_024


@dataclass(frozen=True, slots=True)
class Written:
    """A prompt, and whether something of the material had to be left out."""

    prompt: Prompt
    shortened: bool


def estimate_tokens(text: str) -> int:
    """About how many tokens ``text`` has."""
    return _tokens(size_of(text))


def write_prompt(question: Question, target: Target, condenser: Condenser) -> Written:
    """Write the prompt for ``target``.

    Args:
        question: what to write it from.
        target: who is asked.
        condenser: cuts what is too long; the same for every target of a question, so that it
            looks through a long text once.
    """
    system = _system(question, target)
    background, request = _background(question.runbooks, target), _request(question, target)
    fixed = sum(map(estimate_tokens, (system, background, request)))
    room = max(_room(question, target) - fixed, _LEAST_TOKENS)
    documents = _fitted(question.documents, _material_room(question, room), condenser)
    tag = _tag(documents)
    material = "\n\n".join(_delimited(document, tag) for document in documents)
    # What is read last weighs most with a small model: its runbook stands in the middle.
    parts = (material, background) if target.small else (background, material)
    messages = (
        Message("system", system),
        *_earlier(question.history, documents, room, condenser),
        Message("user", "\n\n".join(part for part in (*parts, request) if part)),
    )
    schema = _schema(question, target, documents, condenser)
    # A small model that samples freely invents; asked twice it should say the same.
    prompt = Prompt(messages, schema, temperature=0.0 if target.small else None)
    return Written(prompt, shortened=documents != question.documents)


def _room(question: Question, target: Target) -> int:
    """Tokens the whole prompt may have."""
    window = target.context_window or _DEFAULT_WINDOW
    room = int(window * _MARGIN) - min(question.answer_tokens, window // 2)
    return min(room, _SMALL_TOKENS) if target.small else room


def _material_room(question: Question, room: int) -> int:
    return int(room * (1 - _HISTORY_SHARE)) if question.history else room


def _tag(documents: Sequence[Document]) -> str:
    """A delimiter the texts cannot hold, and the same for the same question."""
    seed = hashlib.sha256()
    for document in documents:
        seed.update(document.text.encode("utf-8", "replace"))
    for attempt in count():
        tag = hashlib.sha256(seed.digest() + bytes([attempt % 256])).hexdigest()[:8]
        if not any(tag in document.text for document in documents):
            return tag
    raise AssertionError  # pragma: no cover - count() does not end


def _delimited(document: Document, tag: str) -> str:
    name = " ".join(document.name.replace("<", "(").replace(">", ")").split())
    return f"<<<{name} {tag}>>>\n{document.text}\n<<<end {tag}>>>"


def _schema(
    question: Question, target: Target, documents: Sequence[Document], condenser: Condenser
) -> Schema | None:
    if target.structured is not StructuredOutput.JSON_SCHEMA:
        return None
    if not target.small:
        return full_schema()
    # Masked, because a schema is not text that somebody below masks.
    texts = [condenser.mask(document.text) for document in documents]
    quotes = telling_lines(texts, limit=_SMALL_QUOTES)
    # What a small model may suggest is what the runbook that it is shown says.
    shown = question.runbooks[:1]
    commands = [entry.command for runbook in shown for entry in runbook.commands]
    steps = [fix for runbook in shown for fix in runbook.fixes]
    return narrow_schema(quotes=quotes, commands=commands, steps=steps)


def _system(question: Question, target: Target) -> str:
    has_schema = target.structured is StructuredOutput.JSON_SCHEMA
    if target.small:
        form = "" if has_schema else prompt_texts.SMALL_MARKDOWN_FORM
        return f"{prompt_texts.SMALL_SYSTEM}{form}"
    form = prompt_texts.JSON_FORM if has_schema else prompt_texts.MARKDOWN_FORM
    urgent = prompt_texts.URGENT if question.urgent else ""
    return f"{prompt_texts.SYSTEM}{urgent}{form}"


def _request(question: Question, target: Target) -> str:
    if not target.small:
        return prompt_texts.ASK
    return prompt_texts.SMALL_ASK + (prompt_texts.SMALL_ASK_COMMANDS if question.runbooks else "")


def _background(runbooks: Sequence[Runbook], target: Target) -> str:
    if not runbooks:
        return ""
    if target.small:
        return f"{prompt_texts.SMALL_RUNBOOK}\n{_brief(runbooks[0])}"
    return "\n\n".join((prompt_texts.RUNBOOKS, *map(render_full, runbooks)))


def _brief(runbook: Runbook) -> str:
    """What a small model needs of a runbook."""
    lines = (
        runbook.title,
        f"Causes: {' '.join(runbook.causes)}",
        f"Fixes: {' '.join(runbook.fixes)}",
        "Commands:",
        *(f"- {entry.command}" for entry in runbook.commands),
    )
    return "\n".join(lines)[:_SMALL_RUNBOOK_CHARS]


def _fitted(documents: Sequence[Document], room: int, condenser: Condenser) -> tuple[Document, ...]:
    """The documents within ``room`` tokens: short ones whole, long ones share the rest."""
    if sum(estimate_tokens(document.text) for document in documents) * _GROWTH <= room:
        return tuple(documents)
    costs = [_cost(document, room, condenser) for document in documents]
    if sum(costs) <= room:
        return tuple(documents)
    shares = _shares(costs, room)
    return tuple(
        document if cost <= share else _cut(document, share, condenser)
        for document, cost, share in zip(documents, costs, shares, strict=True)
    )


def _cost(document: Document, room: int, condenser: Condenser) -> int:
    """Tokens of a document, masked if that lengthens it; any number above ``room`` if too many."""
    return _tokens(condenser.size(document.text, _bytes(room + 1)))


def _shares(costs: Sequence[int], room: int) -> list[int]:
    """Fair shares: nobody gets more than it needs while another goes short."""
    shares = [0] * len(costs)
    left = room
    for rank, place in enumerate(sorted(range(len(costs)), key=costs.__getitem__)):
        shares[place] = min(costs[place], left // (len(costs) - rank))
        left -= shares[place]
    return shares


def _cut(document: Document, tokens: int, condenser: Condenser) -> Document:
    return Document(document.name, condenser.fitted(document.text, _bytes(tokens)))


def _tokens(size: int) -> int:
    return round(size / _BYTES_PER_TOKEN)


def _bytes(tokens: int) -> int:
    return int(tokens * _BYTES_PER_TOKEN)


def _earlier(
    turns: Sequence[Turn], documents: Sequence[Document], room: int, condenser: Condenser
) -> tuple[Message, ...]:
    """What of the history fits beside the documents."""
    if not turns:
        return ()
    spent = sum(_cost(document, room, condenser) for document in documents)
    return _history(turns, room - spent, condenser)


def _history(turns: Sequence[Turn], room: int, condenser: Condenser) -> tuple[Message, ...]:
    """The latest exchanges that fit, oldest dropped first; the very last one shortened to fit."""
    kept: list[tuple[Turn, Turn]] = []
    left = room
    for asked, answered in reversed(list(_exchanges(turns))):
        cost = estimate_tokens(asked.text) + estimate_tokens(answered.text)
        if cost > left:
            break
        kept.append((asked, answered))
        left -= cost
    if kept:
        return tuple(Message(t.role, t.text) for pair in reversed(kept) for t in pair)
    last = list(_exchanges(turns))[-1:] if room >= _LEAST_HISTORY else []
    most = _bytes(room // 2)
    return tuple(
        Message(turn.role, condenser.fitted(turn.text, most)) for pair in last for turn in pair
    )


def _exchanges(turns: Sequence[Turn]) -> Iterator[tuple[Turn, Turn]]:
    """Questions with their answers; what was never answered is left out."""
    for asked, answered in pairwise(turns):
        if asked.role == "user" and answered.role == "assistant":
            yield asked, answered
