"""What a message of a chat consists of, checked.

https://platform.openai.com/docs/api-reference/chat/create; as lenient as OpenAI itself is.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Discriminator, Field, Tag
from pydantic import model_validator as checked

from faultmaven.api.extensions import require_base64
from faultmaven.models.faults import fault
from faultmaven.models.prompt import Image

_DATA_URL = re.compile(r"data:(image/[\w.+-]+)(?:;[\w.+-]+=[\w.+-]+)*;base64,(.*)", re.DOTALL)
_WEB_URL = re.compile(r"https?://[^\s\x00-\x20]+", re.IGNORECASE)
_SHOWING = frozenset({"user", "tool"})  # the roles that may hold a picture
_ELSEWHERE = frozenset({"input_audio", "file", "video_url"})


class Shape(BaseModel):
    """A part of a request: its types are exact, and what is unknown in it has no effect."""

    model_config = ConfigDict(strict=True, extra="ignore", defer_build=True)


def _part_type(name: str) -> str:
    if name in _ELSEWHERE:
        raise fault(
            f"cannot be {name}: parts of that kind reach no provider from here",
            fix="Send text and image_url parts.",
        )
    if name not in {"text", "image_url", "refusal"}:
        raise fault("must be text, image_url or refusal", fix="Use one of these.")
    return name


def _image_url(url: str) -> str:
    """The address, if it is one of the web or holds the picture itself."""
    found = _DATA_URL.fullmatch(url)
    if found is not None:
        require_base64(found[2])
    elif not _WEB_URL.fullmatch(url):
        raise fault(
            "must be an https address, or a data URL with a base64 image",
            fix="Send https://... or data:image/png;base64,...",
        )
    return url


class ImageAddress(Shape):
    """Where a picture is, or the picture itself."""

    url: Annotated[str, AfterValidator(_image_url)]
    detail: Literal["auto", "low", "high", "original"] | None = None

    @property
    def image(self) -> Image:
        """The picture in our words."""
        found = _DATA_URL.fullmatch(self.url)
        if found is None:
            return Image(url=self.url, detail=self.detail or "")
        return Image(media_type=found[1], data=found[2], detail=self.detail or "")


class Part(Shape):
    """One part of a message's content."""

    type: Annotated[str, AfterValidator(_part_type)]
    text: str | None = None
    image_url: ImageAddress | None = None
    refusal: str | None = None

    @checked(mode="after")
    def _says_what_it_is(self) -> Part:
        if getattr(self, self.type) is None:
            raise fault("is missing", fix="Add the field.", field=self.type)
        return self


def _kind_of_text(value: object) -> str:
    return "#text" if isinstance(value, str) else "#list"


Content = Annotated[
    Annotated[str, Tag("#text")] | Annotated[list[Part], Tag("#list")],
    Discriminator(_kind_of_text),
]
"""A text, or a list of parts."""

Texts = Annotated[
    Annotated[str, Tag("#text")] | Annotated[list[str], Tag("#list")],
    Discriminator(_kind_of_text),
]
"""One text or several."""


class FunctionCall(Shape):
    """Which function, with which arguments."""

    name: Annotated[str, Field(min_length=1)]
    arguments: str


class Google(Shape):
    """What Gemini wants to see again, where Google's own compatible endpoint puts it."""

    thought_signature: str | None = None


class ExtraContent(Shape):
    """What vendors add to a tool call."""

    google: Google | None = None


class Call(Shape):
    """A tool that the assistant wanted used."""

    id: Annotated[str, Field(min_length=1)]
    type: Literal["function"] = "function"
    function: FunctionCall
    extra_content: ExtraContent | None = None

    @property
    def signature(self) -> str:
        """The vendor's proof, or an empty text."""
        google = self.extra_content.google if self.extra_content else None
        return (google.thought_signature if google else None) or ""


class ThinkingBlock(Shape):
    """A signed thought, as LiteLLM writes those of Anthropic."""

    type: Literal["thinking", "redacted_thinking"]
    thinking: str = ""
    signature: str | None = None
    data: str = ""


class ChatMessage(Shape):
    """One message."""

    role: Literal["developer", "system", "user", "assistant", "tool", "function"]
    content: Content | None = None
    name: str | None = None
    refusal: str | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    function_call: FunctionCall | None = None
    thinking_blocks: list[ThinkingBlock] | None = None

    @checked(mode="after")
    def _is_whole(self) -> ChatMessage:
        if self.role == "tool" and not self.tool_call_id:
            raise _missing("tool_call_id", "Send the id of the call that this is the result of.")
        if self.role == "function" and not self.name:
            raise _missing("name", "Send the name of the function that this is the result of.")
        if self.content is None and not self._may_be_silent:
            raise _missing("content", "Send a text or a list of parts.")
        if self.role not in _SHOWING and self.images:
            raise fault(
                "holds an image, which only a user message may", fix="Move it.", field="content"
            )
        return self

    @property
    def text(self) -> str:
        """What is said, parts of text one below the other."""
        if isinstance(self.content, str):
            return self.content
        said = [part.text or part.refusal for part in self.content or ()]
        return "\n".join(text for text in said if text) or self.refusal or ""

    @property
    def images(self) -> tuple[Image, ...]:
        """Its pictures."""
        if self.content is None or isinstance(self.content, str):
            return ()
        return tuple(part.image_url.image for part in self.content if part.image_url)

    @property
    def _may_be_silent(self) -> bool:
        if self.role == "assistant":
            return bool(self.tool_calls or self.function_call or self.refusal)
        return self.role == "function"


def _missing(field: str, fix: str) -> Any:
    return fault("is missing", fix=fix, field=field)
