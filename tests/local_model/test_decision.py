"""When the embedded model is started."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.infrastructure.local_model.decision import Circumstances, decide


@pytest.mark.parametrize(
    ("given_", "start", "reason"),
    [
        (Circumstances(setting="auto"), True, "No provider has an API key"),
        (Circumstances(setting="auto", any_key=True), False, "has an API key"),
        (Circumstances(setting="auto", server_answered=True), False, "running already"),
        (Circumstances(setting="auto", explicit_url=True), False, "LOCAL_LLM_URL"),
        (Circumstances(setting="auto", any_key=True, local_only=True), True, "Only local"),
        (
            Circumstances(setting="auto", local_only=True, server_answered=True),
            False,
            "running already",
        ),
        (Circumstances(setting="small", any_key=True), True, "LOCAL_MODEL=small"),
        (Circumstances(setting="on", explicit_url=True), True, "LOCAL_MODEL=on"),
        (Circumstances(setting="off"), False, "LOCAL_MODEL=off"),
    ],
)
def test_decision(given_: Circumstances, *, start: bool, reason: str) -> None:
    """Each circumstance decides as documented, and says why."""
    decision = decide(given_)
    assert decision.start is start
    assert reason in decision.reason


circumstances = st.builds(
    Circumstances,
    setting=st.sampled_from(["auto", "on", "off", "default", "small", "tiny"]),
    explicit_url=st.booleans(),
    any_key=st.booleans(),
    server_answered=st.booleans(),
    local_only=st.booleans(),
)


@given(circumstances)
def test_the_setting_is_obeyed(found: Circumstances) -> None:
    """Off never starts it, a name always does, and auto never beside another local server."""
    start = decide(found).start
    if found.setting == "off":
        assert not start
    elif found.setting != "auto":
        assert start
    elif found.explicit_url or found.server_answered:
        assert not start
