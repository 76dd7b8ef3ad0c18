"""The doctor's judgements, one by one: configuration in, findings out."""

from __future__ import annotations

import asyncio
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from doubles import settings_of
from faultmaven.errors import ErrorClass
from faultmaven.models.interfaces import ILLMProvider, LLMResponse, ProviderConfig
from faultmaven.models.status import CheckResult
from faultmaven.services.doctor import DoctorService, EmbeddedAbility, Finding
from faultmaven.services.doctor.embedded import examine_embedded
from faultmaven.services.doctor.env_file import examine_env_file
from faultmaven.services.doctor.environment import examine_chain, examine_port
from faultmaven.services.doctor.provider import check_findings

GIB = 1024**3
ABLE = EmbeddedAbility(
    wanted=True,
    reason="LOCAL_MODEL=on.",
    model="qwen",
    missing_bytes=GIB,
    free_disk=2 * GIB,
    needed_memory=GIB,
    free_memory=2 * GIB,
)
CONFIG = ProviderConfig("openai", "sk-test", "http://upstream/v1", ["gpt-4o"])
LOCAL = ProviderConfig("local", None, "http://localhost:11434", ["phi"], local=True)
STATUS: dict[str, Any] = {
    "available": True,
    "missing": None,
    "warnings": [],
    "api_key_var": "OPENAI_API_KEY",
}
FINE = CheckResult(reachable=True, key_accepted=True, model_found=True)


class OwnProvider(ILLMProvider):
    """A provider somebody wrote, without a free call."""

    async def generate(self, prompt: str, **kwargs: Any) -> LLMResponse:
        """Nobody asks."""
        raise NotImplementedError

    def is_available(self) -> bool:
        """Always."""
        return True

    def get_supported_models(self) -> list[str]:
        """One."""
        return ["own"]


class BrokenCheck(OwnProvider):
    """A provider whose free call is wrong."""

    async def check(self, *, timeout: float) -> CheckResult:  # noqa: ASYNC109 - the seam
        """Fail as code fails."""
        raise ZeroDivisionError(str(timeout))


class EndlessCheck(OwnProvider):
    """A provider whose free call forgets its time."""

    async def check(self, *, timeout: float) -> CheckResult:  # noqa: ASYNC109 - the seam
        """Wait far longer than allowed."""
        await asyncio.sleep(1000 + timeout)
        return FINE


class MeetingCheck(OwnProvider):
    """A provider whose free call ends only when the other one's has begun."""

    def __init__(self, meeting: asyncio.Barrier) -> None:
        self._meeting = meeting

    async def check(self, *, timeout: float) -> CheckResult:  # noqa: ASYNC109 - the seam
        """Wait for the other."""
        async with asyncio.timeout(timeout):
            await self._meeting.wait()
        return FINE


class Directory:
    """Providers without a registry."""

    def __init__(self, **providers: ILLMProvider) -> None:
        self.settings = settings_of({"PORT": "0"})
        self.problems = ["providers.toml: provider 'x', field 'timeout': must be a number"]
        self._providers = providers

    def get_provider_status(self) -> dict[str, dict[str, Any]]:
        """All of them available."""
        return dict.fromkeys(self._providers, STATUS)

    def get_fallback_chain(self) -> list[str]:
        """All of them."""
        return list(self._providers)

    def get_provider(self, name: str) -> ILLMProvider:
        """The one of that name."""
        return self._providers[name]

    def get_config(self, name: str) -> ProviderConfig:
        """The same but for the name."""
        return replace(CONFIG, name=name)


class Ability:
    """An embedded model nobody wants."""

    async def ability(self) -> EmbeddedAbility:
        """Say so."""
        return replace(ABLE, wanted=False, reason="A provider has an API key.")


def _severities(findings: list[Finding], subject: str) -> list[str]:
    return [finding.severity for finding in findings if finding.subject == subject]


async def test_one_bad_class_spoils_no_other_check(tmp_path: Path) -> None:
    """A check that raises or never ends is a finding; the others are reported all the same."""
    directory = Directory(own=OwnProvider(), broken=BrokenCheck(), endless=EndlessCheck())
    doctor = DoctorService(directory, Ability(), env_file=tmp_path / ".env")
    findings = await doctor.examine(seconds=0.01)
    assert _severities(findings, "own") == ["skipped"]
    assert _severities(findings, "broken") == ["problem"]
    assert _severities(findings, "endless") == ["problem"]
    assert _severities(findings, "schema") == ["problem"]
    assert _severities(findings, "embedded model") == ["skipped"]


async def test_checks_run_at_the_same_time(tmp_path: Path) -> None:
    """Two checks that each need the other to have begun both succeed."""
    meeting = asyncio.Barrier(2)
    directory = Directory(one=MeetingCheck(meeting), two=MeetingCheck(meeting))
    doctor = DoctorService(directory, Ability(), env_file=tmp_path / ".env")
    findings = await doctor.examine(seconds=10)
    assert _severities(findings, "one") == _severities(findings, "two") == ["ok"]


@pytest.mark.parametrize("kind", list(ErrorClass))
def test_every_failure_is_a_finding_with_its_hint(kind: ErrorClass) -> None:
    """Whatever class of failure a free call ends with, its hint is the fix."""
    failed = CheckResult(reachable=False, error_class=kind, detail="it said so.", hint="Do this.")
    [finding] = check_findings(CONFIG, STATUS, failed, spared=False)
    assert finding.severity in {"problem", "warning"}
    assert finding.message.endswith("(it said so).")
    assert finding.fix == "Do this."


def test_trouble_that_passes_is_only_a_warning() -> None:
    """Being rate limited does not make a configuration wrong."""
    limited = CheckResult(reachable=True, error_class=ErrorClass.RATE_LIMITED)
    [finding] = check_findings(CONFIG, STATUS, limited, spared=False)
    assert finding.severity == "warning"


def test_dead_local_server_does_not_matter_where_the_model_is_embedded() -> None:
    """Nobody need start a server that the embedded model stands in for."""
    dead = CheckResult(reachable=False, error_class=ErrorClass.CONNECTION, hint="Start it.")
    [finding] = check_findings(LOCAL, STATUS, dead, spared=True)
    assert finding.severity == "skipped"
    assert "embedded model takes its place" in finding.message


def test_free_call_without_models_says_so() -> None:
    """Where the vendor lists no models, nothing is claimed about the configured one."""
    silent = replace(FINE, model_found=None)
    [finding] = check_findings(CONFIG, STATUS, silent, spared=False)
    assert finding.severity == "ok"
    assert "does not tell" in finding.message


def test_warnings_of_discovery_are_repeated() -> None:
    """What discovery noticed about key or model stands beside what the call showed."""
    status = {**STATUS, "warnings": ["the vendor has retired model 'gpt-4'"]}
    severities = [
        finding.severity for finding in check_findings(CONFIG, status, FINE, spared=False)
    ]
    assert severities == ["warning", "ok"]


@pytest.mark.parametrize(
    ("ability", "severities", "words"),
    [
        (ABLE, ["ok"], "1,024 MiB are missing"),
        (replace(ABLE, missing_bytes=0), ["ok"], "weights are here"),
        (replace(ABLE, free_disk=1), ["problem"], "FAULTMAVEN_CACHE_DIR"),
        (replace(ABLE, free_memory=1), ["warning", "ok"], "LOCAL_MODEL=small"),
        (replace(ABLE, free_memory=None), ["ok"], "can run here"),
        (replace(ABLE, obstacle="No libgomp.", fix="apt-get"), ["problem"], "apt-get"),
        (replace(ABLE, wanted=False, obstacle="No libgomp."), ["skipped"], "LOCAL_MODEL=on."),
    ],
)
def test_embedded_model(ability: EmbeddedAbility, severities: list[str], words: str) -> None:
    """Engine, disk and memory are each judged, and only where the model is wanted."""
    findings = list(examine_embedded(ability))
    assert [finding.severity for finding in findings] == severities
    assert any(words in f"{finding.message} {finding.fix}" for finding in findings)


@pytest.mark.parametrize(
    ("content", "severity", "words"),
    [
        (b"PORT=8000\n# note\n\nexport HOST='127.0.0.1'\r\n", "ok", "well-formed"),
        (b"\xef\xbb\xbfPORT=8000\n", "ok", "well-formed"),
        ("PORT=8000\n".encode("utf-16"), "problem", "Notepad"),
        ("HOST=\u201clocalhost\u201d\n".encode(), "problem", "straight quotes"),
        (b"PORT=1\nPORT=2\n", "warning", "2 times"),
        (b'HOST="open\n', "problem", "line 1"),
        (b"CHAT_PROVIDERS=x\n", "warning", "Did you mean CHAT_PROVIDER?"),
        (b"MY_OWN=1\n", "ok", "well-formed"),
    ],
)
def test_environment_file(tmp_path: Path, content: bytes, severity: str, words: str) -> None:
    """Every way a .env file loses a value is told, with the line or the name."""
    path = tmp_path / ".env"
    path.write_bytes(content)
    [finding] = examine_env_file(path, {"PORT", "HOST", "CHAT_PROVIDER"})
    assert finding.severity == severity
    assert words in f"{finding.message} {finding.fix}"


def test_environment_file_that_is_a_folder(tmp_path: Path) -> None:
    """A folder of that name is told as such, not raised."""
    [finding] = examine_env_file(tmp_path, set())
    assert finding.severity == "problem"


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        ({"CHAT_PROVIDER": "opnai"}, "Did you mean openai?"),
        ({"CHAT_PROVIDER": "gemini"}, "CHAT_PROVIDER=gemini is not available: missing API key."),
        ({"FALLBACK_CHAIN": "openai,antropic"}, "FALLBACK_CHAIN names the unknown provider"),
    ],
)
def test_chain_that_cannot_be_meant(variables: dict[str, str], words: str) -> None:
    """Names of the chain that are unknown or not usable are problems."""
    missing = {**STATUS, "available": False, "missing": "missing API key"}
    status = {"openai": STATUS, "gemini": missing}
    findings = list(examine_chain(settings_of(variables), status, ["openai"]))
    [problem] = [finding for finding in findings if finding.severity == "problem"]
    assert words in f"{problem.message} {problem.fix}"


def test_chain_without_anybody_is_a_problem() -> None:
    """An empty chain cannot answer."""
    [finding] = examine_chain(settings_of({}), {}, [])
    assert finding.severity == "problem"


def test_no_fallback_is_no_unknown_name() -> None:
    """FALLBACK_CHAIN=none means none and not a provider called none."""
    settings = settings_of({"FALLBACK_CHAIN": "none"})
    assert [finding.severity for finding in examine_chain(settings, {}, ["local"])] == ["ok"]


def test_port_in_use_is_a_warning() -> None:
    """The port may be held by this very service, so it is no problem by itself."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        finding = examine_port("127.0.0.1", held.getsockname()[1])
    assert finding.severity == "warning"
    assert "PORT" in str(finding.fix)


def test_address_of_another_machine_is_a_problem() -> None:
    """HOST must be an address of this machine."""
    finding = examine_port("192.0.2.1", 0)
    assert finding.severity == "problem"
    assert "HOST" in str(finding.fix)
