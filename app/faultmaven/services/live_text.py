"""What a model writes, as a person can read it, while it is being written (pure).

A model that can be held to a schema answers in JSON; that is written out as the sections the
finished answer has. Whatever else comes is a text for people already, and passes as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from faultmaven.models.api import Evidence
from faultmaven.services.diagnosis.from_json import FIELDS, field_name
from faultmaven.services.diagnosis.result import AnswerForm, Diagnosis
from faultmaven.services.diagnosis.to_markdown import to_markdown
from faultmaven.services.live_json import JsonFields
from faultmaven.services.live_prose import LiveProse
from faultmaven.services.live_sections import IDesk, LiveSections

# An object at the start of a line, fenced or not; white space is bounded, as all is that waits.
_OBJECT = re.compile(
    r"[ \t]{0,8}(?:```[A-Za-z]{0,10}[ \t]{0,8}\r?\n\s{0,40})?"
    r'(?P<object>\{\s{0,40}"(?:(?P<name>[^"\\\n]{0,40})")?)'
)
_PERHAPS_OBJECT = re.compile(
    r"[ \t]{0,8}(?:`{1,2}|```[A-Za-z]{0,10}[ \t]{0,8}\r?(?:\n\s{0,40})?)?"
    r'(?:\{\s{0,40}(?:"[^"\\\n]{0,40})?)?\Z'
)
# Logs are JSON, too, and have names such as ``status`` and ``commands`` in them.
_OURS_ONLY = FIELDS - {"status", "commands"}


class LiveText:
    """Translates one answer piece by piece; what it gave is never taken back.

    However the answer is cut into pieces, they add up to the same text. It holds neither
    terminal codes nor invisible characters. Linear in the length of the answer.

    Args:
        desk: what evidence and commands are judged by.
    """

    def __init__(self, desk: IDesk) -> None:
        self._desk = desk
        self._held = ""  # the start of a line that may be an object's
        self._at_line_start = True
        self._prose = LiveProse()
        self._json: JsonFields | None = None
        self._sections = LiveSections(desk)

    def feed(self, piece: str) -> str:
        """What a person reads of this piece."""
        if self._json is not None:
            return self._sections.write(self._json.feed(piece))
        return "".join(map(self._take, piece.splitlines(keepends=True)))

    def end(self) -> str:
        """What waited for more: nothing more comes."""
        if self._json is not None:
            return self._sections.end()
        held, self._held = self._held, ""
        return self._prose.feed(held, ended=True)

    def rest(self, diagnosis: Diagnosis, evidence: Sequence[Evidence]) -> str:
        """What the finished answer has that was not shown; once, after the end."""
        if diagnosis.form in {AnswerForm.MARKDOWN, AnswerForm.FREE}:
            shown = self._prose.begun or self._sections.begun
            return "" if shown else to_markdown(diagnosis, evidence)
        if self._json is None:
            self._sections = LiveSections(self._desk, preface=self._prose.begun)
        return self._sections.rest(diagnosis, evidence)

    def _take(self, piece: str) -> str:
        """What a piece adds that has a line break at its end at most."""
        self._held += piece
        shown = ""
        while self._held and self._json is None and not (self._at_line_start and self._waits()):
            shown += self._passed()
        if self._json is None:
            return shown
        fields, self._held = self._held, ""
        return shown + self._sections.write(self._json.feed(fields))

    def _waits(self) -> bool:
        """Whether the line is not for passing on: it may turn out to be an object, or does."""
        if not self._prose.begun:
            self._held = self._held.lstrip()
        found = _OBJECT.match(self._held)
        if found and (not self._prose.begun or field_name(found["name"] or "") in _OURS_ONLY):
            self._json = JsonFields()
            self._sections = LiveSections(self._desk, preface=self._prose.begun)
            self._held = self._held[found.start("object") :]
            return True
        return _PERHAPS_OBJECT.match(self._held) is not None

    def _passed(self) -> str:
        line, ending, self._held = self._held.partition("\n")
        self._at_line_start = bool(ending)
        return self._prose.feed(line + ending)
