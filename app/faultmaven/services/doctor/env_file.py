"""What is wrong with a ``.env`` file, before anything reads values from it. Never shows a value."""

from __future__ import annotations

import difflib
import io
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

from dotenv.parser import Binding, parse_stream

from faultmaven.services.doctor.finding import Finding

_SUBJECT = "environment"
_TYPOGRAPHIC_QUOTES = ("\u201c", "\u201d", "\u201e", "\u2018", "\u2019", "\u00ab", "\u00bb")
_MISSPELT = 0.9  # difflib's ratio from which a name passes for a misspelling of a known one


def examine_env_file(path: Path, known: Collection[str]) -> list[Finding]:
    """Read the file as the service does and say what would be lost or misread.

    Args:
        path: the file; a missing one is fine.
        known: names of variables that mean something to the service.
    """
    if not path.exists():
        return [Finding("skipped", _SUBJECT, f"There is no {path.name} file here.")]
    try:
        bindings = list(parse_stream(io.StringIO(path.read_text(encoding="utf-8-sig"))))
    except UnicodeDecodeError:
        fix = "Save it as UTF-8 (in Windows' Notepad: Save as, encoding UTF-8)."
        return [Finding("problem", _SUBJECT, f"{path.name} is not UTF-8 text.", fix)]
    except OSError as error:
        fix = "Check that it is a file and may be read."
        return [Finding("problem", _SUBJECT, f"{path.name} cannot be read: {error.strerror}.", fix)]
    found = [*_broken_lines(path, bindings), *_doubtful_names(path, bindings, known)]
    return found or [Finding("ok", _SUBJECT, f"{path.name} is well-formed.")]


def _broken_lines(path: Path, bindings: list[Binding]) -> Iterator[Finding]:
    for binding in bindings:
        where = f"{path.name}, line {binding.original.line}"
        value = (binding.value or "").strip()
        if binding.error:
            fix = 'Write NAME="value" on one line, with quotes in pairs.'
            yield Finding("problem", _SUBJECT, f"{where} cannot be understood.", fix)
        elif binding.key and value.startswith(_TYPOGRAPHIC_QUOTES):
            message = f"{where}: {binding.key} has typographic quotes, which become its value."
            yield Finding("problem", _SUBJECT, message, 'Use straight quotes: "value".')


def _doubtful_names(
    path: Path, bindings: list[Binding], known: Collection[str]
) -> Iterator[Finding]:
    times = Counter(binding.key for binding in bindings if binding.key)
    for name, count in times.items():
        if count > 1:
            message = f"{path.name} sets {name} {count} times; the last one counts."
            yield Finding("warning", _SUBJECT, message, "Remove the others.")
        near = [] if name in known else difflib.get_close_matches(name, known, 1, _MISSPELT)
        if near:
            message = f"{path.name} sets {name}, which means nothing to this service."
            yield Finding("warning", _SUBJECT, message, f"Did you mean {near[0]}?")
