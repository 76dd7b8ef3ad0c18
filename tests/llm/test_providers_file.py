"""Rows from a TOML file."""

from pathlib import Path

import pytest

from doubles import environment, settings_of
from faultmaven.infrastructure.llm.providers.openai_provider import OpenAIProvider
from faultmaven.infrastructure.llm.providers.providers_file import read_providers_file
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_CLASSES, ProviderRegistry

TOGETHER = """
[together]
api_key_var = "TOGETHER_API_KEY"
model_var = "TOGETHER_MODEL"
base_url_var = "TOGETHER_API_BASE"
default_base_url = "https://api.together.xyz/v1"
default_model = "meta-llama/Llama-2-70b-chat-hf"
provider_class = "OpenAIProvider"
max_retries = 3
timeout = 30
confidence_score = 0.8
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Give a place for a providers file."""
    return tmp_path / "providers.toml"


def problems(file: Path, text: str) -> tuple[str, ...]:
    """Write the file and tell what is wrong with it."""
    file.write_text(text, encoding="utf-8")
    return read_providers_file(file, PROVIDER_CLASSES).problems


def test_row_from_a_file(file: Path) -> None:
    """A table with the documented fields becomes a row; the class is found by its name."""
    assert problems(file, TOGETHER) == ()
    row = read_providers_file(file, PROVIDER_CLASSES).rows["together"]
    assert row["provider_class"] is OpenAIProvider
    assert row["default_model"] == "meta-llama/Llama-2-70b-chat-hf"


def test_file_adds_to_the_seven(file: Path) -> None:
    """Providers of the file join those of the schema, in discovery and in the chain (S87)."""
    file.write_text(TOGETHER)
    registry = ProviderRegistry(
        settings_of(
            {
                "PROVIDERS_FILE": str(file),
                "TOGETHER_API_KEY": "together-key",
                "CHAT_PROVIDER": "together",
            }
        )
    )
    assert registry.problems == []
    assert registry.get_all_provider_names()[-1] == "together"
    assert len(registry.get_all_provider_names()) == 8
    assert registry.get_fallback_chain() == ["together", "local"]


def test_home_in_the_path_is_understood(file: Path) -> None:
    """A path that begins with ~ is the user's own folder, as it is in a shell."""
    file.write_text(TOGETHER)
    values = {"HOME": str(file.parent), "PROVIDERS_FILE": f"~/{file.name}"}
    with environment(values):
        registry = ProviderRegistry()
    assert registry.problems == []
    assert "together" in registry.get_all_provider_names()


def test_class_of_ones_own(file: Path) -> None:
    """A class from any importable module serves a row, as module:Class."""
    module = "faultmaven.infrastructure.llm.providers.openai_provider"
    assert problems(file, TOGETHER.replace("OpenAIProvider", f"{module}:OpenAIProvider")) == ()


@pytest.mark.parametrize(
    ("before", "after", "field", "why"),
    [
        ('"OpenAIProvider"', '"OpenAlProvider"', "provider_class", "use one of AnthropicProvider"),
        ('"OpenAIProvider"', '"no.such:Thing"', "provider_class", "No module named 'no'"),
        ('"OpenAIProvider"', '"json:NoThing"', "provider_class", "NoThing"),
        ('"OpenAIProvider"', '"json:dumps"', "provider_class", "is not a class"),
        ('"OpenAIProvider"', '"json:JSONDecoder"', "provider_class", "ILLMProvider"),
        ('"OpenAIProvider"', '":OpenAIProvider"', "provider_class", "ValueError"),
        ('"OpenAIProvider"', "7", "provider_class", "must be of type type, not int"),
        ("timeout = 30", 'timeout = "30"', "timeout", "must be of type int or float"),
        ("timeout = 30", "timeout = nan", "timeout", "must be between"),
        ("max_retries", "max_retry", "max_retry", "unknown; the fields are"),
        ("model_var", "modelvar", "model_var", "required, but missing"),
    ],
)
def test_error_names_file_row_and_field(
    file: Path, before: str, after: str, field: str, why: str
) -> None:
    """Each mistake is told with the file, the provider, the field and what to do (S66)."""
    found = problems(file, TOGETHER.replace(before, after))
    named = [problem for problem in found if f"field '{field}'" in problem]
    assert len(named) == 1
    assert named[0].startswith(f"{file}: provider 'together', field '{field}': ")
    assert why in named[0]


def test_module_that_breaks_on_import_is_told(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A provider's own module may fail in any way; that is a problem of its row alone."""
    (tmp_path / "broken_provider_module.py").write_text("raise ZeroDivisionError('no')")
    monkeypatch.syspath_prepend(tmp_path)
    row = TOGETHER.replace("OpenAIProvider", "broken_provider_module:Provider")
    (problem,) = problems(file, row)
    assert "field 'provider_class': ZeroDivisionError" in problem


def test_bad_row_does_not_stop_the_good_ones(file: Path) -> None:
    """The rows of a file stand on their own: a bad one is told, the others load (S66)."""
    bad = TOGETHER.replace("[together]", "[other]").replace("timeout = 30", "timeout = -1")
    file.write_text(TOGETHER + bad)
    found = read_providers_file(file, PROVIDER_CLASSES)
    assert list(found.rows) == ["together"]
    assert len(found.problems) == 1
    assert "provider 'other'" in found.problems[0]


def test_field_outside_a_table_is_told(file: Path) -> None:
    """Fields without a table above them are told with the way to write it."""
    (problem,) = problems(file, 'together = "x"')
    assert problem.startswith(f"{file}: 'together' must be a table: write [together]")


def test_broken_toml_is_told_with_its_line(file: Path) -> None:
    """A file that is no TOML is told with the line where reading stopped."""
    (problem,) = problems(file, "[together\nx = 1")
    assert problem.startswith(f"{file}: not valid TOML")
    assert "line 1" in problem


def test_bytes_that_are_no_text_are_told(file: Path) -> None:
    """A file that is not UTF-8 is told, not crashed on."""
    file.write_bytes(b"[together]\nmodel_var = '\xff'")
    (problem,) = read_providers_file(file, PROVIDER_CLASSES).problems
    assert problem.startswith(f"{file}: not valid TOML")


def test_missing_file_is_told(file: Path) -> None:
    """A file that is not there is told with its path; the schema's own providers load (S66)."""
    registry = ProviderRegistry(settings_of({"PROVIDERS_FILE": str(file)}))
    assert registry.problems == [f"{file}: cannot be read (No such file or directory)"]
    assert len(registry.get_all_provider_names()) == 7


def test_folder_for_a_file_is_told(tmp_path: Path) -> None:
    """A folder in the file's place, as container mounts leave one, is told."""
    (problem,) = read_providers_file(tmp_path, PROVIDER_CLASSES).problems
    assert problem == f"{tmp_path}: cannot be read (Is a directory)"
