"""What happened, on its way to the log without a record where nobody else wants one.

A record of the logging module is made for every filter and handler that may want to look at it.
Where our own handler is the only one to hear of it, which is so in the service, making the record
and handing it round costs several times as much as writing its line.
"""

from __future__ import annotations

import logging

from faultmaven.infrastructure.observability.log_format import Fields, without_credentials
from faultmaven.infrastructure.observability.log_handler import LineHandler


class Journal:
    """Tells events through a logger: levels, filters and handlers work as they do for any other.

    Args:
        name: the logger's.
    """

    def __init__(self, name: str) -> None:
        self._logger = logging.getLogger(name)

    def tell(self, level: int, sentence: str, words: str | None, fields: Fields) -> None:
        """Write an event's line, if its level is wanted.

        Args:
            level: as the logging module has it.
            sentence: the event for a person.
            words: the sentence with fixed numbers in place of its own, or ``None`` if it quotes
                what others said; see `without_credentials`.
            fields: the event for a machine.
        """
        if not self._logger.isEnabledFor(level):
            return
        handler = self._only_ours()
        if handler is None:
            self._logger.log(level, sentence, extra={"fields": fields()})
        else:
            handler.tell(self._logger.name, level, without_credentials(sentence, words), fields)

    def _only_ours(self) -> LineHandler | None:
        """Our handler, if it alone would be given a record, and as it is."""
        found: LineHandler | None = None
        place: logging.Logger | None = self._logger
        if self._logger.filters:
            return None
        while place is not None:
            for handler in place.handlers:
                if type(handler) is logging.NullHandler:  # hears nothing
                    continue
                if found is not None or type(handler) is not LineHandler:
                    return None
                found = handler
            place = place.parent if place.propagate else None
        return None if found is None or found.filters or found.level else found
