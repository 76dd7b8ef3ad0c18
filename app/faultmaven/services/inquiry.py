"""One question in work: writes its prompts, judges its answers, remembers both."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from faultmaven.knowledge.library import Runbook
from faultmaven.models.api import Command, Evidence, TroubleshootRequest
from faultmaven.models.confidence import Signal
from faultmaven.models.interfaces import ISanitizer
from faultmaven.models.prompt import Message, Prompt, Target
from faultmaven.models.session import Turn
from faultmaven.services.condensing import Condenser
from faultmaven.services.diagnosis import (
    Diagnosis,
    Source,
    Sources,
    judge,
    read_diagnosis,
    to_markdown,
)
from faultmaven.services.diagnosis.settling import (
    grounded,
    known_commands,
    settle,
    settled_command,
)
from faultmaven.services.prompts import Document, Question, Written, write_prompt
from faultmaven.services.trouble import announces_trouble

_DEFAULT_ANSWER_TOKENS = 1_024
_LOG_LINES = 5  # a query of that many lines has a log in it
# Bytes kept for the session's later turns.
_KEPT_QUERY, _KEPT_ATTACHMENT = 64_000, 4_000
_URGENT = frozenset({"high", "critical"})
_ANYBODY = Target(provider="", model="")


@dataclass(frozen=True, slots=True)
class Reading:
    """An answer, taken apart, with its evidence looked up."""

    diagnosis: Diagnosis
    evidence: tuple[Evidence, ...]

    @property
    def markdown(self) -> str:
        """The answer for a person."""
        return to_markdown(self.diagnosis, self.evidence)


class Inquiry:
    """Everything that is known about one question, for as long as it is being answered.

    Args:
        request: what was asked.
        sanitizer: cleans the texts, and masks what is kept or cut.
        runbooks: what may fit, best first.
        history: the session's earlier turns, oldest first.
        masks: whether every prompt is masked here, because nobody below does it.
        condenser: cuts texts that are too long; one that has seen them already saves the work.

    Attributes:
        query: what was asked, without what nobody sees.
        material_chars: characters of all that was sent.
        has_signs: whether anything of it may be the sign of a fault.
    """

    def __init__(
        self,
        request: TroubleshootRequest,
        *,
        sanitizer: ISanitizer,
        runbooks: Sequence[Runbook] = (),
        history: Sequence[Turn] = (),
        masks: bool = False,
        condenser: Condenser | None = None,
    ) -> None:
        documents = _documents(request, sanitizer)
        self.query = documents[-1].text
        self.material_chars = sum(len(document.text) for document in documents)
        self._attachments = documents[: len(request.attachments)]
        self._has_logs = bool(request.attachments) or self.query.count("\n") >= _LOG_LINES - 1
        self.has_signs = any(announces_trouble(document.text) for document in documents)
        self._masks = masks
        self._mask = sanitizer.mask
        self._condenser = condenser or Condenser(sanitizer.mask)
        self.verify = Sources(_sources(documents, history), mask=sanitizer.mask).verify
        self._commands = known_commands(runbooks)
        self._question = Question(
            documents=documents,
            runbooks=tuple(runbooks),
            history=tuple(history),
            urgent=request.priority in _URGENT,
            answer_tokens=request.max_tokens or _DEFAULT_ANSWER_TOKENS,
        )
        # Both are asked for again at each retry and fallback.
        self._prompts: dict[Target, Written] = {}
        self._readings: dict[str, Reading] = {}

    def render(self, target: Target) -> Prompt:
        """The prompt for ``target``."""
        if target not in self._prompts:
            self._prompts[target] = self._write(target)
        return self._prompts[target].prompt

    def read(self, text: str) -> Reading:
        """An answer, taken apart."""
        if text not in self._readings:
            self._readings[text] = self._read(text)
        return self._readings[text]

    def assess(self, text: str, target: Target) -> tuple[Signal, ...]:
        """What an answer's form and evidence say about its confidence."""
        reading = self.read(text)
        return judge(reading.diagnosis, reading.evidence, has_logs=self._has_logs, target=target)

    def settled(self, command: Command) -> Command:
        """A command with its description and its safety as we stand by them."""
        return settled_command(command, self._commands)

    def was_shortened(self, provider: str, model: str) -> bool:
        """Whether the model did not get the whole material."""
        return any(
            written.shortened
            for target, written in self._prompts.items()
            if target == _ANYBODY or (target.provider, target.model) == (provider, model)
        )

    def plain_prompt(self) -> str:
        """The whole prompt as one text, for a provider that takes nothing else."""
        messages = self.render(_ANYBODY).messages
        return "\n\n".join(message.text for message in messages)

    def turn(self) -> str:
        """What the session keeps of the question: masked, and of long texts what tells most."""
        fitted = self._condenser.fitted
        extracts = (
            f"[{document.name}]\n{fitted(document.text, _KEPT_ATTACHMENT)}"
            for document in self._attachments
        )
        return self._mask("\n\n".join((fitted(self.query, _KEPT_QUERY), *extracts)))

    def _write(self, target: Target) -> Written:
        written = write_prompt(self._question, target, self._condenser)
        if not self._masks:
            return written
        messages = tuple(self._masked(message) for message in written.prompt.messages)
        return replace(written, prompt=replace(written.prompt, messages=messages))

    def _masked(self, message: Message) -> Message:
        return replace(message, text=self._mask(message.text))

    def _read(self, text: str) -> Reading:
        diagnosis = grounded(read_diagnosis(text), has_signs=self.has_signs)
        cited = (finding.evidence for finding in diagnosis.findings if finding.evidence)
        evidence = self.verify((*diagnosis.quotes, *cited))
        settled = settle(diagnosis, evidence, query=self.query, runbooks=self._question.runbooks)
        return Reading(settled, evidence)


def _documents(request: TroubleshootRequest, sanitizer: ISanitizer) -> tuple[Document, ...]:
    """Attachments, context and the query, without what nobody sees."""
    attachments = (
        Document(f"attachment:{sanitizer.clean(a.name)}", sanitizer.clean(a.content))
        for a in request.attachments
    )
    query = Document("query", sanitizer.clean(request.query))
    if not request.context:
        return (*attachments, query)
    context = sanitizer.clean(json.dumps(request.context, ensure_ascii=False, indent=1))
    return (*attachments, Document("context", context), query)


def _sources(documents: Sequence[Document], history: Sequence[Turn]) -> tuple[Source, ...]:
    """Where quotes are looked for: the query first, what was said earlier last."""
    ordered = sorted(documents, key=lambda document: document.name != "query")
    said = "\n".join(turn.text for turn in history if turn.role == "user")
    current = (Source(d.name, d.text, has_lines=d.name != "context") for d in ordered)
    return (*current, Source("session", said, has_lines=False))
