"""What leaves, decided by where it goes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ParamSpec, TypeVar

from faultmaven.errors import ContentFilteredError
from faultmaven.models.credentials import PLACEHOLDER, mask_credentials
from faultmaven.models.interfaces import ProviderConfig
from faultmaven.models.live import Live, now
from faultmaven.models.prompt import Controls, Message, ResponseFormat, Tool, ToolCall

P = ParamSpec("P")
T = TypeVar("T")


def _or_nothing(mask: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """What masking gives; where it fails, nothing leaves.

    Raises:
        ContentFilteredError: it failed.
    """
    try:
        return mask(*args, **kwargs)
    except ContentFilteredError:
        raise
    except Exception as error:  # whatever went wrong, nothing leaves unmasked
        message = f"the text could not be masked, so it was not sent ({type(error).__name__})"
        raise ContentFilteredError(message) from error


@dataclass(frozen=True, slots=True)
class Redactor:
    """Masks messages for every provider that does not run on the operator's own machines.

    Attributes:
        mask: replaces secrets by placeholders. If it fails nothing is sent.
        redact_local: whether the local provider's messages are masked too.
        on_redaction: told the kind of what was masked, and how often.
    """

    mask: Callable[[str], str] = mask_credentials
    redact_local: Live[bool] = False
    on_redaction: Callable[[str, int], None] = lambda _kind, _count: None

    def for_provider(
        self, messages: tuple[Message, ...], config: ProviderConfig
    ) -> tuple[Message, ...]:
        """The messages as ``config``'s provider may see them.

        Raises:
            ContentFilteredError: they could not be masked, so nobody may see them.
        """
        if config.local and self._spares_local():
            return messages
        return _or_nothing(self._messages, messages)

    def controls_for(self, controls: Controls, config: ProviderConfig) -> Controls:
        """Tools and further fields as ``config``'s provider may see them.

        Raises:
            ContentFilteredError: they could not be masked, so nobody may see them.
        """
        said = controls.tools or controls.response_format or controls.parameters or controls.native
        if not said or (config.local and self._spares_local()):
            return controls
        return _or_nothing(self._controls, controls)

    def texts_for(self, texts: tuple[str, ...], config: ProviderConfig) -> tuple[str, ...]:
        """Short texts, such as stop sequences, as ``config``'s provider may see them.

        Raises:
            ContentFilteredError: they could not be masked, so nobody may see them.
        """
        if not texts or (config.local and self._spares_local()):
            return texts
        return _or_nothing(self._texts, texts)

    def _spares_local(self) -> bool:
        return not now(self.redact_local)

    def _texts(self, texts: tuple[str, ...]) -> tuple[str, ...]:
        return tuple([self._masked(text) for text in texts])

    def _controls(self, controls: Controls) -> Controls:
        return replace(
            controls,
            tools=tuple([self._tool(tool) for tool in controls.tools]),
            response_format=self._format(controls.response_format),
            parameters=self._value(controls.parameters),
            native=self._value(controls.native),
        )

    def _format(self, asked: ResponseFormat | None) -> ResponseFormat | None:
        if asked is None:
            return None
        said = self._masked(asked.description)
        return replace(asked, schema=self._value(asked.schema), description=said)

    def _messages(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        return tuple([self._message(message) for message in messages])

    def _message(self, message: Message) -> Message:
        for image in message.images:
            self._require_clean(image.url)
        text, name, calls = self._masked(message.text), message.name, message.tool_calls
        if name or calls:
            name, calls = self._masked(name), tuple([self._call(call) for call in calls])
        if (text, name, calls) == (message.text, message.name, message.tool_calls):
            return message
        return replace(message, text=text, name=name, tool_calls=calls)

    def _call(self, call: ToolCall) -> ToolCall:
        arguments = self._masked(call.arguments)
        return call if arguments == call.arguments else replace(call, arguments=arguments)

    def _require_clean(self, url: str) -> None:
        """Refuse an address that holds a credential: masked it would lead nowhere.

        Raises:
            ContentFilteredError: it does.
        """
        if url and self.mask(url) != url:
            message = "the address of a picture holds a credential, so it was not sent"
            raise ContentFilteredError(message)

    def _tool(self, tool: Tool) -> Tool:
        described = self._masked(tool.description)
        return replace(tool, description=described, parameters=self._value(tool.parameters))

    def _value(self, value: Any) -> Any:
        """JSON data with every text in it masked; names of fields stay."""
        if isinstance(value, str):
            return self._masked(value)
        if isinstance(value, Mapping):
            return {name: self._named(name, part) for name, part in value.items()}
        return [self._value(part) for part in value] if isinstance(value, list | tuple) else value

    def _named(self, name: str, value: Any) -> Any:
        """A field's value, masked too where only its name tells that it is a secret."""
        if isinstance(value, list | tuple):
            return [self._named(name, part) for part in value]
        masked = self._value(value)
        if not isinstance(masked, str) or masked != value:
            return masked
        line = f"{name}: {masked}"
        return value if self.mask(line) == line else self._masked(line).partition(": ")[2]

    def _masked(self, text: str) -> str:
        masked = self.mask(text) if text else text
        if masked != text:
            found = Counter(PLACEHOLDER.findall(masked)) - Counter(PLACEHOLDER.findall(text))
            for kind, count in found.items():
                self.on_redaction(kind, count)
        return masked
