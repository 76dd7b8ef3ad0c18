"""What the speed measurement shows of a record: tables, targets, chart and page."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path

import pytest
from bench.speed.chart import chart
from bench.speed.documents import document, write_documents
from bench.speed.flame_drawing import drawn
from bench.speed.record import Entry, Record, read, together, write
from bench.speed.tables import features_table, gateways_table
from bench.speed.targets import targets

_RECORD = Path(__file__).with_name("record.json")


@pytest.fixture
def record() -> Record:
    """A recorded run, of a busy machine and a tenth of the usual length."""
    return read(_RECORD)


def test_a_record_survives_its_file(record: Record, tmp_path: Path) -> None:
    """What is written is what is read."""
    write(record, tmp_path / "deep" / "run.json")
    assert read(tmp_path / "deep" / "run.json") == record


def test_every_gateway_has_its_line(record: Record) -> None:
    """One line for each, whether it was measured or not, with as many cells as the head."""
    lines = gateways_table(record).splitlines()
    assert len(lines) == 2 + len(record.entries)
    assert {line.count("|") for line in lines} == {lines[0].count("|")}
    assert all(entry.version in line for entry, line in zip(record.entries, lines[2:], strict=True))


def test_the_table_says_what_was_measured(record: Record) -> None:
    """The median of the rounds stands under its number of connections."""
    entry = record.entry("Ferro gateway")
    assert entry is not None
    assert entry.figures is not None
    kinds = entry.figures.throughput
    rounds = [replace(kind, rates=[1.0, 1234.4, 9e9]) for kind in kinds]
    changed = replace(entry, figures=replace(entry.figures, throughput=rounds))
    line = gateways_table(replace(record, entries=[changed])).splitlines()[-1]
    assert [cell.strip() for cell in line.split("|")].count("1,234") == len(kinds)


def test_a_gateway_that_cannot_be_had_says_why(record: Record) -> None:
    """The reason stands in the table, and on the page."""
    absent = Entry("Another gateway", "1.2.3", "Zig", absent="not installable: no such package")
    longer = replace(record, entries=[*record.entries, absent])
    assert "not installable: no such package" in gateways_table(longer)
    assert "Another gateway is not in it: not installable: no such package." in document(longer)
    assert "Another gateway" not in chart(longer)


def test_targets_compare_with_the_peers_of_the_same_run(record: Record) -> None:
    """A peer that was not measured is not compared with; a slower one makes the target met."""
    ours = record.entry("FaultMaven")
    assert ours is not None
    alone = replace(record, entries=[ours])
    assert not any("beside" in one.what and "gateway" in one.what for one in targets(alone))
    slow = replace(record, entries=[ours, replace(ours, name="Ferro gateway")])
    assert [one.met for one in targets(slow) if "Ferro" in one.what] == [True]


def test_a_missed_target_is_said_plainly(record: Record) -> None:
    """Each target has its line, and a missed one a bold no."""
    found = targets(record)
    page = document(record)
    assert found
    assert page.count("**no**") == sum(not one.met for one in found)


def test_features_stand_beside_what_they_are_compared_with(record: Record) -> None:
    """The difference of processor time to the row a feature names."""
    row = next(row for row in record.features if row.compared)
    base = next(one for one in record.features if one.feature == row.compared)
    more = row.throughput.cpu_us - base.throughput.cpu_us
    line = next(
        line for line in features_table(record).splitlines() if f"| {row.feature} |" in line
    )
    assert f"{more:+.0f} µs" in line


def test_the_chart_is_a_picture_of_every_measured_gateway(record: Record) -> None:
    """Well-formed SVG; two bars for each, the longer the more it carries, none beyond the edge."""
    picture = chart(record)
    ET.fromstring(picture)  # noqa: S314 - our own
    measured = [entry for entry in record.entries if entry.figures]
    bars = re.findall(r'height="13" fill', picture)
    assert len(bars) == 2 * len(measured)
    lengths = [float(width) for width in re.findall(r'width="([\d.]+)" height="13"', picture)]
    first_bars = lengths[::2]
    assert first_bars == sorted(first_bars, reverse=True)
    assert max(lengths) <= 500


def test_a_chart_of_nothing_is_refused(record: Record) -> None:
    """There is nothing to draw where no gateway was measured."""
    with pytest.raises(ValueError, match="no gateway"):
        chart(replace(record, entries=[]))


def test_page_and_chart_are_written_together(record: Record, tmp_path: Path) -> None:
    """The page shows the chart, the flame graphs that are there, and the run before."""
    (tmp_path / "flame-before.svg").touch()
    write_documents(record, folder=tmp_path, before=replace(record, commit="0ld"))
    page = (tmp_path / "speed.md").read_text(encoding="utf-8")
    assert (tmp_path / "speed.svg").read_text(encoding="utf-8") == chart(record)
    assert "flame-before.svg" in page
    assert "flame-after.svg" not in page
    assert "0ld" in page


def test_runs_of_both_tables_become_one(record: Record) -> None:
    """The first run's gateways and the second one's features."""
    gateways, features = replace(record, features=[]), replace(record, entries=[], date="later")
    assert together([gateways, features]) == record


def test_a_flame_graph_shows_who_called_whom() -> None:
    """A frame is as wide as its samples, stands above its caller, and rare ones are left out."""
    samples: dict[tuple[str, ...], int] = {
        ("loop", "ask (faultmaven)"): 900,
        ("loop", "read <x>"): 99,
        ("loop", "rare"): 1,
    }
    picture = drawn(samples, title="A & B")
    ET.fromstring(picture)  # noqa: S314 - our own
    assert "A &amp; B" in picture
    assert "ask (faultmaven) 90.0 %" in picture
    assert "read &lt;x&gt; 9.9 %" in picture
    assert "rare" not in picture
