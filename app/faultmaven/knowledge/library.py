"""Runbooks: what they say, how they are read from their files, how they are shown.

A runbook is one TOML file in ``runbooks/``, named after its id. Its commands are complete shell
lines for an operator with sufficient rights; what must be filled in stands in angle brackets.
Reading is strict: a slip in a runbook must fail a test, not mislead an operator.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Annotated, ClassVar

from annotated_types import MinLen
from pydantic import ConfigDict, StringConstraints, TypeAdapter, ValidationError

from faultmaven.errors import ConfigurationError
from faultmaven.models.api import Safety

__all__ = [
    "MissingItem",
    "Runbook",
    "RunbookCommand",
    "RunbookError",
    "load_runbooks",
    "render_compact",
    "render_full",
]

Line = Annotated[str, StringConstraints(pattern=r"^\S([^\r\n]*\S)?$")]
"""One line of text without spaces around it."""

Lines = Annotated[tuple[Line, ...], MinLen(1)]

_STRICT = ConfigDict(extra="forbid")


class RunbookError(ConfigurationError):
    """A runbook file is wrong; the message names the file and the field."""


@dataclass(frozen=True, slots=True)
class RunbookCommand:
    """One shell line of a runbook.

    Attributes:
        command: the line; what must be filled in stands as ``<name-of-it>``.
        description: what it shows or does, as one sentence.
        safety: ``read_only`` observes; ``changes_state`` alters something that can be altered
            back; ``destructive`` loses data, work or availability.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    command: Line
    description: Line
    safety: Safety


@dataclass(frozen=True, slots=True)
class MissingItem:
    """Something to collect when the cause is not clear: what, and how to get it."""

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    what: Line
    how: Line


@dataclass(frozen=True, slots=True)
class Runbook:
    """What to know and do about one common fault.

    Attributes:
        id: name of the file without its ending; starts with the area.
        title: the fault in a few words.
        area: technology it belongs to, such as ``kubernetes`` or ``tls``.
        symptoms: words of error messages as they stand in logs.
        causes: what is behind it, the likeliest first.
        checks: what to look at to tell the causes apart.
        fixes: what to do about it.
        commands: the only commands to suggest for it.
        missing: what to collect when the cause stays unclear.
        general: it is about a symptom that many faults share, such as a crash loop; a runbook
            about the fault behind it goes first.
    """

    __pydantic_config__: ClassVar[ConfigDict] = _STRICT

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)+$")]
    title: Line
    area: Annotated[str, StringConstraints(pattern=r"^[a-z]+$")]
    symptoms: Lines
    causes: Lines
    checks: Lines
    fixes: Lines
    commands: Annotated[tuple[RunbookCommand, ...], MinLen(1)]
    missing: Annotated[tuple[MissingItem, ...], MinLen(1)]
    general: bool = False


def load_runbooks(folder: Traversable | None = None) -> tuple[Runbook, ...]:
    """Read every runbook of ``folder`` (by default the packaged ones), ordered by id.

    Raises:
        RunbookError: a file is not TOML, lacks a field, has an unknown one or a wrong value.
    """
    folder = folder or resources.files("faultmaven.knowledge").joinpath("runbooks")
    files = sorted(
        (file for file in folder.iterdir() if file.name.endswith(".toml")),
        key=lambda file: file.name,
    )
    adapter = TypeAdapter(Runbook)
    return tuple(_read(file, adapter) for file in files)


def _read(file: Traversable, adapter: TypeAdapter[Runbook]) -> Runbook:
    try:
        runbook = adapter.validate_python(tomllib.loads(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise RunbookError(f"{file.name}: {_first_problem(error)}") from error
    except ValueError as error:  # not UTF-8, or not TOML
        raise RunbookError(f"{file.name}: {error}") from error
    if file.name != f"{runbook.id}.toml":
        raise RunbookError(f"{file.name}: id: is {runbook.id!r}, must be the name of the file")
    return runbook


def _first_problem(error: ValidationError) -> str:
    problem = error.errors(include_url=False)[0]
    field = ".".join(str(part) for part in problem["loc"])
    return f"{field}: {problem['msg']}"


def render_compact(runbook: Runbook) -> str:
    """Show what a small model needs, in at most about 1,400 characters."""
    return "\n".join(
        (
            f"{runbook.title} [{runbook.id}]",
            f"Causes: {' '.join(runbook.causes)}",
            f"Checks: {' '.join(runbook.checks)}",
            f"Fixes: {' '.join(runbook.fixes)}",
            "Commands:",
            *(f"- {entry.command}" for entry in runbook.commands),
        )
    )


def render_full(runbook: Runbook) -> str:
    """Show the whole runbook as markdown, in at most about 4,000 characters."""
    return "\n".join(
        (
            f"# {runbook.title} [{runbook.id}]",
            *_section("Seen as", (f"`{symptom}`" for symptom in runbook.symptoms)),
            *_section("Causes", runbook.causes),
            *_section("Checks", runbook.checks),
            *_section("Fixes", runbook.fixes),
            *_section("Commands", (_command_line(entry) for entry in runbook.commands)),
            *_section("If unclear, collect", (f"{m.what}: {m.how}" for m in runbook.missing)),
        )
    )


def _section(heading: str, items: Iterable[str]) -> list[str]:
    return [f"## {heading}", *(f"- {item}" for item in items)]


def _command_line(entry: RunbookCommand) -> str:
    return f"`{entry.command}` ({entry.safety}): {entry.description}"
