"""Cohere's free call, the same for both of its wire formats."""

from __future__ import annotations

from faultmaven.infrastructure.llm.wire import address
from faultmaven.infrastructure.llm.wire.body import Shape, read
from faultmaven.infrastructure.llm.wire.headers import bearer
from faultmaven.infrastructure.llm.wire.types import Endpoint, Listing, WireRequest, WireResponse

_PAGE = 1000  # most models one page of the list holds


class _Model(Shape):
    name: str


class _Models(Shape):
    models: tuple[_Model, ...]


def encode_models(endpoint: Endpoint) -> tuple[WireRequest, ...]:
    """Write the call of the list of models, which stayed with version 1 and needs a good key."""
    root = address.unversioned(endpoint.base_url)
    url = address.join(root, f"/v1/models?page_size={_PAGE}")
    return (WireRequest(method="GET", url=url, headers=bearer(endpoint)),)


def decode_models(response: WireResponse) -> Listing:
    """Read the list of models.

    Raises:
        ProviderProtocolError: the body is none.
    """
    names = tuple(entry.name for entry in read(response, _Models).models)
    return Listing(models=names, key_accepted=True)
