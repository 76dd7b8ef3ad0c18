"""Everything the README says is literally true."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path

import pytest
from dotenv import dotenv_values
from typer.testing import CliRunner

from faultmaven.cli.main import app
from faultmaven.infrastructure.llm.providers.chain import PRESETS
from faultmaven.infrastructure.llm.providers.providers_file import read_providers_file
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_CLASSES, PROVIDER_SCHEMA
from faultmaven.models.api import TroubleshootRequest, TroubleshootResponse

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLE = json.loads((ROOT / "docs" / "examples" / "crashloop.json").read_text(encoding="utf-8"))


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def _rows(heading: str) -> list[list[str]]:
    """Cells of the table whose head begins with ``heading``, below its rule."""
    lines = README.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"| {heading}")) + 2
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    return rows


def test_the_first_commands_start_and_test_it() -> None:
    """A user in a hurry finds the start first and the tests second."""
    assert _blocks("bash")[:2] == ["./run_faultmaven.sh\n", "./run_faultmaven.sh test\n"]


def test_every_named_file_exists() -> None:
    """Whatever is named as a file or folder of the project is there."""
    named = re.findall(r"`((?:docs|app|deploy)/[\w./-]*|[\w.-]+\.(?:md|yml|example|sh))`", README)
    files = re.findall(r"(?:@|--file )(docs/\S+)", README)

    assert len(named) >= 5
    assert [path for path in (*named, *files) if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("verb", sorted(set(re.findall(r"run_faultmaven\.sh (\w+)", README))))
def test_every_verb_exists(verb: str) -> None:
    """Each word after the script's name is one it knows."""
    if verb == "test":
        assert "test [ARGS" in (ROOT / "run_faultmaven.sh").read_text(encoding="utf-8")
        return
    assert CliRunner().invoke(app, [verb, "--help"]).exit_code == 0


def test_every_variable_exists() -> None:
    """Each environment variable is one that `.env.example` explains, or a row's own."""
    known = set(dotenv_values(ROOT / ".env.example"))
    rows = " ".join(_blocks("toml"))
    prose = re.sub(r"^```(?:toml|json)\n.*?^```", "", README, flags=re.MULTILINE | re.DOTALL)
    named = re.findall(r"\b[A-Z]{3,}(?:_[A-Z]+)+\b|\bHOST\b", prose)

    unknown = {name for name in named if name not in known and f'"{name}"' not in rows}
    assert unknown <= {"PROVIDER_SCHEMA"}


def test_the_table_of_providers_is_the_schema() -> None:
    """Key, model, default and address of each provider are what the code has."""
    told = [re.findall(r"`([^`]+)`", " ".join(cells)) for cells in _rows("provider")]
    known = [_documented(row) for row in PROVIDER_SCHEMA.values()]

    assert told == known


def _documented(row: Mapping[str, object]) -> list[object]:
    key = [row["api_key_var"]] if "api_key_var" in row else []
    address = [row["default_base_url"]] if row.get("local") else []
    return [*key, row["model_var"], row["default_model"], row["base_url_var"], *address]


def test_the_table_of_presets_is_the_codes() -> None:
    """Each preset yields the chain that stands beside it."""
    told = {name.strip("`"): tuple(chain.split(" → ")) for name, chain in _rows("`CHAIN_PRESET`")}

    assert told == dict(PRESETS)


def test_the_rows_to_add_are_valid(tmp_path: Path) -> None:
    """The TOML shown can be pasted into a providers file as it is."""
    (block,) = _blocks("toml")
    file = tmp_path / "providers.toml"
    file.write_text(block, encoding="utf-8")

    read = read_providers_file(file, PROVIDER_CLASSES)

    assert read.problems == ()
    assert set(read.rows) == set(tomllib.loads(block)) == {"together", "cohere"}


def test_the_example_and_the_file_for_the_terminal_are_the_same_log() -> None:
    """Both ways of asking send the same material."""
    request = TroubleshootRequest.model_validate(EXAMPLE)
    file = ROOT / "docs" / "examples" / "kubectl-describe.txt"

    assert [attachment.content for attachment in request.attachments] == [
        file.read_text(encoding="utf-8")
    ]


def test_the_answer_shown_is_one_the_service_gives() -> None:
    """The answer has every field of the API and none else, and quotes the example's lines."""
    (block,) = _blocks("json")
    answer = TroubleshootResponse.model_validate_json(block)
    material = EXAMPLE["query"] + "".join(item["content"] for item in EXAMPLE["attachments"])
    folded = " ".join(material.split())

    assert answer.provider == "local"
    assert answer.attempts
    assert answer.confidence_score < 1
    assert answer.evidence
    assert all(
        quote.verified == (" ".join(quote.quote.split()) in folded) for quote in answer.evidence
    )
