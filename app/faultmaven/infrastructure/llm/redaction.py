"""What leaves, decided by where it goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from faultmaven.errors import ContentFilteredError
from faultmaven.models.credentials import mask_credentials
from faultmaven.models.interfaces import ProviderConfig
from faultmaven.models.prompt import Message


@dataclass(frozen=True, slots=True)
class Redactor:
    """Masks messages for every provider that does not run on the operator's own machines.

    Attributes:
        mask: replaces secrets by placeholders. If it fails nothing is sent.
        redact_local: whether the local provider's messages are masked too.
    """

    mask: Callable[[str], str] = mask_credentials
    redact_local: bool = False

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
            return tuple(replace(message, text=self.mask(message.text)) for message in messages)
        except Exception as error:  # whatever went wrong, nothing leaves unmasked
            message = f"the text could not be masked, so it was not sent ({type(error).__name__})"
            raise ContentFilteredError(message) from error
