"""``faultmaven drill``: which failures of its providers the configured chain survives."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Iterator
from itertools import groupby
from typing import TYPE_CHECKING, Annotated

import typer

from faultmaven.cli.console import err, out, print_json

if TYPE_CHECKING:
    from faultmaven.services.drill import Case, Report, Seen

_ERROR_CHARS = 240


def drill(
    *,
    timeout: Annotated[
        float, typer.Option(min=0.1, max=60, help="Seconds a silent provider is waited for.")
    ] = 1.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Let the providers of the chain fail, on this machine, and see what callers get.

    No vendor is contacted and no token is spent: servers on loopback stand in for the providers.
    Ends with exit code 0 when every fault of one provider is survived.
    """
    report = _report(timeout, quiet=as_json)
    if as_json:
        _print(report)
    else:
        _show(report)
    raise typer.Exit(0 if report.survives_one else 1)


def _report(timeout: float, *, quiet: bool) -> Report:
    from faultmaven.container import container

    service = container.get_drill()
    if quiet:
        return asyncio.run(service.run(seconds=timeout))
    with err().status("Letting the providers fail …"):
        return asyncio.run(service.run(seconds=timeout))


def _print(report: Report) -> None:
    cases = [{**dataclasses.asdict(case), "survived": case.survived} for case in report.cases]
    print_json({"survives_one": report.survives_one, **dataclasses.asdict(report), "cases": cases})


def _show(report: Report) -> None:
    out().print(f"Fallback chain: {' → '.join(report.chain) or '(empty)'}", markup=False)
    for failing, cases in groupby(report.cases, key=lambda case: case.failing):
        out().print(f"\nFailing: {', '.join(failing)}", style="bold", markup=False)
        for line in _table(list(cases)):
            out().print(line, markup=False)
    _show_last_words(report)
    for name in report.left_out:
        line = f"⏸️ {name} was left out: its code does its own network and might reach a vendor."
        out().print(f"\n{line}", markup=False)
    verdict = "survived" if report.survives_one else "not survived"
    mark = "✅" if report.survives_one else "❌"
    out().print(f"\n{mark} Every fault of one provider: {verdict}", markup=False)
    if report.advice:
        out().print(f"→ {report.advice}", markup=False)


def _table(cases: list[Case]) -> Iterator[str]:
    rows = [(_mark(case), case.fault, _cell(case.plain), _cell(case.stream)) for case in cases]
    fault = max(len(row[1]) for row in rows)
    plain = max(len(row[2]) for row in rows)
    for mark, name, first, second in rows:
        yield f"{mark} {name:<{fault}}  plain: {first:<{plain}}  stream: {second}"


def _mark(case: Case) -> str:
    return "✅" if case.survived else "❌"


def _cell(seen: Seen | None) -> str:
    if seen is None:
        return "-"
    if seen.outcome == "answered":
        return f"{seen.provider} after {seen.switch_ms:.0f} ms, {len(seen.attempts)} attempts"
    if seen.outcome == "told":
        return "part of an answer, then an error that says so"
    return f"an error after {seen.total_ms:.0f} ms"


def _show_last_words(report: Report) -> None:
    """What callers are told when nobody is left."""
    lost = [case for case in report.cases if len(case.failing) == len(report.chain)]
    if lost:
        out().print("\nWhat a caller is told when nobody is left:", style="bold")
    for case in lost:
        said = (case.plain or case.stream).error or "the answer itself"
        out().print(f"   {case.fault}: {_short(said)}", markup=False)


def _short(text: str) -> str:
    return text if len(text) <= _ERROR_CHARS else f"{text[:_ERROR_CHARS]} …"
