"""What a provider's free calls showed, as one finding."""

from __future__ import annotations

from collections.abc import Sequence

from faultmaven.errors import ErrorClass, ProviderError
from faultmaven.infrastructure.llm.providers.base import ProviderConfig
from faultmaven.infrastructure.llm.providers.hints import hint_for
from faultmaven.infrastructure.llm.providers.model_names import match_model
from faultmaven.infrastructure.llm.wire.types import Listing
from faultmaven.models.status import CheckResult

_UNREACHABLE = frozenset((ErrorClass.CONNECTION, ErrorClass.TIMEOUT))


def passed_check(
    listings: Sequence[Listing], config: ProviderConfig, *, model: str, listed_as: str
) -> CheckResult:
    """The finding when every call was answered.

    Args:
        listings: what the calls showed; none where the server has no free call.
        config: the provider's configuration.
        model: model it is configured with.
        listed_as: the same model, as the vendor's list writes it.
    """
    names = tuple(name for listing in listings for name in listing.models)
    proven = any(listing.key_accepted for listing in listings) and bool(config.api_key)
    any_name = any(listing.any_name for listing in listings)
    match = match_model(listed_as, () if any_name else names)
    hint = None
    if match.found is False:
        hint = hint_for(ErrorClass.MODEL_NOT_FOUND, config, model, match.nearest)
    return CheckResult(
        reachable=True,
        key_accepted=True if proven else None,
        model_found=match.found,
        models=names,
        hint=hint,
    )


def failed_check(error: ProviderError) -> CheckResult:
    """The finding when a call failed."""
    return CheckResult(
        reachable=error.error_class not in _UNREACHABLE,
        key_accepted=False if error.error_class is ErrorClass.AUTH else None,
        error_class=error.error_class,
        detail=str(error),
        hint=error.hint,
    )
