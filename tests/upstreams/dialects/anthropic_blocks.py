"""What Anthropic checks in the blocks of a turn."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from upstreams.dialects import fields
from upstreams.dialects.anthropic_answer import VENDOR
from upstreams.dialects.chat_rules import is_base64
from upstreams.dialects.problems import Problem, Refused
from upstreams.dialects.signatures import sign

_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
_ID = re.compile(r"[a-zA-Z0-9_-]+")
_NAME = re.compile(r"[a-zA-Z0-9_-]{1,200}")


def check_blocks(content: Any, *, role: str, place: str) -> None:
    """Check a turn's content: a text or a list of blocks its role may have."""
    if not isinstance(content, str | list):
        raise Refused(Problem.INVALID, f"{place}.content: Field required")
    if not content:
        raise Refused(Problem.INVALID, f"{place}: text content blocks must be non-empty")
    if isinstance(content, list):
        for number, block in enumerate(content):
            _check_block(block, kinds=_BLOCKS[role], where=f"{place}.content.{number}")


def _check_block(block: Any, *, kinds: "Kinds", where: str) -> None:
    kind = str(block.get("type")) if isinstance(block, dict) else ""
    if kind not in kinds:
        tags = ", ".join(f"'{name}'" for name in kinds)
        text = f"{where}: Input tag '{kind}' does not match any of the expected tags: {tags}"
        raise Refused(Problem.INVALID, text)
    kinds[kind](block, where)


def _check_text(block: Mapping[str, Any], where: str) -> None:
    if not isinstance(block.get("text"), str):
        raise Refused(Problem.INVALID, f"{where}.text: Field required")
    if not block["text"]:
        raise Refused(Problem.INVALID, f"{where}: text content blocks must be non-empty")


def _check_image(block: Mapping[str, Any], where: str) -> None:
    source = fields.mapping(block, "source")
    kind = source.get("type")
    if kind == "url" and str(source.get("url")).startswith(("https://", "http://")):
        return
    if kind != "base64":
        raise Refused(Problem.INVALID, f"{where}.source: Input should be base64 or a url")
    if source.get("media_type") not in _IMAGES:
        raise Refused(
            Problem.INVALID, f"{where}.source.base64.media_type: Input should be an image"
        )
    if not is_base64(source.get("data")):
        raise Refused(Problem.INVALID, f"{where}.source.base64.data: invalid base64 data")


def _check_use(block: Mapping[str, Any], where: str) -> None:
    if not _ID.fullmatch(str(block.get("id", ""))):
        text = f"{where}.tool_use.id: String should match pattern '^[a-zA-Z0-9_-]+$'"
        raise Refused(Problem.INVALID, text)
    if not _NAME.fullmatch(str(block.get("name", ""))):
        raise Refused(Problem.INVALID, f"{where}.tool_use.name: String should match pattern")
    if not isinstance(block.get("input"), dict):
        text = f"{where}.tool_use.input: Input should be a valid dictionary"
        raise Refused(Problem.INVALID, text)


def _check_result(block: Mapping[str, Any], where: str) -> None:
    if not isinstance(block.get("tool_use_id"), str):
        raise Refused(Problem.INVALID, f"{where}.tool_result.tool_use_id: Field required")
    content = block.get("content", "")
    if not isinstance(content, str | list):
        text = f"{where}.tool_result.content: Input should be a valid string or list"
        raise Refused(Problem.INVALID, text)
    for number, part in enumerate(content if isinstance(content, list) else ()):
        _check_block(part, kinds=_RESULT_BLOCKS, where=f"{where}.tool_result.content.{number}")


def _check_thinking(block: Mapping[str, Any], where: str) -> None:
    """Know the own thoughts again; those of another vendor, or changed ones, are none."""
    if not isinstance(block.get("signature"), str):
        raise Refused(Problem.INVALID, f"{where}.thinking.signature: Field required")
    if block["signature"] != sign(VENDOR, str(block.get("thinking"))):
        raise Refused(Problem.INVALID, f"{where}: Invalid `signature` in `thinking` block")


def _check_redacted(block: Mapping[str, Any], where: str) -> None:
    if not isinstance(block.get("data"), str):
        raise Refused(Problem.INVALID, f"{where}.redacted_thinking.data: Field required")


def _check_document(block: Mapping[str, Any], where: str) -> None:
    if not isinstance(block.get("source"), dict):
        raise Refused(Problem.INVALID, f"{where}.document.source: Field required")


Kinds = Mapping[str, Callable[[Mapping[str, Any], str], None]]
"""Which blocks there may be, each with what is checked in it."""

_RESULT_BLOCKS: Kinds = {"text": _check_text, "image": _check_image, "document": _check_document}
_BLOCKS: Mapping[str, Kinds] = {
    "user": {**_RESULT_BLOCKS, "tool_result": _check_result},
    "assistant": {
        "text": _check_text,
        "tool_use": _check_use,
        "thinking": _check_thinking,
        "redacted_thinking": _check_redacted,
    },
}
