"""Dockerfile, compose file and Prometheus configuration: what they promise about safety and names.

Whether the image builds and runs is checked by ``scripts/check-image``, which takes minutes.
"""

import json
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from doubles import settings_of
from faultmaven.infrastructure.llm.providers.registry import ProviderRegistry
from faultmaven.infrastructure.observability.health import HealthTracker
from faultmaven.infrastructure.observability.metrics import Metrics

PROJECT = Path(__file__).parents[2]
DOCKERFILE = (PROJECT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = yaml.safe_load((PROJECT / "docker-compose.yml").read_text("utf-8"))
GATEWAY, PROMETHEUS = COMPOSE["services"]["faultmaven"], COMPOSE["services"]["prometheus"]
DEPLOY = PROJECT / "deploy" / "prometheus"
VERSION = tomllib.loads((PROJECT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def _instructions(word: str) -> list[str]:
    joined = re.sub(r"\\\n", " ", re.sub(r"(?m)^#.*\n", "", DOCKERFILE))
    return re.findall(rf"(?m)^{word} (.*)$", joined)


def _environment_of_image() -> dict[str, str]:
    pairs = shlex.split(_instructions("ENV")[-1])
    return dict(pair.split("=", 1) for pair in pairs)


def test_image_runs_as_a_number_that_is_not_root() -> None:
    """Kubernetes can verify runAsNonRoot only for a numeric user."""
    assert re.fullmatch(r"[1-9]\d+:[1-9]\d+", _instructions("USER")[-1])


def test_image_is_made_in_two_stages_of_one_pinned_base() -> None:
    """The environment moves between equal Pythons; neither is a tag that moves."""
    assert _instructions("FROM") == ["${PYTHON_IMAGE} AS builder", "${PYTHON_IMAGE}"]
    [base] = _instructions("ARG")[:1]
    assert re.fullmatch(r"PYTHON_IMAGE=python:\d+\.\d+\.\d+-slim-[a-z]+", base)


def test_image_starts_without_a_shell() -> None:
    """CMD and the health check are lists, so that signals reach the service itself."""
    assert json.loads(_instructions("CMD")[-1]) == ["faultmaven", "serve"]
    check = _instructions("HEALTHCHECK")[-1]
    assert json.loads(check[check.index("[") :])[0] == "python"
    assert _instructions("STOPSIGNAL") == ["SIGTERM"]


def test_image_brings_what_the_engine_needs_and_nothing_that_builds() -> None:
    """The final stage installs the engine's library and no other package."""
    final = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]
    assert re.findall(r"apt-get install[^&]*?(\S+) \\", final) == ["libgomp1"]
    assert "pip install" not in final


def test_image_keeps_what_changes_on_its_volumes() -> None:
    """The settings' folders are the volumes, and the image listens for others."""
    environment = _environment_of_image()
    settings = settings_of(environment)
    volumes = json.loads(_instructions("VOLUME")[-1])
    folders = {str(settings.faultmaven_data_dir), str(settings.faultmaven_cache_dir)}
    assert folders == set(volumes)
    assert (settings.host, settings.port) == ("0.0.0.0", 8000)  # noqa: S104 - in a container


def test_image_and_compose_file_say_the_version() -> None:
    """Label and tag are the package's version."""
    assert f'image.version="{VERSION}"' in DOCKERFILE
    assert GATEWAY["image"] == f"faultmaven:{VERSION}"


def test_builder_is_sent_no_secret() -> None:
    """.dockerignore lets through only what COPY asks for; .env is not among it."""
    lines = (PROJECT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    sent = {line[1:] for line in lines if line.startswith("!")}
    copied = [words.split()[:-1] for words in _instructions("COPY") if "--from" not in words]
    assert "*" in lines
    assert sent == {name for names in copied for name in names}


@pytest.mark.parametrize("service", [GATEWAY, PROMETHEUS])
def test_containers_have_no_privileges(service: dict[str, Any]) -> None:
    """Read-only root, no capabilities, no new privileges, ports on loopback, health watched."""
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert service["healthcheck"]["test"][0] == "CMD"
    assert ":" in service["image"]
    assert not service["image"].endswith(":latest")


def test_compose_overrides_an_example_environment_file() -> None:
    """With .env.example copied to .env, the container still uses its volumes and listens."""
    assert GATEWAY["env_file"] == [{"path": ".env", "required": False}]
    wanted = {"HOST", "PORT", "FAULTMAVEN_DATA_DIR", "FAULTMAVEN_CACHE_DIR"}
    given = GATEWAY["environment"]
    assert given == {name: _environment_of_image()[name] for name in wanted}


def test_compose_keeps_sessions_and_weights() -> None:
    """Both folders are named volumes, and every named volume is declared."""
    mounts = dict(volume.split(":")[:2] for volume in GATEWAY["volumes"])
    assert sorted(mounts.values()) == ["/cache", "/data"]
    assert set(mounts) <= set(COMPOSE["volumes"])


def test_prometheus_scrapes_the_gateway() -> None:
    """The job named in the alerts asks the gateway's own name and port."""
    config = yaml.safe_load((DEPLOY / "prometheus.yml").read_text(encoding="utf-8"))
    targets = {
        job["job_name"]: job["static_configs"][0]["targets"] for job in config["scrape_configs"]
    }
    assert targets["faultmaven"] == ["faultmaven:8000"]
    assert all((DEPLOY / name).exists() for name in config["rule_files"])
    assert "./deploy/prometheus:/etc/prometheus:ro" in PROMETHEUS["volumes"]


def test_alerts_ask_for_metrics_that_exist() -> None:
    """Every metric in an alert is one the service exposes, or Prometheus' own."""
    rules = (DEPLOY / "alerts.yml").read_text(encoding="utf-8")
    groups = yaml.safe_load(rules)["groups"]
    asked = {
        name
        for group in groups
        for rule in group["rules"]
        for name in re.findall(r"\bfaultmaven_\w+", rule["expr"])
    }
    registry = ProviderRegistry(settings_of({}))
    exposed, _ = Metrics(registry, HealthTracker(registry)).expose()
    families = list(text_string_to_metric_families(exposed.decode()))
    known = {sample.name for family in families for sample in family.samples}
    labelled = {f"{family.name}_total" for family in families if family.type == "counter"}
    assert asked
    assert asked <= known | labelled
