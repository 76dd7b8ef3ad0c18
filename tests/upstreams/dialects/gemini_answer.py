"""Google's candidates: their parts, their counts, their signatures."""

from collections.abc import Iterator, Mapping
from typing import Any

from upstreams.dialects.answer import Answer, Call, Finish, Tokens, as_json, as_pieces, cut
from upstreams.dialects.signatures import sign
from upstreams.dialects.stream import Stage

VENDOR = "gemini"
"""Who signs the thoughts."""

_FINISH: Mapping[Finish, str] = {
    Finish.STOP: "STOP",
    Finish.LENGTH: "MAX_TOKENS",
    Finish.FILTER: "SAFETY",
    Finish.REFUSAL: "PROHIBITED_CONTENT",
    Finish.TOOL: "STOP",
}


def signs(model: str) -> bool:
    """Tell whether a model signs its function calls and wants the signatures back."""
    return model.startswith("gemini-3")


def candidate(parts: list[dict[str, Any]], *, finish: Finish | None = None) -> dict[str, Any]:
    """Write the only candidate, or a piece of it, which has no finish yet."""
    body: dict[str, Any] = {"index": 0}
    if finish is not None:
        body["finishReason"] = _FINISH[finish]
    if parts:
        body["content"] = {"role": "model", "parts": parts}
    return body | {"safetyRatings": []}


def parts(answer: Answer, text: str, *, signed: bool) -> list[dict[str, Any]]:
    """Write the parts of a whole answer."""
    written: list[dict[str, Any]] = []
    if answer.thinking:
        written.append({"text": answer.thinking, "thought": True})
    if not answer.silent:
        middle = len(text) // 2 if answer.parts else len(text)
        written += [{"text": piece} for piece in (text[:middle], text[middle:]) if piece]
    return [*written, *_calls(answer, signed=signed)]


def told_parts(
    answer: Answer, text: str, *, signed: bool
) -> Iterator[tuple[Stage, dict[str, Any]]]:
    """Give the parts as they are streamed."""
    for piece in cut(answer.thinking or ""):
        yield Stage.THINKING, {"text": piece, "thought": True}
    for piece in as_pieces(answer, text):
        yield Stage.CONTENT, {"text": piece}
    for part in _calls(answer, signed=signed):
        yield Stage.CONTENT, part


def signature_of(name: str, arguments: Mapping[str, Any]) -> str:
    """Give the signature the model puts on a function call."""
    return sign(VENDOR, f"{name} {as_json(dict(sorted(arguments.items())))}")


def usage(tokens: Tokens) -> dict[str, Any]:
    """Write the token counts."""
    return {
        "promptTokenCount": tokens.prompt,
        "candidatesTokenCount": tokens.completion - tokens.thinking,
        "thoughtsTokenCount": tokens.thinking,
        "cachedContentTokenCount": 0,
        "totalTokenCount": tokens.total,
    }


def _calls(answer: Answer, *, signed: bool) -> list[dict[str, Any]]:
    """Write the function calls; only the first of them is signed."""
    written: list[dict[str, Any]] = [{"functionCall": _call(call)} for call in answer.calls]
    if signed and written:
        first = answer.calls[0]
        written[0]["thoughtSignature"] = signature_of(first.name, first.arguments)
    return written


def _call(call: Call) -> dict[str, Any]:
    body: dict[str, Any] = {"name": call.name, "args": dict(call.arguments)}
    return body | ({"id": call.id} if call.id else {})
