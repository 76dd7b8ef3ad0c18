"""What of a request a format has no word for."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from faultmaven.errors import UnsupportedRequestError
from faultmaven.infrastructure.llm.wire.types import CompletionRequest

_SAYS_ALL = "openai"


def left_out(
    request: CompletionRequest, *, carried: Collection[str], protocol: str = ""
) -> tuple[str, ...]:
    """Names of the fields that are asked for and not sent, sorted.

    Args:
        request: what is asked.
        carried: names of `Controls.parameters` that the format has a word for.
        protocol: whose `Controls.native` fields the format sends as they are; or empty.
    """
    controls = request.controls
    foreign = {
        name for owner, fields in controls.native.items() if owner != protocol for name in fields
    }
    silent = () if protocol == _SAYS_ALL else _unsaid(request)
    return tuple(sorted({*foreign, *silent, *(controls.parameters.keys() - set(carried))}))


def _unsaid(request: CompletionRequest) -> Iterator[str]:
    """What only one protocol has a place for, wherever it stands."""
    form = request.controls.response_format
    if form is not None and form.description:
        yield "response_format.json_schema.description"
    if any(message.name for message in request.messages):
        yield "messages.name"


def refuse_controls(request: CompletionRequest, who: str) -> None:
    """Refuse what a format that carries nothing but text has no place for.

    Raises:
        UnsupportedRequestError: tools are offered, or a form of the answer is demanded.
    """
    if request.controls.tools:
        raise UnsupportedRequestError(f"{who} takes no tools")
    if request.controls.response_format is not None:
        raise UnsupportedRequestError(f"{who} cannot be held to a form of the answer")
