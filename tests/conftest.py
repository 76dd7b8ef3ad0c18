"""What every test relies on."""

import gc
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

# A busy machine makes an example slow, never wrong: time is no reason to fail.
settings.register_profile("steady", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


@pytest.fixture
def without_collector() -> Iterator[None]:
    """What only the garbage collector finds stays."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def pytest_make_parametrize_id(
    config: pytest.Config,  # noqa: ARG001 - pytest passes arguments by name
    val: object,
    argname: str,
) -> str | None:
    """Name a case of raw bytes after its argument, not after the bytes.

    Bytes may hold what changes with every collection (gzip writes the second it packed in), and
    workers that collect other names than each other run no test at all.
    """
    return argname if isinstance(val, bytes) else None
