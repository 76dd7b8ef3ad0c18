"""What a row of the schema may say."""

from typing import Any

import pytest

from doubles import row, scripted
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_SCHEMA
from faultmaven.infrastructure.llm.providers.schema import row_problems
from faultmaven.models.interfaces import ILLMProvider

NINE_FIELDS: dict[str, Any] = {
    "api_key_var": "ACME_API_KEY",
    "model_var": "ACME_MODEL",
    "base_url_var": "ACME_API_BASE",
    "default_base_url": "https://api.acme.example/v1",
    "default_model": "acme-1",
    "provider_class": OpenAIProvider,
    "max_retries": 3,
    "timeout": 30,
    "confidence_score": 0.85,
}


def test_the_nine_documented_fields_make_a_row() -> None:
    """A row of exactly the documented fields is accepted (S66)."""
    assert row_problems("acme", NINE_FIELDS) == []


@pytest.mark.parametrize("name", PROVIDER_SCHEMA)
def test_shipped_rows_are_sound(name: str) -> None:
    """Every row that ships passes its own validation (S58, S66)."""
    assert row_problems(name, PROVIDER_SCHEMA[name]) == []


@pytest.mark.parametrize(
    "field", ["model_var", "default_base_url", "default_model", "provider_class"]
)
def test_missing_required_field_is_named(field: str) -> None:
    """Without a required field the row is refused; provider and field are named (S66)."""
    short = {key: value for key, value in NINE_FIELDS.items() if key != field}
    assert row_problems("acme", short) == [
        f"provider 'acme', field '{field}': required, but missing"
    ]


@pytest.mark.parametrize(
    "field", ["api_key_var", "base_url_var", "max_retries", "timeout", "confidence_score"]
)
def test_other_documented_fields_may_be_left_out(field: str) -> None:
    """Fields with a default may be left out (S66, S67)."""
    short = {key: value for key, value in NINE_FIELDS.items() if key != field}
    assert row_problems("acme", short) == []


def test_address_may_come_from_the_class() -> None:
    """The documentation's own Anthropic example, which has no address, is a valid row (S66)."""
    example = {
        "api_key_var": "ANTHROPIC_API_KEY",
        "model_var": "ANTHROPIC_MODEL",
        "default_model": "claude-3-5-sonnet-20241022",
        "provider_class": PROVIDER_SCHEMA["anthropic"]["provider_class"],
        "confidence_score": 0.85,
        "max_retries": 3,
        "timeout": 30,
    }
    assert row_problems("anthropic", example) == []


class Unfinished(ILLMProvider):
    """A provider that lacks a method."""

    def is_available(self) -> bool:
        """Tell that it is configured."""
        return True


@pytest.mark.parametrize(
    ("field", "value", "why"),
    [
        ("max_retries", -1, "between 0 and 10"),
        ("max_retries", 11, "between 0 and 10"),
        ("max_retries", 2.5, "must be of type int, not float"),
        ("max_retries", True, "must be of type int, not bool"),
        ("timeout", 0, "between 0.05 and 3600"),
        ("timeout", float("nan"), "between"),
        ("timeout", float("inf"), "between"),
        ("timeout", "30", "must be of type int or float, not str"),
        ("confidence_score", 1.01, "between 0 and 1"),
        ("confidence_score", -0.1, "between 0 and 1"),
        ("confidence_score", float("nan"), "between 0 and 1"),
        ("context_window", 0, "between 1 and"),
        ("model_var", "", "must not be blank"),
        ("model_var", " ", "must not be blank"),
        ("default_model", 4, "must be of type str, not int"),
        ("default_base_url", "api.acme.example", "must begin with http:// or https://"),
        ("default_base_url", "ftp://api.acme.example", "must begin with http:// or https://"),
        ("provider_class", "OpenAIProvider", "must be of type type, not str"),
        ("provider_class", dict, "must be a class that is an ILLMProvider"),
        ("provider_class", Unfinished, "lacks the methods generate, get_supported_models"),
        ("models", "acme-1", "must be of type tuple or list, not str"),
        ("models", ["acme-1", 2], "nothing but texts"),
        ("models", ["acme-1", " "], "nothing but texts"),
        ("key_prefixes", [1], "nothing but texts"),
        ("option_vars", {"version": 1}, "nothing but texts"),
        ("retired_models", ["acme-0"], "must be of type dict, not list"),
        ("local", 1, "must be of type bool, not int"),
        ("maxretries", 3, "unknown; the fields are api_key_var, "),
    ],
)
def test_wrong_value_is_named(field: str, value: object, why: str) -> None:
    """A wrong field is named with its provider and what it should be (S66)."""
    (problem,) = row_problems("acme", {**NINE_FIELDS, field: value})
    assert problem.startswith(f"provider 'acme', field '{field}': ")
    assert why in problem


def test_all_problems_are_told_at_once() -> None:
    """Whoever writes a row learns everything that is wrong with it in one go."""
    problems = row_problems("acme", {"timeout": 0, "model": "x"})
    assert len(problems) == 6


@pytest.mark.parametrize("name", ["Acme", "acme ai", "", "-acme", "acme\nai", "a" * 41, "ącme"])
def test_name_nobody_could_configure_is_refused(name: str) -> None:
    """A name that CHAT_PROVIDER could never match is told, on one line."""
    (problem,) = row_problems(name, row(scripted()))
    assert "not a name for a provider" in problem
    assert "\n" not in problem


@pytest.mark.parametrize("name", ["together", "ai21", "my-llm_2"])
def test_plain_names_are_fine(name: str) -> None:
    """Small letters, digits, hyphens and underscores make a name."""
    assert row_problems(name, row(scripted())) == []
