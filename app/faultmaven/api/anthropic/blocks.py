"""The blocks that Anthropic's conversations are made of, checked."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from faultmaven.api.extensions import require_base64, written
from faultmaven.models.faults import fault

_NEEDED: dict[str, tuple[str, ...]] = {
    "text": ("text",),
    "image": ("source",),
    "tool_use": ("id", "name", "input"),
    "tool_result": ("tool_use_id",),
    "thinking": ("thinking",),
    "redacted_thinking": ("data",),
}
_SAYABLE = {
    "user": ("text", "image", "tool_result"),
    "assistant": ("text", "tool_use", "thinking", "redacted_thinking"),
    "system": ("text",),
}
_IN_RESULT = ("text", "image")
# What clients may well send and no other vendor could read. Named in errors, so a closed set.
_ANTHROPICS_OWN = frozenset(
    {
        "code_execution_tool_result",
        "container_upload",
        "document",
        "mcp_tool_result",
        "mcp_tool_use",
        "search_result",
        "server_tool_use",
        "tool_reference",
        "web_fetch_tool_result",
        "web_search_tool_result",
    }
)
_WEB_ADDRESS = re.compile(r"https?://\S+")
_MEDIA_TYPE = re.compile(r"image/[a-z0-9.+-]{1,40}")


class Shape(BaseModel):
    """What we read: strict in what we know, deaf to the rest, such as ``cache_control``."""

    model_config = ConfigDict(strict=True, extra="ignore", frozen=True, defer_build=True)


class Source(Shape):
    """Where a picture is: in the request, or at an address."""

    type: str
    media_type: str = ""
    data: str = ""
    url: str = ""

    @model_validator(mode="after")
    def _is_usable(self) -> Source:
        if self.type == "base64":
            _require_media_type(self.media_type)
            _require("data", given=bool(self.data))
            require_base64(self.data, field="data")
        elif self.type == "url":
            _require_web_address(self.url)
        else:
            message = "must be base64 or url"
            raise fault(message, fix="Send the picture itself, base64.", field="type")
        return self


def _as_blocks(content: Any) -> Any:
    """A text as the one block that it stands for."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _as_arguments(value: Any) -> Any:
    """The arguments of a call as JSON text."""
    if value is None:
        return None
    if not isinstance(value, dict):
        raise fault("must be an object", fix="Send {...}.")
    return written(value)


class Block(Shape):
    """One block; which fields it needs depends on its type."""

    type: str
    text: str | None = None
    source: Source | None = None
    id: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    name: Annotated[str, Field(min_length=1, max_length=128)] | None = None
    input: Annotated[
        str | None,
        BeforeValidator(_as_arguments, json_schema_input_type=dict[str, Any] | None),
    ] = None
    tool_use_id: Annotated[str, Field(min_length=1, max_length=256)] | None = None
    content: Annotated[
        list[Block] | None,
        BeforeValidator(_as_blocks, json_schema_input_type="str | list[Block] | None"),
    ] = None
    is_error: bool | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _is_known(cls, data: Any) -> Any:
        """Refuse a type that has no meaning here before its fields are looked at."""
        kind = data.get("type") if isinstance(data, dict) else None
        if isinstance(kind, str) and kind not in _NEEDED:
            raise _unreadable(kind)
        return data

    @model_validator(mode="after")
    def _is_whole(self) -> Block:
        for name in _NEEDED[self.type]:
            _require(name, given=getattr(self, name) is not None)
        if self.type == "tool_result":
            require_types(self.content or (), _IN_RESULT, whose="a tool's result")
        return self


Content = Annotated[
    list[Block], BeforeValidator(_as_blocks, json_schema_input_type=str | list[Block])
]
"""A list of blocks, or a text for one block of text."""


class Turn(Shape):
    """One message of the conversation."""

    role: Literal["user", "assistant", "system"]
    content: Content

    @model_validator(mode="after")
    def _is_sayable(self) -> Turn:
        require_types(self.content, _SAYABLE[self.role], whose=f"the {self.role}'s message")
        if self.role == "user" and not any(map(_says_something, self.content)):
            raise fault("must not be blank", fix="Send a text.", field="content")
        return self


def require_types(
    blocks: Sequence[Block], types: Collection[str], *, whose: str, field: str = "content"
) -> None:
    """Refuse blocks that do not belong there.

    Args:
        blocks: what stands there.
        types: what may stand there.
        whose: what holds them, in words.
        field: its name.

    Raises:
        PydanticCustomError: one of them; names its place and, from a closed set, its type.
    """
    for place, block in enumerate(blocks):
        if block.type not in types:
            raise fault(
                f"is {block.type}, which {whose} cannot hold",
                fix=f"It may hold {', '.join(types)}.",
                field=f"{field}.{place}.type",
            )


def _says_something(block: Block) -> bool:
    return block.type != "text" or bool(block.text and not block.text.isspace())


def _unreadable(kind: str) -> Exception:
    if kind not in _ANTHROPICS_OWN:
        return fault(
            "is not a type of block that this service knows",
            fix=f"It knows {', '.join(_NEEDED)}.",
            field="type",
        )
    return fault(
        f"is {kind}, which only Anthropic itself can read, not every provider behind this service",
        fix="Send its words as a text block, its pictures as image blocks.",
        field="type",
    )


def _require(field: str, *, given: bool) -> None:
    if not given:
        raise fault("is missing", fix="Add the field.", field=field)


def _require_media_type(media_type: str) -> None:
    if not _MEDIA_TYPE.fullmatch(media_type):
        raise fault("must be a picture's", fix="Send image/png, say.", field="media_type")


def _require_web_address(url: str) -> None:
    if not _WEB_ADDRESS.fullmatch(url):
        raise fault("must be a web address", fix="It begins with https://.", field="url")
