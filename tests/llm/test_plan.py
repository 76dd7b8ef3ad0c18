"""What a request is when its caller says nothing more of it."""

from faultmaven.infrastructure.llm.plan import _UNASKED
from faultmaven.models.interfaces import GenerateOptions


def test_every_option_has_a_value_for_who_does_not_ask() -> None:
    """A plan reads options without asking whether they are there, so each of them has to be."""
    assert _UNASKED.keys() == GenerateOptions.__annotations__.keys()
