"""Conversations in the arrangements vendors ask for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import groupby

from faultmaven.errors import ProviderRequestError
from faultmaven.models.prompt import Message

_LABELS = {"user": "User", "assistant": "Assistant"}


def system_text(messages: Iterable[Message]) -> str:
    """Every system message in one text, for formats that have one place for it."""
    return "\n\n".join(message.text for message in messages if message.role == "system")


def dialogue(messages: Iterable[Message]) -> tuple[Message, ...]:
    """The turns without the system's: blank ones dropped, neighbours of one role merged."""
    turns = [item for item in messages if item.role != "system" and (item.text or item.images)]
    return tuple(_merge(tuple(group)) for _, group in groupby(turns, key=lambda item: item.role))


def flatten(messages: Sequence[Message]) -> str:
    """The conversation as one prompt, for formats that know no messages.

    A single question stands alone, below the system's text if there is one. A longer
    conversation becomes paragraphs headed ``User:`` and ``Assistant:``, and ends with
    ``Assistant:``, which the model continues.

    Raises:
        ProviderRequestError: there are pictures, which one prompt cannot carry; falls back.
    """
    refuse_images(messages)
    system, turns = system_text(messages), dialogue(messages)
    if len(turns) == 1:
        return "\n\n".join(filter(None, (system, turns[0].text)))
    lines = [f"{_LABELS[turn.role]}: {turn.text}" for turn in turns]
    return "\n\n".join((*filter(None, (system,)), *lines, f"{_LABELS['assistant']}:"))


def refuse_images(messages: Iterable[Message]) -> None:
    """Refuse pictures where the format has no place for them.

    Raises:
        ProviderRequestError: there are some; another provider may take them.
    """
    if any(message.images for message in messages):
        error = ProviderRequestError("this wire format carries no images")
        error.falls_back = True
        raise error


def _merge(group: tuple[Message, ...]) -> Message:
    text = "\n\n".join(message.text for message in group if message.text)
    images = tuple(image for message in group for image in message.images)
    return replace(group[0], text=text, images=images)
