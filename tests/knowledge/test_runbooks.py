"""What every packaged runbook keeps: size, coverage, symptoms that tell something."""

from __future__ import annotations

from collections import Counter

from faultmaven.knowledge.library import Runbook, load_runbooks, render_compact, render_full
from faultmaven.knowledge.terms import tokens

RUNBOOKS = load_runbooks()
AREAS = {
    "kubernetes",
    "postgresql",
    "mysql",
    "redis",
    "kafka",
    "nginx",
    "dns",
    "tls",
    "disk",
    "memory",
    "cpu",
    "jvm",
    "python",
    "docker",
    "systemd",
    "ci",
    "linux",
    "network",
    "http",
}


def test_common_faults_are_covered() -> None:
    """There is a runbook for every area we promise, and enough of them."""
    assert {runbook.area for runbook in RUNBOOKS} == AREAS
    assert len(RUNBOOKS) >= 44


def test_ids_are_unique() -> None:
    """An id names one runbook."""
    assert max(Counter(runbook.id for runbook in RUNBOOKS).values()) == 1


def test_ids_start_with_the_area() -> None:
    """Files of one area stand together."""
    assert [r.id for r in RUNBOOKS if not r.id.startswith(f"{r.area}-")] == []


def test_runbooks_fit_a_prompt() -> None:
    """The compact form fits a small model's prompt, the full form a large one's."""
    assert [r.id for r in RUNBOOKS if len(render_compact(r)) >= 1400] == []
    assert [r.id for r in RUNBOOKS if len(render_full(r)) >= 4000] == []


def test_runbooks_say_enough() -> None:
    """A runbook tells causes apart and offers a choice of commands."""
    assert [r.id for r in RUNBOOKS if len(r.symptoms) < 5] == []
    assert [r.id for r in RUNBOOKS if not 3 <= len(r.causes) <= 5] == []
    assert [r.id for r in RUNBOOKS if not 1 <= len(r.checks) <= 3] == []
    assert [r.id for r in RUNBOOKS if not 2 <= len(r.fixes) <= 5] == []
    assert [r.id for r in RUNBOOKS if not 4 <= len(r.commands) <= 8] == []


def sentences(runbook: Runbook) -> list[str]:
    """What a runbook says in sentences."""
    descriptions = [entry.description for entry in runbook.commands]
    return [*runbook.causes, *runbook.checks, *runbook.fixes, *descriptions]


def test_sentences_end() -> None:
    """Texts are sentences, so that they can be strung together in a prompt."""
    texts = [text for runbook in RUNBOOKS for text in sentences(runbook)]
    assert [text for text in texts if not text.endswith((".", "?"))] == []


def is_telling(symptom: str) -> bool:
    """Whether the index can make something of a symptom."""
    words = tokens(symptom).words
    return symptom.isascii() and any(len(w) > 2 and not w.isdigit() for w in words)


def test_symptoms_are_searchable() -> None:
    """A symptom is ASCII and has a real word: the index sees nothing else."""
    symptoms = [symptom for runbook in RUNBOOKS for symptom in runbook.symptoms]
    assert [symptom for symptom in symptoms if not is_telling(symptom)] == []


def test_symptoms_are_not_repeated() -> None:
    """A symptom stands once in its runbook; case and punctuation make no difference."""
    streams = {r.id: [tokens(symptom).stream for symptom in r.symptoms] for r in RUNBOOKS}
    assert [name for name, found in streams.items() if len(set(found)) < len(found)] == []


def test_symptoms_tell_runbooks_apart() -> None:
    """No symptom stands in more than two runbooks."""
    counts = Counter(
        stream for runbook in RUNBOOKS for stream in {tokens(s).stream for s in runbook.symptoms}
    )
    assert [stream for stream, count in counts.items() if count > 2] == []
