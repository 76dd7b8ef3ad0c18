"""What a full service says before a request has become any work: the server asks at the door.

At three times the load that can be carried, two of three requests are refused, and what each of
them costs is taken from those that are served. Most of what a refusal costs on the usual way is
the way: a task, guards, and a response in two messages.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from contextvars import copy_context

from starlette.types import Scope

from faultmaven.api.admission import BOUNDED, Room
from faultmaven.api.middleware import OVERHEAD_HEADER, request_id_of
from faultmaven.api.shedding import Shedding
from faultmaven.infrastructure.observability.metrics import Metrics
from faultmaven.infrastructure.observability.request import begin_request

logger = logging.getLogger(__name__)

_OVERHEAD = OVERHEAD_HEADER.lower().encode()
_STATUS = 503


class Door:
    """Refuses what the guards further in would refuse for want of room, and nothing else.

    Args:
        room: the places.
        shedding: how the guards write refusals.
        is_allowed: whether a request is for a name of this service; others are refused further in.
        metrics: told of each refusal, as of one on the usual way.
        clock: monotonic seconds.
    """

    def __init__(
        self,
        *,
        room: Room,
        shedding: Shedding,
        is_allowed: Callable[[Scope], bool],
        metrics: Metrics,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._room = room
        self._shedding = shedding
        self._is_allowed = is_allowed
        self._metrics = metrics
        self._clock = clock

    @property
    def is_shut(self) -> bool:
        """Whether anybody may be refused now."""
        return self._room.is_full

    def refusal(self, scope: Scope) -> bytes | None:
        """What is answered at once, from the first header on, status 503; ``None`` lets it in.

        The first of each kind is let in, too: it is refused further in, and written there.

        Args:
            scope: of a request whose head has come; its body may not. Its method, path and
                headers count, and the address it came to.
        """
        room = self._room
        if not room.is_half_taken or not self._is_bounded(scope):
            return None
        if room.is_full:
            return self._refused(scope)
        room.expect()
        return None

    def _is_bounded(self, scope: Scope) -> bool:
        """Whether the guards further in would look for a place for it."""
        bounded = scope["path"].rstrip("/") in BOUNDED and scope["method"] == "POST"
        return bounded and self._is_allowed(scope)

    def _refused(self, scope: Scope) -> bytes | None:
        came = self._clock()
        path = scope["path"].rstrip("/")
        request_id = request_id_of(scope)
        text = self._shedding.text(path, request_id)
        if text is None:
            return None
        seconds = self._clock() - came
        self._metrics.on_refused(path, status=_STATUS, seconds=seconds)
        if logger.isEnabledFor(logging.DEBUG):
            self._note(path, request_id, seconds * 1000)
        return b"%b: %.3f\r\n%b" % (_OVERHEAD, seconds * 1000, text)

    def _note(self, path: str, request_id: bytes, took: float) -> None:
        """Write the request's line, in a context of its own: the server's must name no request."""
        own = copy_context()
        own.run(begin_request, request_id.decode("ascii"))
        own.run(_tell, path, took, self._shedding.problem)


def _tell(path: str, took: float, problem: str) -> None:
    fields = {
        "event": "request",
        "method": "POST",
        "path": path,
        "route": path,
        "status": _STATUS,
        "duration_ms": round(took, 1),
        "overhead_ms": round(took, 1),
        "attempts": 0,
        "problem": problem,
    }
    message = "POST %s %d in %.0f ms: %s"
    logger.debug(message, path, _STATUS, took, problem, extra={"fields": fields})
