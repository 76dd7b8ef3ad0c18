"""Several processes count as one, and who replaces another goes on where that one stopped."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from cli.command import environment
from faultmaven.infrastructure.observability.health import HealthTracker
from faultmaven.infrastructure.observability.metrics import Metrics
from faultmaven.infrastructure.observability.shared_values import forget_present
from faultmaven.models.worker import Worker
from faultmaven.settings import environment_for, this_worker
from observability.directory_of_tests import Directory

TESTS = Path(__file__).parents[1]

# What one process does: serve some requests whole, begin one, and say what a scrape shows.
PROCESS = """
import sys
from faultmaven.infrastructure.observability.health import HealthTracker
from faultmaven.infrastructure.observability.metrics import Metrics
from faultmaven.infrastructure.observability.request import begin_request
from faultmaven.settings import this_worker
from observability.directory_of_tests import Directory

metrics = Metrics(Directory(), HealthTracker(Directory()), worker=this_worker())
for _ in range(int(sys.argv[1])):
    metrics.request_began()
    metrics.request_ended(begin_request("r", 0), route="/x", status=200, seconds=0.3)
metrics.request_began()
metrics.on_shed("/x")
if sys.argv[1] == "2":
    metrics.on_reload("applied")
sys.stdout.write(metrics.expose()[0].decode())
"""


def _scrape(folder: Path, *, number: int, requests: int) -> dict[str, float]:
    """Let a worker serve so many requests and end; what a scrape of it showed."""
    worker = Worker(number, str(folder))
    told = {
        name: value
        for name, value in environment_for(worker).items()
        if name in {"FAULTMAVEN_WORKER", "PROMETHEUS_MULTIPROC_DIR"}
    }
    done = subprocess.run(  # noqa: S603 - our own interpreter, our own words
        [sys.executable, "-c", PROCESS, str(requests)],
        env={**environment(folder), **told, "PYTHONPATH": str(TESTS)},
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    families = text_string_to_metric_families(done.stdout)
    return {
        one.name + "".join(one.labels.get(name, "") for name in ("route", "le")): one.value
        for family in families
        for one in family.samples
    }


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Where the workers keep their values."""
    path = tmp_path / "metrics"
    path.mkdir()
    return path


def test_any_worker_shows_the_sum_of_all(folder: Path) -> None:
    """Counters, histograms and what is in flight are added up; of times the latest counts."""
    _scrape(folder, number=0, requests=2)
    shown = _scrape(folder, number=1, requests=3)
    assert shown["faultmaven_requests_total/x"] == 5
    assert shown["faultmaven_request_duration_seconds_count/x"] == 5
    assert shown["faultmaven_request_duration_seconds_bucket/x0.25"] == 0
    assert shown["faultmaven_request_duration_seconds_bucket/x0.5"] == 5
    assert shown["faultmaven_requests_shed_total/x"] == 2
    assert shown["faultmaven_requests_in_flight"] == 2
    assert shown["faultmaven_config_last_reload_timestamp_seconds"] > 1e9


def test_who_replaces_a_worker_goes_on_counting(folder: Path) -> None:
    """Nothing counted is lost, nothing in flight stays, and no file is added."""
    _scrape(folder, number=0, requests=2)
    before = {path.name for path in folder.iterdir()}
    forget_present(str(folder), 0)
    shown = _scrape(folder, number=0, requests=3)
    assert shown["faultmaven_requests_total/x"] == 5
    assert shown["faultmaven_requests_in_flight"] == 1
    assert {path.name for path in folder.iterdir()} == before


def test_the_end_of_one_leaves_the_others_alone(folder: Path) -> None:
    """What another worker has in flight is still shown; a folder that is gone is no error."""
    _scrape(folder, number=0, requests=1)
    _scrape(folder, number=1, requests=1)
    forget_present(str(folder), 0)
    forget_present(str(folder / "gone"), 0)
    assert _scrape(folder, number=2, requests=1)["faultmaven_requests_in_flight"] == 2


def test_what_is_one_processs_own_is_not_passed_off_as_all(folder: Path) -> None:
    """Memory and CPU time of whoever is scraped are left out; alone, they are there."""
    shown = _scrape(folder, number=0, requests=1)
    alone = Metrics(Directory(), HealthTracker(Directory())).expose()[0].decode()
    assert not [name for name in shown if name.startswith(("process_", "python_gc"))]
    assert "python_info" in shown
    assert "faultmaven_provider_up" in shown
    assert "process_cpu_seconds_total" in alone


def test_a_process_that_was_told_nothing_is_no_worker() -> None:
    """The service alone keeps its values in memory."""
    assert this_worker() is None
