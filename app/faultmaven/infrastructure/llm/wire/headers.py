"""Request headers: what each request carries, and how a key is carried."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from faultmaven.errors import ProviderAuthError
from faultmaven.infrastructure.llm.wire.types import Endpoint, SharedHeaders

JSON: Mapping[str, str] = {"content-type": "application/json", "accept": "application/json"}
"""Headers of a request with a JSON body."""


def shared(endpoint: Endpoint, write: Callable[[Endpoint], Mapping[str, str]]) -> Mapping[str, str]:
    """What ``write`` gives every request of an endpoint, written once.

    Raises:
        ProviderAuthError: as ``write`` does.
    """
    headers: SharedHeaders | None = endpoint.kept.get(write)
    if headers is None:
        headers = endpoint.kept[write] = SharedHeaders(write(endpoint))
    return headers


def bearer(endpoint: Endpoint) -> dict[str, str]:
    """JSON headers with ``Authorization: Bearer``, if there is a key.

    Raises:
        ProviderAuthError: the key has characters that no header can carry.
    """
    key = usable_key(endpoint)
    return {**JSON, "authorization": f"Bearer {key}"} if key else dict(JSON)


def usable_key(endpoint: Endpoint) -> str:
    """The key without surrounding blanks; empty if there is none.

    Raises:
        ProviderAuthError: the key has characters that no header can carry, a line end pasted
            into its middle, for example.
    """
    key = (endpoint.api_key or "").strip()
    if not (key.isascii() and key.isprintable()):
        raise ProviderAuthError("the API key contains characters that no API key has")
    return key
