"""What Google checks in a request for an embedding, and what it answers."""

from collections.abc import Mapping
from typing import Any

from upstreams.dialects import fields
from upstreams.dialects.gemini_rules import only_known
from upstreams.dialects.gemini_tools import read
from upstreams.dialects.problems import Problem, Refused
from upstreams.dialects.vectors import SIZE, vector

_FIELDS = frozenset(
    {"model", "content", "taskType", "title", "outputDimensionality", "embedContentConfig"}
)


def check_embedding(item: Any) -> None:
    """Check one request: a content with a text."""
    if not isinstance(item, dict):
        raise Refused(Problem.INVALID, 'Invalid value at "requests[]": expected an object.')
    only_known(item, _FIELDS, "requests[]")
    parts = fields.mapping(item, "content").get("parts")
    if not isinstance(parts, list) or not "".join(str(part.get("text", "")) for part in parts):
        raise Refused(Problem.INVALID, "content is required and must not be empty.")
    fields.positive(item, "outputDimensionality")


def embedding(item: Mapping[str, Any]) -> dict[str, Any]:
    """Embed one request's text."""
    text = "".join(part.get("text", "") for part in item["content"]["parts"])
    return {"values": vector(text, int(read(item, "outputDimensionality") or SIZE))}
