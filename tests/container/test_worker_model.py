"""A worker starts no model of its own; it asks the one that was started for all."""

from __future__ import annotations

from pathlib import Path

from doubles import settings_of
from faultmaven.container.embedded import EmbeddedModel
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.models.status import LocalModelStatus
from faultmaven.models.worker import ModelAddress, Worker

ADDRESS = ModelAddress("http://127.0.0.1:4711", "tiny", "the-key-of-the-model")


def _model(folder: Path, address: ModelAddress | None) -> tuple[EmbeddedModel, ProviderRegistry]:
    registry = ProviderRegistry(
        settings_of({"LOCAL_MODEL": "tiny", "FAULTMAVEN_CACHE_DIR": str(folder)})
    )
    return EmbeddedModel(registry, worker=Worker(1, str(folder), address)), registry


async def test_the_model_of_the_parent_is_asked(tmp_path: Path) -> None:
    """Address, key and name are the parent's, and so is where it is in its life."""
    model, registry = _model(tmp_path, ADDRESS)
    await model.start()
    found = registry.get_config("local")
    assert (found.base_url, found.models, found.api_key) == (
        ADDRESS.base_url,
        ["tiny"],
        ADDRESS.api_key,
    )
    model.note(LocalModelStatus("loading", message="It is loading."))
    assert model.status.state == "loading"
    assert found.not_ready is not None
    assert "It is loading." in (found.not_ready() or "")
    model.note(LocalModelStatus("ready"))
    assert found.not_ready() is None
    assert ADDRESS.api_key not in repr(model.address)


async def test_without_one_none_is_started(tmp_path: Path) -> None:
    """Where the parent could start no model, no worker fetches one."""
    model, registry = _model(tmp_path, None)
    before = registry.get_config("local").base_url
    await model.start()
    assert model.status.state == "off"
    assert registry.get_config("local").base_url == before
