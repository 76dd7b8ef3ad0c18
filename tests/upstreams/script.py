"""What an upstream is told to do with the requests to come."""

from collections import deque

from upstreams.dialects.base import Endpoint
from upstreams.exchange import Behaviour, answer_well
from upstreams.faults import Misbehaviour, behaviour_of


class Scripted:
    """Keeps a script and a default, for answers and for free calls apart.

    Args:
        dialect: The vendor's name, which decides what faults can happen.
    """

    def __init__(self, dialect: str) -> None:
        self._dialect_name = dialect
        self._default: Behaviour = answer_well
        self._default_free: Behaviour = answer_well
        self._script: deque[Behaviour] = deque()
        self._free_script: deque[Behaviour] = deque()

    def script(self, *behaviours: Misbehaviour) -> None:
        """Treat the next requests for an answer like this, in order; then the default again."""
        self._script.extend(self._behaviour(item) for item in behaviours)

    def script_free(self, *behaviours: Misbehaviour) -> None:
        """Treat the next free calls (lists, key checks, health) like this, in order."""
        self._free_script.extend(self._behaviour(item) for item in behaviours)

    @property
    def default(self) -> Behaviour:
        """How requests for an answer are treated when nothing is scripted."""
        return self._default

    @default.setter
    def default(self, behaviour: Misbehaviour) -> None:
        self._default = self._behaviour(behaviour)

    @property
    def default_free(self) -> Behaviour:
        """How free calls are treated when nothing is scripted."""
        return self._default_free

    @default_free.setter
    def default_free(self, behaviour: Misbehaviour) -> None:
        self._default_free = self._behaviour(behaviour)

    def always(self, behaviour: Misbehaviour) -> None:
        """Treat every call like this, free ones too."""
        self.default = behaviour
        self.default_free = behaviour

    def recover(self) -> None:
        """Forget script and defaults: answer well again."""
        self._script.clear()
        self._free_script.clear()
        self._default = self._default_free = answer_well

    def next_for(self, endpoint: Endpoint) -> Behaviour:
        """Take what comes next for an endpoint of this kind."""
        script = self._script if endpoint.completes else self._free_script
        if script:
            return script.popleft()
        return self._default if endpoint.completes else self._default_free

    def _behaviour(self, item: Misbehaviour) -> Behaviour:
        return behaviour_of(item, self._dialect_name)
