"""What a caller asks, checked before anything else sees it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from faultmaven.models.credentials import mask_credentials
from faultmaven.models.examples import REQUEST
from faultmaven.models.faults import fault
from faultmaven.models.plain_text import first_unfit, is_blank, strip_terminal_codes

MAX_QUERY_CHARS = 6_000_000
MAX_ATTACHMENTS = 20
MAX_ATTACHMENT_CHARS = 6_000_000
MAX_TOTAL_CHARS = 12_000_000
MAX_CONTEXT_CHARS = 200_000
MAX_CONTEXT_VALUES = 10_000
MAX_CONTEXT_DEPTH = 20
MAX_UNKNOWN_FIELDS = 50

_SESSION_ID = re.compile(r"[\w.:@/+=~-]+")
_NAME = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_PRINTABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")
_TYPO = 0.75  # difflib's ratio from which a field's name passes for a misspelling


def _log_text(text: str) -> str:
    """The text without terminal escapes; any other control character is refused."""
    stripped = strip_terminal_codes(text)
    unfit = first_unfit(stripped)
    if unfit is not None:
        raise fault(
            f"contains U+{ord(unfit):04X}, which is no printable text",
            fix="Remove control characters; tab, line breaks and colour codes are fine.",
        )
    return stripped


def _not_blank(text: str) -> str:
    if is_blank(text):
        raise fault("must not be blank", fix="Say what is wrong, or paste the log.")
    return text


def _session_name(text: str) -> str:
    if not _SESSION_ID.fullmatch(text):
        raise fault(
            "may hold letters, digits and . _ : @ / + = ~ - only",
            fix="Use a UUID or a short name.",
        )
    return text


def _one_line(text: str) -> str:
    if is_blank(text) or first_unfit(text) or len(text.splitlines()) != 1:
        raise fault("must be one line of visible text", fix="Use a plain file name.")
    return text


def _provider_name(text: str) -> str:
    name = text.strip().lower()
    if not _NAME.fullmatch(name):
        raise fault(
            "is not a provider's name", fix="GET /api/v1/providers lists the configured ones."
        )
    return name


def _model_name(text: str) -> str:
    if any(character.isspace() or not character.isprintable() for character in text):
        raise fault("must not hold white space", fix="Copy the name from the vendor's list.")
    return text


def _distinct(names: list[str]) -> list[str]:
    if len(set(names)) != len(names):
        raise fault("names a provider twice", fix="Name each provider once.")
    return names


def _bounded(context: dict[str, Any]) -> dict[str, Any]:
    """The context if it is neither too deep nor too large; walks without recursion."""
    pending: list[tuple[Any, int]] = [(context, 1)]
    chars = values = 0
    while pending:
        value, depth = pending.pop()
        children = _children(value)
        if children and depth > MAX_CONTEXT_DEPTH:
            raise fault(f"is nested deeper than {MAX_CONTEXT_DEPTH} levels", fix="Flatten it.")
        pending.extend((child, depth + 1) for child in children)
        chars += len(_log_text(value)) if isinstance(value, str) else 0
        values += 1
        if chars > MAX_CONTEXT_CHARS or values + len(pending) > MAX_CONTEXT_VALUES:
            raise fault(
                f"holds over {MAX_CONTEXT_VALUES:,} values or {MAX_CONTEXT_CHARS:,} characters",
                fix="Send long texts as attachments.",
            )
    return context


def _children(value: Any) -> list[Any]:
    """What is one level down, an object's names included."""
    if isinstance(value, dict):
        return [*value, *value.values()]
    return value if isinstance(value, list) else []


LogText = Annotated[str, AfterValidator(_log_text)]
ProviderName = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(_provider_name)]


class Attachment(BaseModel):
    """A file that belongs to the question, such as a log."""

    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)

    name: Annotated[str, Field(min_length=1, max_length=255), AfterValidator(_one_line)] = Field(
        description="File name, shown as the source of evidence."
    )
    content: Annotated[LogText, Field(max_length=MAX_ATTACHMENT_CHARS)] = Field(
        description=(
            "The text. Colour codes are stripped; other control characters but tab and line "
            "breaks are refused."
        )
    )


class TroubleshootRequest(BaseModel):
    """One troubleshooting question.

    A field this service does not know is ignored and named in the answer's ``warnings``, unless
    it looks like a misspelling of one it knows: that is refused, because it would be lost.
    """

    model_config = ConfigDict(
        strict=True, extra="allow", json_schema_extra={"example": REQUEST}, defer_build=True
    )

    session_id: Annotated[
        str, Field(min_length=1, max_length=128), AfterValidator(_session_name)
    ] = Field(description="Conversation this belongs to; created on first use.")
    query: Annotated[LogText, Field(max_length=MAX_QUERY_CHARS), AfterValidator(_not_blank)] = (
        Field(description="What is wrong, in your words, logs included if you like.")
    )
    context: Annotated[dict[str, Any], AfterValidator(_bounded)] = Field(
        default_factory=dict,
        description="Facts such as service, environment or versions; at most 20 levels deep.",
    )
    attachments: Annotated[list[Attachment], Field(max_length=MAX_ATTACHMENTS)] = Field(
        default_factory=list, description="Logs and configuration files, as text."
    )
    priority: Literal["low", "normal", "high", "critical"] = Field(
        default="normal",
        description="From high on, the answer puts restoring service before finding the cause.",
    )
    provider: ProviderName | None = Field(
        default=None, description="Ask this provider only; see GET /api/v1/providers."
    )
    providers: (
        Annotated[list[ProviderName], Field(min_length=1, max_length=20), AfterValidator(_distinct)]
        | None
    ) = Field(default=None, description="Ask these providers only, in this order.")
    model: (
        Annotated[str, Field(min_length=1, max_length=256), AfterValidator(_model_name)] | None
    ) = Field(
        default=None, description="Model to use, at the provider it belongs to; others use theirs."
    )
    max_tokens: Annotated[int, Field(ge=1, le=131_072)] | None = Field(
        default=None, description="Most tokens the answer may have."
    )
    temperature: Annotated[float, Field(ge=0, le=2, allow_inf_nan=False)] | None = Field(
        default=None, description="Sampling temperature; left out where a model refuses it."
    )
    confidence_threshold: Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)] | None = Field(
        default=None, description="The first answer at least this sure wins; 0 takes any."
    )
    require_confidence: bool = Field(
        default=False, description="Fail with 503 rather than answer below the threshold."
    )
    deadline_ms: Annotated[int, Field(ge=1, le=3_600_000)] | None = Field(
        default=None,
        description="Milliseconds until you need the answer; capped by the service's own limit.",
    )
    max_cost_usd: Annotated[float, Field(ge=0, le=1_000, allow_inf_nan=False)] | None = Field(
        default=None, description="No further provider is asked once this much has been spent."
    )
    stream: bool | None = Field(
        default=None,
        description=(
            "true: the answer comes as server-sent events while it is written; false: whole; "
            "null: as the Accept header says."
        ),
    )

    @model_validator(mode="before")
    @classmethod
    def _no_misspelt_field(cls, data: Any) -> Any:
        """Refuse a field whose name is nearly one of ours."""
        if not isinstance(data, Mapping):
            return data
        known = [name for name in cls.model_fields if name not in data]
        unknown = [name for name in data if name not in cls.model_fields]
        if len(unknown) > MAX_UNKNOWN_FIELDS:
            raise fault(
                f"holds more than {MAX_UNKNOWN_FIELDS} fields that this service does not know",
                fix="Send facts of your own inside context.",
                field="body",
            )
        for name in unknown:
            near = _near(name, known)
            if near is not None:
                raise fault(
                    "is not a field of this request",
                    fix=f"Did you mean {near}?",
                    field=_shown(name),
                )
        return data

    @model_validator(mode="after")
    def _bounded_together(self) -> TroubleshootRequest:
        """Refuse what is each in bounds and together too much, or says two things at once."""
        if self.chars > MAX_TOTAL_CHARS:
            raise fault(
                f"and query hold more than {MAX_TOTAL_CHARS:,} characters together",
                fix="Send the part around the fault.",
                field="attachments",
            )
        if self.provider is not None and self.providers is not None:
            raise fault("and provider exclude each other", fix="Send one.", field="providers")
        return self

    @property
    def chars(self) -> int:
        """Characters of query and attachments together."""
        return len(self.query) + sum(len(a.content) for a in self.attachments)

    @property
    def ignored_fields(self) -> tuple[str, ...]:
        """Names that were sent and mean nothing here, fit to be shown."""
        return tuple(_shown(name) for name in self.model_extra or {})

    @property
    def chain(self) -> tuple[str, ...]:
        """Providers the caller narrows the chain to; empty for all."""
        return (self.provider,) if self.provider else tuple(self.providers or ())


def _near(name: object, known: list[str]) -> str | None:
    folded = str(name)[:64].lower().replace("-", "_")
    return next(iter(difflib.get_close_matches(folded, known, n=1, cutoff=_TYPO)), None)


def _shown(name: object) -> str:
    """The name if it looks like one; else words, because anything may be sent as a name."""
    text = str(name)
    fit = _PRINTABLE_NAME.fullmatch(text) and mask_credentials(text) == text
    return text if fit else "(unprintable name)"
