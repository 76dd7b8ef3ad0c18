"""The server child: what it is told, and how it ends."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from faultmaven.infrastructure.local_model.child import LOAD_FAILED, parse_arguments
from faultmaven.infrastructure.local_model.server_child import Launch, child_command
from local_model.children import exists


def launch(model: Path) -> Launch:
    """A launch of ``model`` with values that differ from each other."""
    return Launch(
        model=model,
        alias="alias",
        port=1,
        api_key="secret",
        threads=2,
        prompt_threads=5,
        slots=3,
        context=4096,
    )


def test_both_sides_agree_on_the_arguments(tmp_path: Path) -> None:
    """What the supervisor passes is what the child reads; the key is not among it."""
    command = child_command(launch(tmp_path / "model.gguf"))
    read = vars(parse_arguments(command[3:]))
    assert read == {
        "model": str(tmp_path / "model.gguf"),
        "alias": "alias",
        "port": 1,
        "threads": 2,
        "prompt_threads": 5,
        "slots": 3,
        "context": 4096,
    }
    assert "secret" not in " ".join(command)


def test_a_missing_argument_is_refused() -> None:
    """The child has no defaults of its own."""
    with pytest.raises(SystemExit):
        parse_arguments(["--model", "x"])


def test_weights_the_engine_refuses_have_their_own_exit_code(tmp_path: Path) -> None:
    """A file that is no model ends the real child at once, with the engine's reason."""
    model = tmp_path / "model.gguf"
    model.write_bytes(b"GGUF but no more")
    child = subprocess.Popen(  # noqa: S603 - our own program
        child_command(launch(model)), stdin=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with child as ended:
        assert ended.stdin is not None
        assert ended.stderr is not None
        ended.stdin.write(b"key\n")
        ended.stdin.flush()
        said = ended.stderr.read()
    assert ended.returncode == LOAD_FAILED
    assert b"failed to load model" in said


def test_a_child_without_a_parent_leaves(tmp_path: Path) -> None:
    """When standard input has ended, nobody needs the server."""
    ended = subprocess.run(  # noqa: S603 - our own program
        child_command(launch(tmp_path)), stdin=subprocess.DEVNULL, check=False, timeout=60
    )
    assert ended.returncode in {0, LOAD_FAILED}


_GRANDCHILD = """
import time
from faultmaven.infrastructure.local_model.child import die_with_parent
die_with_parent()
print("ready", flush=True)
time.sleep(60)
"""

_PARENT = f"""
import os, signal, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {_GRANDCHILD!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="a promise of the Linux kernel")
def test_the_kernel_ends_the_child_with_its_parent() -> None:
    """A child busy in the engine is ended too when its parent is killed."""
    parent = subprocess.run(  # noqa: S603 - our own program
        (sys.executable, "-c", _PARENT), stdout=subprocess.PIPE, check=False, timeout=30
    )
    grandchild = int(parent.stdout)
    for _ in range(3000):
        if not exists(grandchild):
            return
        time.sleep(0.01)
    pytest.fail(f"process {grandchild} outlived its parent")
