"""Advice reaches its reader whole: nothing in it looks like a secret."""

from __future__ import annotations

import pytest

from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.llm.providers.hints import base_url_hint, hint_for
from faultmaven.infrastructure.llm.providers.registry import PROVIDER_SCHEMA
from faultmaven.models.credentials import mask_credentials
from faultmaven.models.interfaces import ProviderConfig


def _config(name: str, *, local: bool) -> ProviderConfig:
    row = PROVIDER_SCHEMA[name]
    return ProviderConfig(
        name,
        None,
        row.get("default_base_url", "http://localhost:11434"),
        [row["default_model"]],
        model_var=row["model_var"],
        api_key_var=row.get("api_key_var"),
        base_url_var=row.get("base_url_var"),
        local=local,
    )


@pytest.mark.parametrize("local", [False, True])
@pytest.mark.parametrize("name", PROVIDER_SCHEMA)
def test_nothing_of_it_is_masked(name: str, *, local: bool) -> None:
    """Every hint for every provider, wherever it runs."""
    config = _config(name, local=local)
    model = config.models[0]
    hints = [base_url_hint(config)]
    hints += filter(None, (hint_for(found, config, model, (model,)) for found in ErrorClass))
    assert len(hints) > 7
    assert [mask_credentials(hint) for hint in hints] == hints


def test_nothing_of_it_is_masked_without_names() -> None:
    """Also where no variable is known."""
    config = ProviderConfig("one", None, "http://one", ["m"])
    hints = [hint for found in ErrorClass if (hint := hint_for(found, config, "m"))]
    assert [mask_credentials(hint) for hint in hints] == hints
