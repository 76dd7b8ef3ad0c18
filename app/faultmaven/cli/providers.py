"""``faultmaven providers``: who is configured, in which order they are asked."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from faultmaven.cli.console import out, print_json


def providers(
    *, as_json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False
) -> None:
    """Show every provider, the fallback chain and the container's health; asks nobody."""
    from faultmaven.container import container

    container.get_llm_provider()
    registry = container.get_registry()
    status, chain = registry.get_provider_status(), registry.get_fallback_chain()
    health = container.health_check()["status"]
    if as_json:
        print_json({"providers": status, "fallback_chain": chain, "container_health": health})
        return
    out().print("Provider Health Status:", style="bold")
    for name, known in status.items():
        out().print(_line(name, known), markup=False)
    for warning in _warnings(registry.problems, status):
        out().print(f"⚠️ {warning}", style="yellow", markup=False)
    out().print(f"\nFallback Chain: {' → '.join(chain)}", markup=False)
    out().print(f"Container Health: {health}")


def _line(name: str, known: Mapping[str, Any]) -> str:
    availability = "✅" if known["available"] else "❌"
    models = ", ".join(known["models"][:2])
    in_chain = "⚡" if known["in_fallback_chain"] else "⏸️"
    confidence = known["confidence_score"]
    return (
        f"{availability} {name:<12} | Models: {models:<30} | Confidence: {confidence} | {in_chain}"
    )


def _warnings(problems: Sequence[str], status: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    yield from problems
    for name, known in status.items():
        yield from (f"{name}: {warning}" for warning in known["warnings"])
