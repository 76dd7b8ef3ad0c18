"""The admin routes: for whoever has the key, and nowhere to be seen without one."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from api.service import client_of, container_of, problem, sample

RELOAD = "/api/v1/admin/reload"
KEY = "s3cret-clé-of-the-operator"


@pytest.fixture(autouse=True)
def _folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Read no configuration but the test's own."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A client of a service that has a key."""
    async with client_of(container_of(tmp_path, variables={"ADMIN_API_KEY": KEY})) as client:
        yield client


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "OPTIONS"])
async def test_without_a_key_there_is_nothing(tmp_path: Path, method: str) -> None:
    """The answer is that of any unknown path, whatever is presented."""
    async with client_of(container_of(tmp_path, variables={"ADMIN_API_KEY": " "})) as client:
        for headers in ({}, {"X-Admin-Key": ""}, {"Authorization": "Bearer "}):
            asked = await client.request(method, RELOAD, headers=headers)
            unknown = await client.request(method, "/api/v1/admin/nothing", headers=headers)
            told = [problem(answer) for answer in (asked, unknown)]
            for body in told:
                body.pop("request_id")
            assert told[0] == told[1]
            assert asked.status_code == 404
            assert set(asked.headers) == set(unknown.headers)
        label = await sample(client, "faultmaven_requests_total", route="other", status="404")
    assert label == 6


@pytest.mark.parametrize(
    "headers",
    [
        {b"X-Admin-Key": KEY.encode()},
        {b"Authorization": f"Bearer {KEY}".encode()},
        {b"Authorization": f"bearer  {KEY} ".encode()},
    ],
    ids=["own header", "bearer", "as people write it"],
)
async def test_the_key_opens(client: httpx.AsyncClient, headers: dict[bytes, bytes]) -> None:
    """Either header will do; the answer says what changed."""
    answer = await client.post(RELOAD, headers=headers)
    assert answer.status_code == 200
    report = answer.json()
    assert report["result"] == "applied"
    assert report["trigger"] == "request"
    assert report["providers_removed"] == ["one"]
    assert KEY not in answer.text


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {b"X-Admin-Key": b""},
        {b"X-Admin-Key": KEY.encode()[:-1]},
        {b"X-Admin-Key": KEY.encode("latin-1")},
        {b"X-Admin-Key": b"\xff\xfe"},
        {b"Authorization": KEY.encode()},
        {b"Authorization": f"Basic {KEY}".encode()},
        {b"Authorization": b"Bearer"},
    ],
    ids=["none", "blank", "cut", "other bytes", "no text", "no scheme", "basic", "bearer alone"],
)
async def test_another_key_does_not(client: httpx.AsyncClient, headers: dict[bytes, bytes]) -> None:
    """It is refused with the scheme to use, and nothing is read again."""
    answer = await client.post(RELOAD, headers=headers)
    body = problem(answer)
    assert body["status"] == 401
    assert "ADMIN_API_KEY" in body["hint"]
    assert answer.headers["www-authenticate"] == "Bearer"
    applied = await sample(client, "faultmaven_config_reloads_total", result="applied")
    assert applied == 0


async def test_a_bad_configuration_is_a_problem(client: httpx.AsyncClient, tmp_path: Path) -> None:
    """It says where it is bad, and the service goes on."""
    (tmp_path / ".env").write_text("CHAIN_PRESET=sk-canary-0123456789\n")
    answer = await client.post(RELOAD, headers={b"X-Admin-Key": KEY.encode()})
    body = problem(answer)
    assert body["status"] == 422
    assert body["error_class"] == "configuration_rejected"
    assert "CHAIN_PRESET (.env, line 1)" in body["detail"]
    assert "canary" not in answer.text
    assert (await client.get("/api/v1/providers")).json()["fallback_chain"] == ["one"]


async def test_the_key_shows_nowhere(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Neither the right key nor a wrong one is in the log, the settings or the metrics."""
    caplog.set_level(logging.DEBUG)
    container = container_of(tmp_path, variables={"ADMIN_API_KEY": KEY})
    async with client_of(container) as client:
        for key in (KEY, "wrong-" + KEY):
            await client.post(RELOAD, headers={b"X-Admin-Key": key.encode()})
        metrics = (await client.get("/metrics")).text
        described = (await client.get("/openapi.json")).text
    ours = [record.getMessage() for record in caplog.records if record.name != "httpx"]
    assert ours
    for text in (*ours, repr(container.settings), str(container.settings), metrics):
        assert "s3cret" not in text
    assert "/admin/" not in described
