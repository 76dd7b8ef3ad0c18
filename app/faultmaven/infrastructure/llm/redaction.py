"""What leaves, decided by where it goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace

from faultmaven.errors import ContentFilteredError
from faultmaven.models.credentials import PLACEHOLDER, mask_credentials
from faultmaven.models.interfaces import ProviderConfig
from faultmaven.models.prompt import Message


@dataclass(frozen=True, slots=True)
class Redactor:
    """Masks messages for every provider that does not run on the operator's own machines.

    Attributes:
        mask: replaces secrets by placeholders. If it fails nothing is sent.
        redact_local: whether the local provider's messages are masked too.
        on_redaction: told the kind of what was masked, and how often.
    """

    mask: Callable[[str], str] = mask_credentials
    redact_local: bool = False
    on_redaction: Callable[[str, int], None] = lambda _kind, _count: None

    def for_provider(
        self, messages: tuple[Message, ...], config: ProviderConfig
    ) -> tuple[Message, ...]:
        """The messages as ``config``'s provider may see them.

        Raises:
            ContentFilteredError: they could not be masked, so nobody may see them.
        """
        if config.local and not self.redact_local:
            return messages
        try:
            return tuple(replace(message, text=self._masked(message.text)) for message in messages)
        except Exception as error:  # whatever went wrong, nothing leaves unmasked
            message = f"the text could not be masked, so it was not sent ({type(error).__name__})"
            raise ContentFilteredError(message) from error

    def _masked(self, text: str) -> str:
        masked = self.mask(text)
        if masked != text:
            found = Counter(PLACEHOLDER.findall(masked)) - Counter(PLACEHOLDER.findall(text))
            for kind, count in found.items():
                self.on_redaction(kind, count)
        return masked
