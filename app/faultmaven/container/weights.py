"""The embedded model's weights outside of the service: whether they could run here, fetch them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from faultmaven.errors import LocalModelError
from faultmaven.infrastructure.local_model.cache import CachedWeights, check_own_file
from faultmaven.infrastructure.local_model.catalogue import CatalogueModel, choose_model
from faultmaven.infrastructure.local_model.decision import Decision
from faultmaven.infrastructure.local_model.engine import check_engine
from faultmaven.infrastructure.local_model.machine import free_memory
from faultmaven.infrastructure.local_model.weights import default_sources, fetch_weights, free_disk
from faultmaven.models.status import LocalModelStatus
from faultmaven.services.doctor import EmbeddedAbility
from faultmaven.settings import Settings

_AUTOMATIC = "auto"


async def examine_ability(settings: Settings, decision: Decision) -> EmbeddedAbility:
    """Look at engine, weights, disk and memory; starts and fetches nothing.

    Args:
        settings: the service's options.
        decision: whether the service would start the model.
    """
    memory = free_memory()
    try:
        model = _chosen(settings.local_model)
        own = settings.local_model_path and check_own_file(settings.local_model_path)
        engine = await check_engine()
    except LocalModelError as error:
        return EmbeddedAbility(
            wanted=decision.start,
            reason=decision.reason,
            model=settings.local_model,
            obstacle=str(error),
            fix=error.hint,
            free_memory=memory,
        )
    return EmbeddedAbility(
        wanted=decision.start,
        reason=decision.reason,
        model=own.stem if own else model.name,
        obstacle=engine.message if engine else None,
        fix=engine.hint if engine else None,
        missing_bytes=0 if own else _missing(model, settings.model_cache),
        free_disk=free_disk(_existing(settings.model_cache)),
        needed_memory=own.stat().st_size if own else model.memory,
        free_memory=memory,
    )


async def pull_weights(
    settings: Settings, *, choice: str | None, tell: Callable[[LocalModelStatus], None]
) -> Path:
    """Fetch and verify a model's weights without starting it; quick when they are here.

    Args:
        settings: the service's options.
        choice: a model's name; ``None`` takes the one the service would take.
        tell: told the progress.

    Raises:
        LocalModelError: the name is unknown, or the weights cannot be had.
    """
    model = _chosen(choice or settings.local_model)

    def report(done: int, total: int) -> None:
        message = f"Fetching {model.name}."
        tell(
            LocalModelStatus(
                "downloading", progress=done / total, message=message, model=model.name
            )
        )

    path = await fetch_weights(
        model, settings.model_cache, on_progress=report, sources=default_sources(None)
    )
    tell(LocalModelStatus("ready", message=f"{model.name} is here.", model=model.name))
    return path


def _chosen(choice: str) -> CatalogueModel:
    """The model of that name; without a wish, the one that fits here."""
    return choose_model(_AUTOMATIC if choice == "off" else choice, free_memory())


def _missing(model: CatalogueModel, folder: Path) -> int:
    files = CachedWeights(model, folder)
    return 0 if files.path.is_file() else model.size - files.arrived()


def _existing(folder: Path) -> Path:
    """The folder, or the nearest one above it that exists."""
    return next(path for path in (folder, *folder.absolute().parents) if path.exists())
