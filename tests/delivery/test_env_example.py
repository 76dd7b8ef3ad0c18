"""``.env.example`` is the whole truth about what can be configured."""

import re
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

from faultmaven.infrastructure.llm.providers.registry import PROVIDER_SCHEMA
from faultmaven.settings import Settings

EXAMPLE = Path(__file__).parents[2] / ".env.example"
VALUES = dotenv_values(EXAMPLE, interpolate=False)
LINES = EXAMPLE.read_text(encoding="utf-8").splitlines()
SECRET = re.compile(r"_API_KEY$|_TOKEN$|PASSWORD")


def _variables_of_rows() -> set[str]:
    found: set[str] = set()
    for row in PROVIDER_SCHEMA.values():
        single = ("api_key_var", "optional_key_var", "model_var", "base_url_var")
        found.update(str(row[name]) for name in single if name in row)  # type: ignore[literal-required] # the names are literals two lines above
        found.update(row.get("further_base_url_vars", ()), row.get("option_vars", {}).values())
    return found


def _comment_above(variable: str) -> str:
    index = next(i for i, line in enumerate(LINES) if line.startswith(f"{variable}="))
    return LINES[index - 1]


def test_names_exactly_what_is_read() -> None:
    """Every variable of the settings and of the provider rows is there, and no other."""
    settings = {name.upper() for name in Settings.model_fields}
    assert set(VALUES) == settings | _variables_of_rows()


def test_names_each_variable_once() -> None:
    """No variable stands there twice, and every line can be parsed."""
    with EXAMPLE.open(encoding="utf-8") as file:
        bindings = list(parse_stream(file))
    names = [binding.key for binding in bindings if binding.key]
    assert len(names) == len(set(names))
    assert not any(binding.error for binding in bindings)


def test_holds_no_secret() -> None:
    """What is a secret is blank."""
    assert not any(value for name, value in VALUES.items() if SECRET.search(name))


def test_explains_each_variable_in_one_line() -> None:
    """A comment stands right above every variable."""
    assert [name for name in VALUES if not _comment_above(name).startswith("# ")] == []


def test_copied_as_it_is_changes_nothing() -> None:
    """The example as ``.env`` gives the defaults."""
    defaults = Settings(_env_file=None)
    assert Settings(_env_file=EXAMPLE) == defaults


def test_tells_each_default_of_the_schema() -> None:
    """The comments above model and address name the default of their row."""
    for row in PROVIDER_SCHEMA.values():
        assert f"(default: {row['default_model']})" in _comment_above(row["model_var"])
        if "base_url_var" in row:
            assert f"(default: {row['default_base_url']})" in _comment_above(row["base_url_var"])
