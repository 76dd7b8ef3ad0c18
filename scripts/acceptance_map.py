#!/usr/bin/env python3
"""Write into docs/acceptance.md which tests prove which promise.

A test proves a promise by naming its row in its docstring: "… (S12)" or "… (S12, S13)". The
table's first two columns are written by hand, the third by this script:

    scripts/acceptance_map.py            write the table anew
    scripts/acceptance_map.py --check    only say whether it is up to date and whole
"""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

PROJECT = Path(__file__).parents[1]
TABLE = PROJECT / "docs" / "acceptance.md"
LATER = frozenset({"S43", "S80", "S81", "S102", "S103", "S104"})
"""Promises about reloading and behaviour under load, which need no test yet."""

_GROUP = re.compile(r"\((?:[SC]\d+,\s*)*[SC]\d+\)")
_ROW = re.compile(r"\| (?P<row>S\d+) \| (?P<promise>[^|]+) \|")

Proofs = Mapping[str, Sequence[str]]
"""Tests, as ``file::name``, by the row they prove."""


def rows_named(docstring: str) -> set[str]:
    """The rows that a docstring names in parentheses."""
    groups = " ".join(_GROUP.findall(docstring))
    return set(re.findall(r"S\d+", groups))


def tests_of(file: Path) -> Iterator[tuple[str, str]]:
    """Each test of a file: its name and its docstring."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith(
            "test_"
        ):
            yield node.name, ast.get_docstring(node) or ""


def find_proofs() -> Proofs:
    """Which tests prove which row, over the whole of ``tests``."""
    proofs: dict[str, list[str]] = defaultdict(list)
    for file in sorted((PROJECT / "tests").rglob("test_*.py")):
        for name, docstring in tests_of(file):
            for row in rows_named(docstring):
                proofs[row].append(f"{file.relative_to(PROJECT).as_posix()}::{name}")
    return proofs


def cell(tests: Sequence[str]) -> str:
    """The tests of one row, by file."""
    by_file: dict[str, list[str]] = defaultdict(list)
    for test in tests:
        file, _, name = test.partition("::")
        by_file[file].append(f"`{name}`")
    return "<br>".join(f"{file}: {', '.join(names)}" for file, names in sorted(by_file.items()))


def written(text: str, proofs: Proofs) -> str:
    """The document with its third column written anew."""
    lines = []
    for line in text.splitlines():
        found = _ROW.match(line)
        if found is None:
            lines.append(line)
            continue
        tests = cell(proofs.get(found["row"], ()))
        none = "later" if found["row"] in LATER else "none"
        lines.append(f"| {found['row']} | {found['promise']} | {tests or none} |")
    return "\n".join(lines) + "\n"


def complaints(text: str, proofs: Proofs) -> list[str]:
    """What is wrong with the document or the tests, one sentence each."""
    rows = [found["row"] for found in map(_ROW.match, text.splitlines()) if found]
    unproven = [row for row in rows if row not in proofs and row not in LATER]
    unknown = sorted(set(proofs) - set(rows))
    found = [f"{row}: no test names it" for row in unproven]
    found += [f"{row}: tests name it, the table does not have it" for row in unknown]
    if written(text, proofs) != text:
        found.append("docs/acceptance.md is out of date: run scripts/acceptance_map.py")
    return found


def main(arguments: Sequence[str]) -> int:
    """Write or check the table; 0 if nothing is wrong with it afterwards."""
    proofs = find_proofs()
    if "--check" not in arguments:
        TABLE.write_text(written(TABLE.read_text(encoding="utf-8"), proofs), encoding="utf-8")
    wrong = complaints(TABLE.read_text(encoding="utf-8"), proofs)
    sys.stdout.writelines(f"{complaint}\n" for complaint in wrong)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
