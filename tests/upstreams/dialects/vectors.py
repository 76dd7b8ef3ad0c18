"""Small vectors made from texts: the same text always has the same one."""

import base64
import hashlib
import math
import struct

SIZE = 8
"""Numbers in a vector unless the request wants more or fewer."""


def vector(text: str, size: int = SIZE) -> list[float]:
    """Make a vector of length 1 from a text, of numbers that single precision holds exactly."""
    raw = [_number(text, place) for place in range(size)]
    length = math.sqrt(sum(number * number for number in raw))
    return list(struct.unpack(f"<{size}f", struct.pack(f"<{size}f", *(n / length for n in raw))))


def _number(text: str, place: int) -> float:
    digest = hashlib.sha256(f"{place}\0{text}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:4], "big") / (1 << 31) - 1.0


def packed(numbers: list[float]) -> str:
    """Write a vector as base64 of little-endian single precision, as OpenAI does."""
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
