"""A flame graph as SVG: no script in it, a tooltip on every frame.

Width is time; a frame stands on the one that called it. https://www.brendangregg.com/flamegraphs.html
explains how to read one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape

_WIDTH = 1200
_ROW = 16
_TOP = 52
_LEAST = 0.002  # share of all samples below which a frame is left out
_LETTER = 6.8  # pixels
_ROOMS = (
    ("FaultMaven", "#e8833a", r"faultmaven"),
    ("HTTP client", "#d35d6e", r"httpx|httpcore|h11|pyreqwest|anyio|sniffio"),
    ("web framework and server", "#5b8dc9", r"starlette|fastapi|uvicorn"),
    ("data and metrics", "#6aa67a", r"pydantic|prometheus_client|msgspec"),
    ("Python and the rest", "#b9b3a6", r""),
)
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
    'font-family="Menlo,Consolas,monospace" font-size="11">\n'
    '<rect width="100%" height="100%" fill="#fff"/>\n'
    '<text x="8" y="18" font-size="14" font-weight="bold">{title}</text>'
)


@dataclass(slots=True)
class _Frame:
    """A function in one place of the stacks, and everything it called."""

    name: str
    count: int = 0
    callees: dict[str, _Frame] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Box:
    """A frame in its place."""

    frame: _Frame
    left: float
    level: int


def drawn(samples: Mapping[tuple[str, ...], int], *, title: str) -> str:
    """The picture.

    Args:
        samples: stacks, outermost first, and how often each was seen.
        title: what it says above.
    """
    root = _tree(samples)
    boxes = list(_placed(root, left=0.0, level=0, least=_LEAST * root.count))
    levels = 1 + max((box.level for box in boxes), default=0)
    height = _TOP + levels * _ROW + 8
    head = _HEAD.format(width=_WIDTH, height=height, title=escape(title))
    scale = _WIDTH / max(1, root.count)
    body = (_box(box, root=root, scale=scale, height=height) for box in boxes)
    return "\n".join([head, *_legend(), *body, "</svg>", ""])


def _tree(samples: Mapping[tuple[str, ...], int]) -> _Frame:
    root = _Frame("all")
    for stack, count in samples.items():
        frame = root
        frame.count += count
        for name in stack:
            frame = frame.callees.setdefault(name, _Frame(name))
            frame.count += count
    return root


def _placed(frame: _Frame, *, left: float, level: int, least: float) -> Iterator[_Box]:
    yield _Box(frame, left, level)
    for callee in sorted(frame.callees.values(), key=lambda one: one.name):
        if callee.count >= least:
            yield from _placed(callee, left=left, level=level + 1, least=least)
        left += callee.count


def _box(box: _Box, *, root: _Frame, scale: float, height: int) -> str:
    width = max(0.5, box.frame.count * scale - 0.5)
    left, top = box.left * scale, height - 8 - (box.level + 1) * _ROW
    share = 100 * box.frame.count / max(1, root.count)
    name = box.frame.name
    label = name[: int((width - 4) / _LETTER)]
    text = (
        f'<text x="{left + 2:.1f}" y="{top + 12}">{escape(label)}</text>' if len(label) > 2 else ""  # noqa: PLR2004 - shorter says nothing
    )
    return (
        f"<g><title>{escape(name)} {share:.1f} %</title>"
        f'<rect x="{left:.1f}" y="{top}" width="{width:.1f}" height="{_ROW - 1}" '
        f'fill="{_color(name)}"/>{text}</g>'
    )


def _color(name: str) -> str:
    return next(color for _, color, pattern in _ROOMS if re.search(pattern, name))


def _legend() -> Iterator[str]:
    left = 8
    for room, color, _ in _ROOMS:
        yield f'<rect x="{left}" y="28" width="11" height="11" fill="{color}"/>'
        yield f'<text x="{left + 15}" y="38">{room}</text>'
        left += 40 + round(len(room) * _LETTER)
