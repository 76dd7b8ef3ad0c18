"""The chart: requests a second of every gateway, drawn from a record as SVG."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape

from bench.speed.record import Entry, Record
from bench.speed.tables import number

_CONNECTIONS = (64, 256)
_WIDTH, _LEFT, _RIGHT = 760, 190, 70
_TOP, _BAR, _GAP = 74, 14, 14
_FONT = "system-ui,-apple-system,Segoe UI,Helvetica,Arial,sans-serif"
_OURS, _OTHERS = ("#c2410c", "#fb923c"), ("#475569", "#94a3b8")
_HEAD = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
    'height="{height}" font-family="{font}" font-size="12">\n'
    '<rect width="100%" height="100%" fill="#ffffff"/>\n'
    '<text x="16" y="24" font-size="15" font-weight="600" fill="#0f172a">'
    "Chat completions a second, one core</text>\n"
    '<text x="16" y="42" fill="#475569">{note}; logarithmic, longer is better</text>'
)


def chart(record: Record) -> str:
    """Bars on a logarithmic scale, the fastest gateway first; those without figures are left out.

    Raises:
        ValueError: the record holds no gateway's figures.
    """
    entries = sorted((one for one in record.entries if one.figures), key=_at_64, reverse=True)
    if not entries:
        raise ValueError("no gateway was measured")
    scale = _Scale([rate for entry in entries for rate in _rates(entry) if rate > 0])
    height = _TOP + len(entries) * (2 * _BAR + _GAP) + 26
    note = escape(f"{record.date[:10]}, {record.machine.processor}")
    head = _HEAD.format(width=_WIDTH, height=height, font=_FONT, note=note)
    bars = (
        line for place, entry in enumerate(entries) for line in _bars(entry, place, scale=scale)
    )
    return "\n".join([head, *_legend(), *_grid(scale, height=height), *bars, "</svg>", ""])


class _Scale:
    """Logarithmic, from the power of ten below the least value to the greatest one.

    Args:
        values: above 0.
    """

    def __init__(self, values: Sequence[float]) -> None:
        self._low = math.floor(math.log10(min(values, default=1.0)))
        self._high = max(self._low + 1.0, math.log10(max(values, default=10.0)))

    def ticks(self) -> list[int]:
        """Powers of ten."""
        return [10**power for power in range(max(0, self._low), math.floor(self._high) + 1)]

    def length(self, value: float) -> float:
        """Pixels from the left end; 0 for what is not above the scale's beginning."""
        if value <= 10**self._low:
            return 0.0
        share = (math.log10(value) - self._low) / (self._high - self._low)
        return share * (_WIDTH - _LEFT - _RIGHT)


def _rates(entry: Entry) -> list[float]:
    kinds = [entry.figures.at(count) if entry.figures else None for count in _CONNECTIONS]
    return [kind.rate if kind else 0.0 for kind in kinds]


def _at_64(entry: Entry) -> float:
    return _rates(entry)[0]


def _bars(entry: Entry, place: int, *, scale: _Scale) -> Iterator[str]:
    top = _TOP + place * (2 * _BAR + _GAP)
    ours = entry.name == "FaultMaven"
    weight, colors = ("700", _OURS) if ours else ("400", _OTHERS)
    name = escape(f"{entry.name} ({entry.language})")
    yield (
        f'<text x="{_LEFT - 8}" y="{top + _BAR + 4}" text-anchor="end" font-weight="{weight}" '
        f'fill="#0f172a">{name}</text>'
    )
    for line, (rate, color) in enumerate(zip(_rates(entry), colors, strict=True)):
        length, y = scale.length(rate), top + line * _BAR
        yield (
            f'<rect x="{_LEFT}" y="{y}" width="{length:.1f}" height="{_BAR - 1}" fill="{color}"/>'
            f'<text x="{_LEFT + length + 5:.1f}" y="{y + 11}" font-size="11" '
            f'font-weight="{weight}" fill="#334155">{number(rate)}</text>'
        )


def _grid(scale: _Scale, *, height: int) -> Iterator[str]:
    bottom = height - 22
    for value in scale.ticks():
        x = _LEFT + scale.length(value)
        yield f'<line x1="{x:.1f}" y1="{_TOP - 6}" x2="{x:.1f}" y2="{bottom}" stroke="#e2e8f0"/>'
        yield (
            f'<text x="{x:.1f}" y="{height - 8}" text-anchor="middle" font-size="11" '
            f'fill="#64748b">{value:,}</text>'
        )


def _legend() -> Iterator[str]:
    for line, count in enumerate(_CONNECTIONS):
        left = 16 + line * 130
        yield f'<rect x="{left}" y="52" width="11" height="11" fill="{_OTHERS[line]}"/>'
        yield (
            f'<text x="{left + 16}" y="62" font-size="11" fill="#475569">{count} connections</text>'
        )
