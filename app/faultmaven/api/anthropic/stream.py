"""An answer's pieces as whole blocks, one after the other (pure)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

from faultmaven.api.anthropic import events
from faultmaven.api.anthropic.answer import Fields, foreign_signature, is_signed, thinking_block
from faultmaven.models.interfaces import LLMResponse
from faultmaven.models.prompt import Thought
from faultmaven.models.stream import Beginning, Delta, ToolCallPiece

_TEXT, _THINKING, _HIDDEN = "text", "thinking", "hidden"
_EMPTY_TEXT: Fields = {"type": "text", "text": ""}
_EMPTY_THINKING = thinking_block(Thought())


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of one block.

    Attributes:
        key: which block: a kind of which one is open at a time, or the number of a call.
        opening: the block, empty, for whoever has to open it.
        template: how the part is written.
        text: the part.
        last: whether the block is whole with it.
    """

    key: str | int
    opening: Fields
    template: bytes = events.TEXT
    text: str = ""
    last: bool = False


class BlockWriter:
    """Writes blocks, of which Anthropic's streams have one open at a time.

    A part of another block closes the open one, if that can be whole. The arguments of a call
    that are no whole object are not: what comes meanwhile has to wait.
    """

    def __init__(self, signature: str = "") -> None:
        self._signature = signature
        self._index = 0
        self._open: Piece | None = None
        self._arguments: list[str] = []
        self._called: set[int] = set()
        self._waiting: dict[str | int, list[Piece]] = {}

    def write(self, piece: Piece) -> bytes:
        """The events of one more part: none, if it has to wait."""
        written = b""
        if self._is_of_open(piece):
            written = self._part(piece)
        elif not self._waiting and self._is_closable():
            written = self._switched(piece)
        else:
            self._waiting.setdefault(piece.key, []).append(piece)
        return written + self._caught_up() if self._waiting else written

    def more_text(self, text: str) -> bytes:
        """The event of the next part of the open block, if that is text; else nothing."""
        if self._open is None or self._open.key != _TEXT:
            return b""
        return events.piece(events.TEXT, self._index, text)

    def finish(self) -> bytes:
        """The events of all that waits, and the end of the last block."""
        written = []
        while self._waiting:
            written.append(self._next_waiting())
        return b"".join((*written, self._closed()))

    def _is_of_open(self, piece: Piece) -> bool:
        return self._open is not None and self._open.key == piece.key

    def _is_closable(self) -> bool:
        return not (self._open and isinstance(self._open.key, int)) or _is_object(self._arguments)

    def _caught_up(self) -> bytes:
        written = []
        while self._waiting and self._is_closable():
            written.append(self._next_waiting())
        return b"".join(written)

    def _next_waiting(self) -> bytes:
        first, *further = self._waiting.pop(next(iter(self._waiting)))
        return b"".join((self._switched(first), *map(self._part, further)))

    def _switched(self, piece: Piece) -> bytes:
        """The end of the open block and the begin of another, unless that call was over."""
        if isinstance(piece.key, int):
            if piece.key in self._called:
                return b""  # nothing but blanks can follow a whole object
            self._called.add(piece.key)
        closed = self._closed()
        self._open, self._arguments = piece, []
        return closed + events.block_start(self._index, piece.opening) + self._part(piece)

    def _part(self, piece: Piece) -> bytes:
        if not self._is_of_open(piece):
            return self._switched(piece)
        if isinstance(piece.key, int):
            self._arguments.append(piece.text)
        written = events.piece(piece.template, self._index, piece.text) if piece.text else b""
        return written + self._stopped() if piece.last else written

    def _closed(self) -> bytes:
        """The end of the open block; thoughts that nobody signed bear our own mark."""
        if self._open is None:
            return b""
        unsigned = self._open.key == _THINKING
        mark = events.piece(events.SIGNATURE, self._index, self._signature) if unsigned else b""
        return mark + self._stopped()

    def _stopped(self) -> bytes:
        self._open = None
        self._index += 1
        return events.block_stop(self._index - 1)


@dataclass(slots=True)
class AnswerEvents:
    """One answer as a stream of events.

    Attributes:
        message_id: what the answer is called.
        shows_thoughts: whether the caller wants to read what the model thinks.
    """

    message_id: str
    shows_thoughts: bool
    _blocks: BlockWriter = field(default_factory=BlockWriter, init=False)
    _begun: bool = field(default=False, init=False)
    _heard: bool = field(default=False, init=False)
    _aloud: bool = field(default=False, init=False)  # thoughts were told since the last were signed

    def begin(self, beginning: Beginning) -> bytes:
        """Who answers is known."""
        self._begun = True
        self._blocks = BlockWriter(foreign_signature(beginning.provider))
        return events.message_start(beginning.model, self.message_id)

    def delta(self, delta: Delta) -> bytes:
        """The next piece is there; nothing comes of what the caller does not get to see."""
        self._heard = True
        if delta.text and not (delta.reasoning or delta.thought or delta.tool_calls):
            return self._text(delta.text)
        return b"".join(map(self._blocks.write, self._pieces(delta)))

    def end(self, answer: LLMResponse) -> bytes:
        """The answer is whole; what was not heard of it, because it came at once, is told now."""
        begun = b"" if self._begun else self.begin(Beginning(answer.provider, answer.model))
        told = b"" if self._heard else b"".join(map(self.delta, _deltas(answer)))
        return b"".join((begun, told, self._blocks.finish(), events.message_end(answer)))

    def _text(self, text: str) -> bytes:
        """Text alone, as most pieces are."""
        piece = self._blocks.more_text(text)
        return piece or self._blocks.write(Piece(_TEXT, _EMPTY_TEXT, text=text))

    def _pieces(self, delta: Delta) -> Iterator[Piece]:
        if delta.reasoning and self.shows_thoughts:
            self._aloud = True
            yield _thinking(events.THINKING, delta.reasoning)
        if delta.thought is not None and is_signed(delta.thought):
            yield from self._signed(delta.thought)
        if delta.text:
            yield Piece(_TEXT, _EMPTY_TEXT, text=delta.text)
        yield from map(_tool_piece, delta.tool_calls)

    def _signed(self, thought: Thought) -> Iterator[Piece]:
        if thought.hidden:
            yield Piece(_HIDDEN, thinking_block(thought), last=True)
            return
        if thought.text and not self._aloud:
            yield _thinking(events.THINKING, thought.text)
        self._aloud = False
        yield _thinking(events.SIGNATURE, thought.signature, last=True)


def _thinking(template: bytes, text: str, *, last: bool = False) -> Piece:
    return Piece(_THINKING, _EMPTY_THINKING, template, text, last)


def _tool_piece(piece: ToolCallPiece) -> Piece:
    block: Fields = {"type": "tool_use", "id": piece.id, "name": piece.name, "input": {}}
    return Piece(piece.index, block, events.ARGUMENTS, piece.arguments)


def _is_object(arguments: list[str]) -> bool:
    """Whether the parts are a whole JSON object, so that nothing can follow."""
    last = next((part.rstrip() for part in reversed(arguments) if part.strip()), "")
    if not last.endswith("}"):
        return False
    try:
        json.loads("".join(arguments))
    except ValueError:
        return False
    return True


def _deltas(answer: LLMResponse) -> Iterator[Delta]:
    """A whole answer as the pieces that it could have come in."""
    signed = [thought for thought in answer.thoughts if is_signed(thought)]
    yield from (Delta(thought=thought) for thought in signed)
    if answer.reasoning and not signed:
        yield Delta(reasoning=answer.reasoning)
    yield Delta(text=answer.content)
    for place, call in enumerate(answer.tool_calls):
        piece = ToolCallPiece(place, call.id, call.name, call.arguments)
        yield Delta(tool_calls=(piece,))
