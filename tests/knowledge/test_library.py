"""Reading runbooks: strict, with errors that name the file and the field."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

from faultmaven.errors import FaultMavenError
from faultmaven.knowledge.library import (
    Runbook,
    RunbookError,
    load_runbooks,
    render_compact,
    render_full,
)

GOOD = """
id = "disk-test"
title = "Disk full"
area = "disk"
symptoms = ["No space left on device"]
causes = ["Logs are not rotated."]
checks = ["Compare df -h with df -i."]
fixes = ["Rotate the logs."]

[[commands]]
command = "df -h <path>"
description = "Shows use of the filesystem."
safety = "read_only"

[[missing]]
what = "Which directory grew"
how = "du -xh --max-depth=1"
"""


def load(folder: Path, text: str, name: str = "disk-test.toml") -> tuple[Runbook, ...]:
    """Write one file into a folder and read the folder."""
    (folder / name).write_text(text, encoding="utf-8")
    return load_runbooks(folder)


def test_a_good_file_is_read(tmp_path: Path) -> None:
    """Every field of a file arrives in the runbook."""
    (runbook,) = load(tmp_path, GOOD)
    assert runbook.id == "disk-test"
    assert runbook.symptoms == ("No space left on device",)
    assert runbook.commands[0].command == "df -h <path>"
    assert runbook.commands[0].safety == "read_only"
    assert runbook.missing[0].how == "du -xh --max-depth=1"


def test_runbooks_come_ordered_by_id(tmp_path: Path) -> None:
    """The order does not depend on the file system, and other files are left alone."""
    (tmp_path / "notes.txt").write_text("not a runbook", encoding="utf-8")
    for name in ("disk-b", "disk-a", "disk-c"):
        load(tmp_path, GOOD.replace("disk-test", name), f"{name}.toml")
    assert [runbook.id for runbook in load_runbooks(tmp_path)] == ["disk-a", "disk-b", "disk-c"]


def test_runbooks_cannot_be_changed(tmp_path: Path) -> None:
    """A runbook is shared by all requests and therefore frozen."""
    (runbook,) = load(tmp_path, GOOD)
    with pytest.raises(FrozenInstanceError):
        runbook.title = "other"  # type: ignore[misc] # the point of the test


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ('title = "Disk full"\n', "", "title"),
        ('title = "Disk full"', 'title = ""', "title"),
        ('title = "Disk full"', "title = 3", "title"),
        ('title = "Disk full"', 'title = "Disk full"\nauthor = "me"', "author"),
        ('symptoms = ["No space left on device"]', "symptoms = []", "symptoms"),
        ('symptoms = ["No space left on device"]', 'symptoms = "No space"', "symptoms"),
        ('symptoms = ["No space left on device"]', 'symptoms = ["a", 5]', "symptoms.1"),
        ('causes = ["Logs are not rotated."]', 'causes = [" padded "]', "causes.0"),
        ('causes = ["Logs are not rotated."]', 'causes = ["two\\nlines"]', "causes.0"),
        ('safety = "read_only"', 'safety = "harmless"', "commands.0.safety"),
        ('safety = "read_only"', "", "commands.0.safety"),
        ('safety = "read_only"', 'safety = "read_only"\nroot = true', "commands.0.root"),
        ('how = "du -xh --max-depth=1"', 'how = ""', "missing.0.how"),
        ('area = "disk"', 'area = "Disk space"', "area"),
        ('id = "disk-test"', 'id = "Disk Test"', "id"),
        ('id = "disk-test"', 'id = "disk-other"', "id"),
    ],
)
def test_a_wrong_field_is_named(tmp_path: Path, old: str, new: str, field: str) -> None:
    """The error says which file and which field to correct."""
    assert old in GOOD
    with pytest.raises(RunbookError, match=rf"^disk-test\.toml: {field.replace('.', '[.]')}: "):
        load(tmp_path, GOOD.replace(old, new))


def test_a_file_that_is_not_toml_is_named(tmp_path: Path) -> None:
    """A slip in the syntax is reported with the file and the place."""
    with pytest.raises(RunbookError, match=r"^disk-test\.toml: .*line 1"):
        load(tmp_path, "id = = 3")


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    """Bytes that are no text are reported as what they are."""
    (tmp_path / "disk-test.toml").write_bytes(b'id = "\xff"')
    with pytest.raises(RunbookError, match=r"^disk-test\.toml: .*utf-8"):
        load_runbooks(tmp_path)


def test_the_error_is_one_of_ours() -> None:
    """The service turns a broken runbook into a problem body like any other error."""
    assert issubclass(RunbookError, FaultMavenError)


def test_compact_rendering(tmp_path: Path) -> None:
    """A small model sees causes, checks, fixes and bare commands, and nothing else."""
    (runbook,) = load(tmp_path, GOOD)
    assert render_compact(runbook) == (
        "Disk full [disk-test]\n"
        "Causes: Logs are not rotated.\n"
        "Checks: Compare df -h with df -i.\n"
        "Fixes: Rotate the logs.\n"
        "Commands:\n"
        "- df -h <path>"
    )


def test_full_rendering(tmp_path: Path) -> None:
    """The whole runbook is shown with each command's meaning and safety."""
    (runbook,) = load(tmp_path, GOOD)
    assert render_full(runbook) == (
        "# Disk full [disk-test]\n"
        "## Seen as\n- `No space left on device`\n"
        "## Causes\n- Logs are not rotated.\n"
        "## Checks\n- Compare df -h with df -i.\n"
        "## Fixes\n- Rotate the logs.\n"
        "## Commands\n- `df -h <path>` (read_only): Shows use of the filesystem.\n"
        "## If unclear, collect\n- Which directory grew: du -xh --max-depth=1"
    )
