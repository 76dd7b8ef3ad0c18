"""A model that uses tools: it calls first, and answers once it has the results."""

import json
from collections.abc import Callable, Iterator
from typing import Any

from upstreams.dialects.answer import Answer, Call, calling
from upstreams.messages import Request


def using(*calls: Call, say: str = "{}", **changes: Any) -> Callable[[Request], Answer]:
    """Make an answer source that calls these tools, and then says a text with their results.

    `changes` are fields of every `Answer`; `{}` in `say` stands for the results.
    """

    def answer(request: Request) -> Answer:
        results = tool_results(request)
        if not results:
            return calling(*calls, **changes)
        return Answer(text=say.replace("{}", ", ".join(results)), **changes)

    return answer


def tool_results(request: Request) -> tuple[str, ...]:
    """Read the results of tools in a request, whatever the vendor's format."""
    body = request.fields
    return tuple(_in_messages(body.get("messages") or ())) + tuple(
        _in_contents(body.get("contents") or ())
    )


def _in_messages(messages: Any) -> Iterator[str]:
    for message in messages:
        if message["role"] == "tool":
            yield _text(message["content"])
        elif isinstance(message.get("content"), list):
            for block in message["content"]:
                if block.get("type") == "tool_result":
                    yield _text(block.get("content", ""))


def _in_contents(contents: Any) -> Iterator[str]:
    for turn in contents:
        for part in turn["parts"]:
            found = part.get("functionResponse", part.get("function_response"))
            if found is not None:
                yield json.dumps(found["response"], ensure_ascii=False)


def _text(content: Any) -> str:
    if isinstance(content, str):
        return content
    return "".join(_part_text(part) for part in content)


def _part_text(part: Any) -> str:
    """Read a text part; a document of Cohere's has its text deeper."""
    if "document" in part:
        return str(part["document"].get("data", ""))
    return str(part.get("text", ""))
