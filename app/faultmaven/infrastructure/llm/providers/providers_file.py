"""Rows of ``PROVIDER_SCHEMA`` from a TOML file, for providers added without editing code.

One table a provider, named as the provider is; its fields are those of `ProviderRow`::

    [together]
    provider_class = "OpenAIProvider"
    api_key_var = "TOGETHER_API_KEY"
    model_var = "TOGETHER_MODEL"
    default_base_url = "https://api.together.xyz/v1"
    default_model = "meta-llama/Llama-2-70b-chat-hf"

``provider_class`` is the name of a class that comes with FaultMaven, or ``package.module:Class``
for one of your own.
"""

from __future__ import annotations

import importlib
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faultmaven.infrastructure.llm.providers.schema import row_problems


@dataclass(frozen=True, slots=True)
class ProvidersFile:
    """What a providers file says.

    Attributes:
        rows: usable rows, by provider name.
        problems: what is wrong with the others; each names file, provider, field and fix.
    """

    rows: Mapping[str, dict[str, Any]]
    problems: tuple[str, ...] = ()


def read_providers_file(path: Path, classes: Mapping[str, type]) -> ProvidersFile:
    """Read ``path``; never raises for what stands in it.

    Args:
        path: the TOML file.
        classes: provider classes that may be named without their module.
    """
    try:
        tables = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        return ProvidersFile({}, (f"{path}: cannot be read ({error.strerror})",))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        return ProvidersFile({}, (f"{path}: not valid TOML ({error})",))
    rows: dict[str, dict[str, Any]] = {}
    problems: list[str] = []
    for name, table in tables.items():
        row, wrong = _row(name, table, classes)
        problems.extend(f"{path}: {problem}" for problem in wrong)
        if not wrong:
            rows[name] = row
    return ProvidersFile(rows, tuple(problems))


def _row(name: str, table: object, classes: Mapping[str, type]) -> tuple[dict[str, Any], list[str]]:
    if not isinstance(table, dict):
        return {}, [f"'{name}' must be a table: write [{name}] and its fields below it"]
    row = dict(table)
    given = row.get("provider_class")
    if not isinstance(given, str):
        return row, row_problems(name, row)
    try:
        row["provider_class"] = _class_named(given, classes)
    except Exception as error:  # noqa: BLE001 - a module somebody else wrote may raise anything
        why = f"{type(error).__name__}: {error}"
        return row, [f"provider '{name}', field 'provider_class': {why}"]
    return row, row_problems(name, row)


def _class_named(name: str, classes: Mapping[str, type]) -> type:
    if name in classes:
        return classes[name]
    module, _, attribute = name.partition(":")
    if not attribute:
        known = ", ".join(sorted(classes))
        message = f"'{name}' is unknown; use one of {known}, or package.module:Class"
        raise ValueError(message)
    found = getattr(importlib.import_module(module), attribute)
    if not isinstance(found, type):
        message = f"'{name}' is not a class"
        raise ValueError(message)  # noqa: TRY004 - one kind of error for one kind of mistake
    return found
