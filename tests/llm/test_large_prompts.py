"""Prompts so large that writing and judging them takes a while."""

import threading
from collections.abc import Sequence

import pytest

from doubles import Say, chain_of
from faultmaven.infrastructure.llm.redaction import Redactor
from faultmaven.models.confidence import Signal
from faultmaven.models.prompt import Message, Prompt, Target


@pytest.mark.parametrize(
    ("size", "material", "aside"),
    [(100_000, 100_000, False), (100_001, 0, True), (10, 100_001, True)],
)
async def test_large_prompts_hold_up_nobody(size: int, material: int, *, aside: bool) -> None:
    """Writing, masking and judging leave the event loop where there is much of it (S14)."""
    here = threading.get_ident()
    elsewhere: dict[str, bool] = {}

    def note(what: str) -> None:
        elsewhere[what] = threading.get_ident() != here

    def render(_target: Target) -> Prompt:
        note("render")
        return Prompt(messages=(Message("user", "Why?"),))

    def mask(text: str) -> str:
        note("mask")
        return text

    def assess(_text: str, _target: Target) -> Sequence[Signal]:
        note("assess")
        return ()

    chain = chain_of({"one": [Say()]}, redactor=Redactor(mask=mask))
    await chain.router.generate("x" * size, material_chars=material, render=render, assess=assess)
    assert elsewhere == dict.fromkeys(("render", "mask", "assess"), aside)
