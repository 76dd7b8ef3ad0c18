"""A tool call's arguments where a vendor writes them as an object rather than as text."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator

from faultmaven.infrastructure.llm.wire.function_tools import compact

NO_ARGUMENTS = "{}"
"""Of a call that has none."""


def _text(value: object) -> str:
    return compact(value) if isinstance(value, dict) else NO_ARGUMENTS


GivenArguments = Annotated[str, BeforeValidator(_text)]
"""The object as compact JSON text; none where the vendor wrote no object."""
