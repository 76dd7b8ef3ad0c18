"""A model's answer under fixed headings -> `Diagnosis`, whatever level, case or bold they have."""

from __future__ import annotations

import re
from collections.abc import Iterator

from faultmaven.models.api import Command, Finding, MissingInformation
from faultmaven.services.diagnosis.command_table import RULES
from faultmaven.services.diagnosis.from_json import safety_of, severity_of
from faultmaven.services.diagnosis.result import AnswerForm, Diagnosis

_SECTIONS = {
    "status": "status",
    "summary": "summary",
    "diagnosis": "summary",
    "root cause": "root_cause",
    "likely root cause": "root_cause",
    "probable root cause": "root_cause",
    "cause": "root_cause",
    "findings": "findings",
    "observations": "findings",
    "evidence": "evidence",
    "next steps": "next_steps",
    "steps": "next_steps",
    "resolution": "next_steps",
    "fix": "next_steps",
    "solution": "next_steps",
    "recommendations": "recommendations",
    "prevention": "recommendations",
    "commands": "commands",
    "missing information": "missing",
    "information needed": "missing",
}
_TELLING = frozenset({"summary", "root_cause", "findings", "missing"})
_LEAST_SECTIONS = 2  # a single heading may be chance
_HEADING_CHARS = 120

_HEADING = re.compile(
    r" {0,3}(?P<level>#{0,6})[ \t]*(?P<number>[0-9]{1,2}[.)][ \t]+)?(?P<bold>[*_]{0,3})"
    r"(?P<name>[A-Za-z][A-Za-z ]{1,30})(?P<colon>[:*_ \t]*)(?P<rest>.*)"
)
_BULLET = re.compile(r"\s*(?:[-*\u2022]|[0-9]{1,2}[.)])[ \t]+(.*)")
_CODE = re.compile(r"`([^`]+)`")
_QUOTED = re.compile('`([^`]+)`|"([^"]{4,})"|\u201c([^\u201c\u201d]+)\u201d')
_SAFETY = re.compile(r"(?i)\(?\*{0,2}\b(read[_ -]only|changes[_ -]state|destructive)\b\*{0,2}\)?")
_SEVERITY = re.compile(r"(?i)\W*\b(info|low|medium|high|critical)\b\W+")
_NOTHING = frozenset({"none", "n/a", "unknown", "not applicable", "nothing", "-", ""})
_TRIM = " \t-:\u2013\u2014*"


def from_markdown(text: str) -> Diagnosis | None:
    """The diagnosis in ``text``, or ``None`` where its headings are none of ours; never raises."""
    sections = _split(text)
    if len(sections) < _LEAST_SECTIONS or not sections.keys() & _TELLING:
        return None
    found = Diagnosis(
        form=AnswerForm.MARKDOWN,
        text=text,
        summary=_prose(sections.get("summary", [])),
        root_cause=_prose(sections.get("root_cause", [])),
        findings=tuple(_findings(sections.get("findings", []))),
        quotes=tuple(_quotes(sections.get("evidence", []))),
        recommendations=tuple(_items(sections.get("recommendations", []))),
        next_steps=tuple(_items(sections.get("next_steps", []))),
        commands=tuple(_commands(sections.get("commands", []))),
        missing=tuple(map(_missing, _items(sections.get("missing", [])))),
        inconclusive="inconclusive" in _prose(sections.get("status", [])).lower(),
    )
    return found if found.is_telling else None


def _split(text: str) -> dict[str, list[str]]:
    """Lines under each heading of ours; what stands under none belongs to nobody."""
    sections: dict[str, list[str]] = {}
    current: list[str] = []
    fenced = False
    for line in text.splitlines():
        fenced ^= line.lstrip().startswith("```")
        heading = None if fenced else _heading(line)
        if heading is None:
            current.append(line)
            continue
        name, rest = heading
        current = sections.setdefault(name, []) if name else []
        current.extend([rest] if rest else [])
    return sections


def _heading(line: str) -> tuple[str, str] | None:
    """Section and rest of the line; an empty section for a heading that is none of ours."""
    match = _HEADING.match(line[:_HEADING_CHARS])
    if match is None:
        return None
    if match["number"] and not (match["level"] or match["bold"]):  # an item of a list
        return None
    section = _SECTIONS.get(match["name"].strip().lower())
    rest = line[match.start("rest") :].strip()
    if section is None:
        return ("", "") if match["level"] else None
    return (section, rest) if ":" in match["colon"] or not rest else None


def _prose(lines: list[str]) -> str:
    text = "\n".join(lines).strip().strip("*").strip()
    return "" if _is_nothing(text) else text


def _items(lines: list[str]) -> Iterator[str]:
    """Bullets, each with the lines that continue it; paragraphs where there are none."""
    item: list[str] = []
    for line in (*lines, ""):
        bullet = _BULLET.fullmatch(line)
        if bullet or not line.strip():
            yield from _whole(item)
            item = [bullet[1]] if bullet else []
        elif not line.lstrip().startswith("```"):
            item.append(line.strip())
    yield from _whole(item)


def _whole(item: list[str]) -> Iterator[str]:
    text = " ".join(item).strip()
    if not _is_nothing(text):
        yield text


def _is_nothing(text: str) -> bool:
    return text.strip(" .*_").lower() in _NOTHING


def _fenced(lines: list[str]) -> tuple[list[str], list[str]]:
    """Lines within code fences, and the others."""
    inside: list[str] = []
    outside: list[str] = []
    fenced = False
    for line in lines:
        if line.lstrip().startswith("```"):
            fenced = not fenced
        else:
            (inside if fenced else outside).append(line)
    return inside, outside


def _quotes(lines: list[str]) -> Iterator[str]:
    """What is in quotes or code, or the whole item."""
    inside, outside = _fenced(lines)
    yield from (line.strip() for line in inside if line.strip())
    for item in _items([line.lstrip().removeprefix(">") for line in outside]):
        spans = [next(filter(None, groups)) for groups in _QUOTED.findall(item)]
        yield from spans or [item.strip("\"'` ")]


def _commands(lines: list[str]) -> Iterator[Command]:
    inside, outside = _fenced(lines)
    for line in inside:
        command = line.strip().removeprefix("$ ").strip()
        if command and not command.startswith("#"):
            yield Command(command=command, description="", safety="read_only")
    for item in _items(outside):
        yield from _command(item)


def _command(item: str) -> Iterator[Command]:
    """The command of an item: what stands in code, or the item if it begins with a known tool."""
    code = _CODE.search(item)
    command = (code[1] if code else item).strip().removeprefix("$ ").strip()
    if not command or (code is None and command.split()[0] not in RULES):
        return
    rest = item[code.end() :] if code else ""
    safety = _SAFETY.search(rest)
    yield Command(
        command=command,
        description=_SAFETY.sub("", rest).strip(_TRIM + "()"),
        safety=safety_of(safety[1]) if safety else "read_only",
    )


def _findings(lines: list[str]) -> Iterator[Finding]:
    for item in _items(lines):
        severity = _SEVERITY.match(item)
        message = item[severity.end() :] if severity else item
        quoted = _QUOTED.search(message)
        yield Finding(
            type="observation",
            message=message.strip(),
            severity=severity_of(severity[1] if severity else ""),
            evidence=next(filter(None, quoted.groups())) if quoted else None,
        )


def _missing(item: str) -> MissingInformation:
    what, how, why, *_ = [part.strip(_TRIM) for part in item.split("|")] + ["", ""]
    return MissingInformation(what=what or item, how=how, why=why)
