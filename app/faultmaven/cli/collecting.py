"""How often the garbage collector looks: the more is in flight, the more there is to look at.

It looks after so many objects more than were given back, at all that came since it last looked.
What a request makes lives until its answer has left: where hundreds are in flight and come and
go in waves, it would look dozens of times a second at tens of thousands of objects, none of them
garbage yet, and stop the event loop for tens of milliseconds each time.
"""

from __future__ import annotations

import gc

_LEAST = 10_000  # objects; requests leave next to nothing that only the collector would find
_OBJECTS = 128  # of a request in flight, about
_KEPT = 7 / 8  # of the most that were in flight lately, each time nobody is


class Collecting:
    """Paces the collector; one for the process."""

    def __init__(self) -> None:
        self._set, *self._older = gc.get_threshold()
        self._lately = 0.0

    def pace(self, in_flight: int) -> None:
        """Have it look less often the more is in flight.

        Args:
            in_flight: requests at this moment; to be told several times a second.
        """
        self._lately = max(in_flight, self._lately * _KEPT)
        young = max(_LEAST, _OBJECTS * round(self._lately))
        if young != self._set:
            gc.set_threshold(young, *self._older)
            self._set = young
