"""One state of the service, as the interactive documentation shows it."""

from __future__ import annotations

from typing import Any

_HEALTH: dict[str, Any] = {
    "state": "healthy",
    "availability": 0.996,
    "consecutive_failures": 0,
    "last_error_class": "overloaded",
    "last_error": "HTTP 503: service temporarily overloaded",
    "last_error_at": "2025-03-14T14:58:31.204000Z",
    "hint": None,
    "last_success_at": "2025-03-14T15:00:07.512000Z",
    "latency_ms_p50": 1840.2,
    "latency_ms_p95": 4180.9,
    "latency_ms_p99": 6022.4,
    "last_probe": {
        "at": "2025-03-14T14:59:40.018000Z",
        "outcome": "ok",
        "latency_ms": 212.7,
        "detail": None,
    },
}

_PROVIDER: dict[str, Any] = {
    "available": True,
    "in_fallback_chain": True,
    "state": "healthy",
    "misconfigured": False,
    "breaker": "closed",
    "model": "gpt-4o",
    "default_model": "gpt-4o",
    "models": ["gpt-4o", "gpt-4o-mini", "gpt-3.5-turbo"],
    "confidence_score": 0.85,
    "kind": "Commercial",
    "best_for": "Advanced reasoning, reliability",
    "context_window": "128K",
    "context_tokens": 128000,
    "missing": None,
    "warnings": [],
    "model_var": "OPENAI_MODEL",
    "api_key_var": "OPENAI_API_KEY",
    "base_url_var": "OPENAI_API_BASE",
    "health": _HEALTH,
}

_LOCAL_MODEL: dict[str, Any] = {
    "state": "off",
    "progress": None,
    "message": "",
    "hint": None,
    "model": "",
    "base_url": "",
}

CATALOGUE: dict[str, Any] = {"providers": {"openai": _PROVIDER}, "fallback_chain": ["openai"]}

DEPENDENCIES: dict[str, Any] = {
    "status": "healthy",
    "components": {"llm_provider": True, "provider_count": 1, "fallback_chain_length": 1},
    **CATALOGUE,
    "local_model": _LOCAL_MODEL,
}

LIVENESS: dict[str, Any] = {"status": "alive"}

READY: dict[str, Any] = {
    "status": "ready",
    "checks": {"session_store": True, "provider_configured": True},
}

NOT_READY: dict[str, Any] = {
    "status": "not_ready",
    "checks": {"session_store": False, "provider_configured": True},
}

SUMMARY: dict[str, Any] = {
    "status": "healthy",
    "ready": True,
    "llm_provider": True,
    "fallback_chain": ["openai"],
    "providers": {"openai": "healthy"},
    "local_model": "off",
}

SHOWN: dict[str, dict[str, Any]] = {
    "Catalogue": CATALOGUE,
    "Dependencies": DEPENDENCIES,
    "Liveness": LIVENESS,
    "Ready": READY,
    "NotReady": NOT_READY,
    "Summary": SUMMARY,
}
"""Bodies of answers, by the name under which the description has them."""

METRICS = """\
# HELP faultmaven_attempts_total Attempts that ended, by outcome; model says whether it is the \
configured one.
# TYPE faultmaven_attempts_total counter
faultmaven_attempts_total{model="default",outcome="ok",provider="openai"} 41.0
"""
