"""What only the operator may ask of a running service."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable

from pydantic import SecretStr

from faultmaven.services.reloading import Reload, ReloadReport


class AdminService:
    """Knows the operator by ``ADMIN_API_KEY``, and does what the operator asks.

    Args:
        key: gives the present key, or ``None`` where nobody may ask.
        reload: reads the configuration again.
    """

    def __init__(self, *, key: Callable[[], SecretStr | None], reload: Reload) -> None:
        self._key = key
        self._reload = reload
        self._on_reload: Callable[[], object] | None = None

    @property
    def enabled(self) -> bool:
        """Whether there is a key, and so anything to ask for."""
        return self._key() is not None

    def admits(self, presented: bytes) -> bool:
        """Whether this is the key; takes as long for a near miss as for any other."""
        key = self._key()
        return key is not None and hmac.compare_digest(
            _digest(presented), _digest(key.get_secret_value().encode())
        )

    def on_reload(self, call: Callable[[], object]) -> None:
        """Have this called after each reload that was asked for here and not rejected."""
        self._on_reload = call

    async def reload(self) -> ReloadReport:
        """Read the configuration again.

        Raises:
            ReloadRejectedError: it is wrong; nothing changed.
        """
        report = await self._reload("request")
        if self._on_reload is not None:
            self._on_reload()
        return report


def _digest(secret: bytes) -> bytes:
    """Of one length for all, since a comparison of unequal lengths ends at once."""
    return hashlib.sha256(secret).digest()
