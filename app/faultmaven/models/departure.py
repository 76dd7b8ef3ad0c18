"""How a server tells whoever answers a request that its caller has left."""

from __future__ import annotations

from collections.abc import Callable

Tell = Callable[[Callable[[], object] | None], object]
"""Takes what is called once the caller has left, from the event loop, and never before this
returns; ``None`` for nothing any more."""

TELL = "faultmaven.departure"
"""Key of a request's scope under which a server that can do so offers its `Tell`."""
