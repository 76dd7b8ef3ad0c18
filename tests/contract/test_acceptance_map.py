"""The table of promises and the tests that prove them."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SCRIPT = PROJECT / "scripts" / "acceptance_map.py"


def run(script: Path, *arguments: str) -> tuple[int, str]:
    """Run the script; its exit status and what it says."""
    finished = subprocess.run(  # noqa: S603 - our own script
        [sys.executable, str(script), *arguments], capture_output=True, text=True, check=False
    )
    assert not finished.stderr
    return finished.returncode, finished.stdout


def test_every_promise_has_a_test_and_the_table_says_which() -> None:
    """No promise is without a test, no test names an unknown one, the table is what is written."""
    assert run(SCRIPT, "--check") == (0, "")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Give a small project of its own: three rows, two tests."""
    for folder in ("scripts", "docs", "tests"):
        (tmp_path / folder).mkdir()
    script = tmp_path / "scripts" / SCRIPT.name
    script.write_bytes(SCRIPT.read_bytes())
    (tmp_path / "docs" / "acceptance.md").write_text(
        "| S1 | first | |\n| S2 | second | |\n| S43 | under load | |\n"
    )
    (tmp_path / "tests" / "test_some.py").write_text(
        'async def test_one() -> None:\n    """Promise (S1, C4)."""\n'
        'def helper() -> None:\n    """No test (S2)."""\n'
        'class TestGroup:\n    def test_two(self) -> None:\n        """Of S2 and (S1)."""\n'
    )
    return script


def test_missing_proof_is_told(copy: Path) -> None:
    """A row that no test names in parentheses is told; one that comes later is not."""
    assert run(copy) == (1, "S2: no test names it\n")
    table = (copy.parents[1] / "docs" / "acceptance.md").read_text()
    assert "| S1 | first | tests/test_some.py: `test_one`, `test_two` |" in table
    assert "| S2 | second | none |" in table
    assert "| S43 | under load | later |" in table


def test_stale_table_is_told(copy: Path) -> None:
    """A table that does not say what the tests say is told, and left as it is."""
    run(copy)
    tests = copy.parents[1] / "tests" / "test_some.py"
    tests.write_text(tests.read_text().replace("test_one", "test_first").replace("(S2)", "(S99)"))
    status, said = run(copy, "--check")
    assert status == 1
    assert "docs/acceptance.md is out of date" in said
    assert "S99" not in said  # a helper is no test


def test_unknown_row_is_told(copy: Path) -> None:
    """A test that names a row the table does not have is told."""
    tests = copy.parents[1] / "tests" / "test_some.py"
    tests.write_text('def test_x() -> None:\n    """Promise (S1, S2, S999)."""\n')
    assert run(copy) == (1, "S999: tests name it, the table does not have it\n")
