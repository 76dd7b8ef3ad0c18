"""What a provider's free call means for whoever configured it. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from faultmaven.errors import ErrorClass
from faultmaven.models.interfaces import ProviderConfig
from faultmaven.models.status import CheckResult
from faultmaven.services.doctor.finding import Finding, FindingSeverity

_TEMPORARY = frozenset({ErrorClass.RATE_LIMITED, ErrorClass.OVERLOADED})
_UNREACHED = frozenset({ErrorClass.CONNECTION, ErrorClass.TIMEOUT})


def not_configured(name: str, status: Mapping[str, Any]) -> Finding:
    """The finding for a provider that is not in use."""
    variable = status.get("api_key_var")
    fix = f"Set {variable} to use it." if variable and "key" in str(status["missing"]) else None
    return Finding("skipped", name, f"Not in use: {status['missing']}.", fix)


def cannot_be_checked(name: str) -> Finding:
    """The finding for a provider whose class offers no free call."""
    return Finding("skipped", name, "Configured; its class offers no free check.")


def check_failed(name: str, error: BaseException) -> Finding:
    """The finding for a check that did not even return a result."""
    if isinstance(error, TimeoutError):
        return Finding("problem", name, "Its check did not return in time.")
    kind = type(error).__name__
    return Finding("problem", name, f"Its class failed in its own check ({kind}).")


def check_findings(
    config: ProviderConfig, status: Mapping[str, Any], result: CheckResult, *, spared: bool
) -> Iterator[Finding]:
    """The findings from one free call.

    Args:
        config: what the provider is configured with.
        status: what the registry knows about it.
        result: what the call showed.
        spared: whether the embedded model takes its place when no server answers.
    """
    for warning in status["warnings"]:
        yield Finding("warning", config.name, _sentence(warning))
    if result.error_class is not None:
        yield _failure(config, result, result.error_class, spared=spared)
    elif result.model_found is False:
        message = f"It does not serve the configured model '{config.models[0]}'."
        yield Finding("problem", config.name, message, result.hint)
    else:
        yield Finding("ok", config.name, _good(config, result))


def key_findings(config: ProviderConfig, results: Sequence[CheckResult]) -> Iterator[Finding]:
    """The findings on several keys of a provider that works with one of them at least.

    Args:
        config: what the provider is configured with.
        results: what the free call showed with each key, in the configured order.
    """
    for number, result in enumerate(results, start=1):
        if result.error_class is not None:
            failure = _failure(config, result, result.error_class, spared=False)
            message = f"Key {number} of {len(results)}: {failure.message}"
            yield Finding("warning", config.name, message, result.hint)
    if all(result.key_accepted for result in results):
        yield Finding("ok", config.name, f"Each of its {len(results)} keys is accepted.")


def _failure(
    config: ProviderConfig, result: CheckResult, kind: ErrorClass, *, spared: bool
) -> Finding:
    if kind in _UNREACHED and spared:
        message = f"No server at {config.base_url}; the embedded model takes its place."
        return Finding("skipped", config.name, message)
    severity: FindingSeverity = "warning" if kind in _TEMPORARY else "problem"
    detail = f" ({result.detail.rstrip('.')})" if result.detail else ""
    return Finding(severity, config.name, f"{_WORDS[kind]}{detail}.", result.hint)


def _good(config: ProviderConfig, result: CheckResult) -> str:
    key = "key accepted" if config.api_key and result.key_accepted else "reached"
    model = config.models[0]
    if result.model_found:
        return f"{config.base_url}: {key}; it serves '{model}'."
    return f"{config.base_url}: {key}; its free call does not tell whether it serves '{model}'."


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."


_WORDS: Mapping[ErrorClass, str] = {
    ErrorClass.CONNECTION: "It cannot be reached",
    ErrorClass.TIMEOUT: "It does not answer in time",
    ErrorClass.OVERLOADED: "It is in trouble at the moment",
    ErrorClass.RATE_LIMITED: "It limits how often it may be asked",
    ErrorClass.QUOTA: "The account is out of credit or quota",
    ErrorClass.AUTH: "It does not accept the key",
    ErrorClass.MODEL_NOT_FOUND: "It does not know the configured model",
    ErrorClass.CONTEXT_LENGTH: "It refuses its own free call",
    ErrorClass.CONTENT_FILTER: "It refuses its own free call",
    ErrorClass.INVALID_REQUEST: "It refuses its own free call",
    ErrorClass.MALFORMED: "What answers there does not speak its format",
}
