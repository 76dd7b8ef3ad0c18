"""Starting and stopping."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import uvicorn

from api.service import QUESTION, TROUBLESHOOT, container_of, started, unstarted_client
from doubles import environment
from faultmaven.container import container as process_container
from faultmaven.errors import LocalModelError
from faultmaven.main import create_app


async def test_the_container_lives_as_long_as_the_application(tmp_path: Path) -> None:
    """Nothing is connected before the start, and everything is closed after the end."""
    container = container_of(tmp_path)
    app = create_app(container)
    assert container.life == []
    async with started(app):
        assert container.life == ["start"]
    assert container.life == ["start", "stop"]


async def test_after_the_end_it_answers_503(tmp_path: Path) -> None:
    """A request that comes too late is refused in words, not with a closed store."""
    app = create_app(container_of(tmp_path))
    async with started(app):
        pass
    async with unstarted_client(app) as client:
        assert (await client.post(TROUBLESHOOT, json=QUESTION)).status_code == 503


async def test_a_start_that_fails_half_way_closes_what_did_open(tmp_path: Path) -> None:
    """Otherwise the store's thread would keep the process from ending."""
    container = container_of(tmp_path)
    container.start_error = LocalModelError("no engine")
    with pytest.raises(LocalModelError):
        async with started(create_app(container)):
            pass
    assert container.life == ["start", "stop"]


async def test_a_start_that_fails_is_told_in_a_sentence(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A folder that cannot be used names its variable and the fix; no stack hides that."""
    folder = tmp_path / "data"
    folder.write_text("in the way")
    server = uvicorn.Server(
        uvicorn.Config(create_app(container_of(folder)), port=0, log_config=None)
    )
    with pytest.raises(SystemExit):
        await server.serve()
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert len(told) == 2
    assert told[0].startswith("FAULTMAVEN_DATA_DIR: the session database")
    assert "name another" in told[0]
    assert "Traceback" not in told[0]


@pytest.fixture
def _logging_as_it_was() -> Iterator[None]:
    """Undo what the configuration of logging does to the process."""
    root = logging.getLogger()
    before = (root.level, root.handlers[:], logging.getLogger("faultmaven").level)
    yield
    root.setLevel(before[0])
    root.handlers[:] = before[1]
    logging.getLogger("faultmaven").setLevel(before[2])


@pytest.mark.usefixtures("_logging_as_it_was")
async def test_without_a_container_it_is_the_process_s_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The server's factory call composes the whole service; discovery shows in the log (S68)."""
    variables = {
        "FAULTMAVEN_DATA_DIR": str(tmp_path),
        "LOCAL_MODEL": "off",
        "OPENAI_API_KEY": "sk-test-0123456789",
        "CHAT_PROVIDER": "openai",
        "PROBE_INTERVAL": "0",
    }
    process_container.reset()
    try:
        with environment(variables):
            app = create_app()
        async with started(app), unstarted_client(app) as client:
            found = (await client.get("/health/dependencies")).json()
    finally:
        process_container.reset()
    assert found["fallback_chain"] == ["openai", "local"]
    assert "Provider fallback chain: openai → local" in capsys.readouterr().err.splitlines()


_IMPORT = """
import sys
import faultmaven.main
loaded = {name.partition(".")[0] for name in sys.modules}
assert "faultmaven.container" not in sys.modules
print(sorted(loaded & {"httpx", "respx", "xllamacpp", "aiohttp", "rich", "typer", "numpy"}))
"""


def test_importing_the_application_loads_nothing_it_does_not_need() -> None:
    """No client, no engine and no command line at import: starting stays quick."""
    done = subprocess.run(  # noqa: S603 - our own interpreter and text
        [sys.executable, "-c", _IMPORT], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
