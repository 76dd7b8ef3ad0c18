"""The catalogue of faults: complete, well described, and playable everywhere it claims to be."""

import pytest

from upstreams import ALL_FAULTS, DIALECTS, FAULTS, Fault, Upstream, fault_for, faults_for
from upstreams.client import End, ask, sample_of
from upstreams.samples import SAMPLES

CLASSES = {
    "answered", "connection", "timeout", "overloaded", "rate_limited", "quota", "auth",
    "model_not_found", "context_length", "content_filter", "invalid_request", "malformed",
}  # fmt: skip
SLOW = {"gigantic_body", "gzip_bomb"}
STATUSES = (400, 401, 402, 403, 404, 408, 409, 413, 422, 429, 500, 502, 503, 504, 524, 529)


def test_names_are_unique() -> None:
    """One name, one fault."""
    assert len(FAULTS) == len(ALL_FAULTS) > 80


@pytest.mark.parametrize("fault", ALL_FAULTS, ids=lambda fault: fault.name)
def test_a_fault_is_described(fault: Fault) -> None:
    """It has a note, known classes, and happens at known vendors."""
    assert fault.note
    assert fault.classes
    assert fault.classes <= CLASSES
    assert fault.dialects is None or fault.dialects <= DIALECTS.keys()


@pytest.mark.parametrize("name", ["insufficient_quota", "rate_limit_retry_info"])
def test_a_fault_elsewhere_is_refused(name: str) -> None:
    """A local server cannot have a cloud's fault."""
    with pytest.raises(ValueError, match="cannot happen at llamacpp"):
        fault_for("llamacpp", name)
    with pytest.raises(KeyError):
        fault_for("llamacpp", "no_such_fault")


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_every_fault_plays_at_every_endpoint(dialect: str) -> None:
    """No fault fails in the upstream's own code (leaving the context would raise)."""
    async with Upstream(dialect) as up:
        for number in range(len(SAMPLES[dialect])):
            for fault in faults_for(dialect):
                if fault.stalls or fault.name in SLOW:
                    continue
                up.script(fault)
                assert (await ask(up, sample_of(up, number))).end is not End.SILENT
        assert up.rejections == []


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_status_is_that_status(dialect: str) -> None:
    """Every vendor can be made to send every status, with a body in its own format."""
    async with Upstream(dialect) as up:
        for number in range(len(SAMPLES[dialect])):
            for status in STATUSES:
                up.script(f"status_{status}")
                received = await ask(up, sample_of(up, number))
                assert received.status == status
                assert isinstance(received.json, dict)
