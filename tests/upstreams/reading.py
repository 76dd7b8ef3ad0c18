"""Reading each vendor's stream as its own clients do."""

from collections.abc import Callable, Mapping

from upstreams.client import Received


def _openai_text(received: Received) -> str:
    """Read a stream in OpenAI's shape."""
    chunks = [event.json for event in received.events if event.text != "[DONE]"]
    return "".join(
        chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks if chunk["choices"]
    )


def _anthropic_text(received: Received) -> str:
    """Read Anthropic's text deltas."""
    deltas = [
        event.json["delta"] for event in received.events if event.name == "content_block_delta"
    ]
    return "".join(delta.get("text", "") for delta in deltas)


def _gemini_text(received: Received) -> str:
    """Read the parts that are no thoughts."""
    candidates = [event.json["candidates"][0] for event in received.events]
    parts = [part for candidate in candidates for part in candidate["content"]["parts"]]
    return "".join(part["text"] for part in parts if not part.get("thought"))


def _cohere_text(received: Received) -> str:
    """Read the content deltas."""
    deltas = [event.json for event in received.events if event.name == "content-delta"]
    return "".join(delta["delta"]["message"]["content"].get("text", "") for delta in deltas)


def _token_text(received: Received) -> str:
    """Read the tokens that are none of the model's marks."""
    tokens = [event.json["token"] for event in received.events]
    return "".join(token["text"] for token in tokens if not token["special"])


_READERS: Mapping[tuple[str, int], Callable[[Received], str]] = {
    ("anthropic", 0): _anthropic_text,
    ("gemini", 0): _gemini_text,
    ("gemini", 1): _gemini_text,
    ("cohere", 0): lambda got: "".join(line.get("text", "") for line in got.lines),
    ("cohere", 1): _cohere_text,
    ("ollama", 0): lambda got: "".join(line["message"]["content"] for line in got.lines),
    ("tgi", 0): _token_text,
    ("hf_endpoint", 0): _token_text,
    ("hf_endpoint", 1): _token_text,
    ("hf_endpoint_object", 0): _token_text,
    ("hf_endpoint_object", 1): _token_text,
    ("llamacpp", 1): lambda got: "".join(event.json["content"] for event in got.events),
}


def text_of(dialect: str, number: int, received: Received) -> str:
    """Read the text of a vendor's stream, asked for with the sample of this number."""
    return _READERS.get((dialect, number), _openai_text)(received)
