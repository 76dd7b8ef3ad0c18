"""``faultmaven doctor``: what is wrong with the configuration, and how to mend it."""

from __future__ import annotations

import asyncio
import dataclasses
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from faultmaven.cli.console import err, out, print_json

if TYPE_CHECKING:
    from faultmaven.services.doctor import Finding

_MARKS = {"ok": "✅", "skipped": "⏸️", "warning": "⚠️", "problem": "❌"}
_STYLES = {"ok": "", "skipped": "dim", "warning": "yellow", "problem": "red"}


def doctor(
    *,
    timeout: Annotated[
        float, typer.Option(min=0.1, help="Seconds a provider may take to answer.")
    ] = 10.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Check every configured provider with its free call, and what surrounds the service.

    Ends with exit code 1 when there is a problem; warnings alone do not count.
    """
    findings = _findings(timeout, quiet=as_json)
    healthy = all(finding.severity != "problem" for finding in findings)
    if as_json:
        entries = [dataclasses.asdict(finding) for finding in findings]
        print_json({"healthy": healthy, "findings": entries})
    else:
        _show(findings)
    raise typer.Exit(0 if healthy else 1)


def _findings(timeout: float, *, quiet: bool) -> list[Finding]:
    from faultmaven.container import container
    from faultmaven.errors import ConfigurationError
    from faultmaven.services.doctor import unreadable_configuration

    try:
        service = container.get_doctor()
    except ConfigurationError as error:
        return unreadable_configuration(error)
    if quiet:
        return asyncio.run(service.examine(seconds=timeout))
    with err().status("Asking the providers …"):
        return asyncio.run(service.examine(seconds=timeout))


def _show(findings: Sequence[Finding]) -> None:
    width = max(len(finding.subject) for finding in findings)
    for finding in findings:
        mark, style = _MARKS[finding.severity], _STYLES[finding.severity]
        line = f"{mark} {finding.subject:<{width}}  {finding.message}"
        out().print(line, style=style, markup=False)
        if finding.fix:
            out().print(f"   {'':<{width}}  → {finding.fix}", markup=False)
    counts = Counter(finding.severity for finding in findings)
    problems, warnings = counts["problem"], counts["warning"]
    out().print(f"\n{_count(problems, 'problem')}, {_count(warnings, 'warning')}".capitalize())


def _count(number: int, noun: str) -> str:
    return f"{number or 'no'} {noun}{'' if number == 1 else 's'}"
