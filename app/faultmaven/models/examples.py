"""One question and its answer, as the interactive documentation shows them."""

from __future__ import annotations

from typing import Any

_LOG = (
    "NAME                        READY   STATUS             RESTARTS   AGE\n"
    "payments-api-7d9c8b5f4-x2k  0/1     CrashLoopBackOff   14         52m\n"
    "Last State:  Terminated\n"
    "  Reason:    OOMKilled\n"
    "  Exit Code: 137\n"
    "Limits:\n"
    "  memory:  256Mi\n"
    "Environment:\n"
    "  JAVA_TOOL_OPTIONS:  -Xmx512m"
)

REQUEST: dict[str, Any] = {
    "session_id": "incident-4711",
    "query": "Since the deployment at 14:02 payments-api does not stay up. Why?",
    "context": {"environment": "production", "platform": "Kubernetes 1.31"},
    "attachments": [{"name": "describe.txt", "content": _LOG}],
    "priority": "high",
    "confidence_threshold": 0.8,
    "deadline_ms": 30000,
}

_QUOTES = (
    {"quote": "Reason:    OOMKilled", "source": "attachment:describe.txt", "line": 4},
    {"quote": "memory:  256Mi", "source": "attachment:describe.txt", "line": 7},
    {"quote": "-Xmx512m", "source": "attachment:describe.txt", "line": 9},
)

_ATTEMPT_FAILED: dict[str, Any] = {
    "provider": "fireworks",
    "model": "accounts/fireworks/models/llama-v3p1-8b-instruct",
    "number": 1,
    "outcome": "overloaded",
    "error_class": "overloaded",
    "detail": "HTTP 503: service temporarily overloaded",
    "hint": None,
    "status_code": 503,
    "confidence": None,
    "queue_ms": 0.0,
    "total_ms": 212.4,
    "usage": {"prompt": 0, "completion": 0, "cost_usd": None},
    "retry_after": None,
    "next_because": "overloaded",
}

_ATTEMPT_ANSWERED: dict[str, Any] = {
    "provider": "openai",
    "model": "gpt-4o",
    "number": 1,
    "outcome": "ok",
    "error_class": None,
    "detail": None,
    "hint": None,
    "status_code": 200,
    "confidence": 0.98,
    "queue_ms": 0.3,
    "total_ms": 4180.9,
    "usage": {"prompt": 1184, "completion": 327, "cost_usd": 0.0062},
    "retry_after": None,
    "next_because": None,
}

RESPONSE: dict[str, Any] = {
    "session_id": "incident-4711",
    "investigation_id": "0f7c2f0e-7d0b-4b0e-9b1f-5f2a4d1c8e36",
    "request_id": "req-8c1d3a52",
    "status": "completed",
    "response": (
        "**payments-api is killed for memory: its heap may grow to 512 MiB in a container "
        "limited to 256 MiB.**\n\n## Root cause\n\nThe JVM is started with `-Xmx512m`, twice "
        "the container's limit, so the kernel ends it (exit code 137)."
    ),
    "findings": [
        {
            "type": "memory",
            "message": "The container is killed for exceeding its memory limit.",
            "severity": "critical",
            "evidence": "Reason:    OOMKilled",
        }
    ],
    "root_cause": "The heap limit -Xmx512m is above the container's memory limit of 256Mi.",
    "recommendations": ["Size the heap by the container: -XX:MaxRAMPercentage=75."],
    "next_steps": ["Raise the memory limit to 1Gi, then watch the restarts for ten minutes."],
    "commands": [
        {
            "command": "kubectl top pod -l app=payments-api",
            "description": "Shows the memory in use.",
            "safety": "read_only",
        },
        {
            "command": "kubectl set resources deployment/payments-api --limits=memory=1Gi",
            "description": "Raises the limit; the pods are replaced one by one.",
            "safety": "changes_state",
        },
    ],
    "evidence": [{**quote, "verified": True} for quote in _QUOTES],
    "missing_information": [],
    "confidence_score": 0.98,
    "confidence": {
        "score": 0.98,
        "threshold": 0.8,
        "below_threshold": False,
        "signals": [
            {
                "name": "prior",
                "delta": 0.85,
                "reason": "how this provider's answers usually fare",
            },
            {"name": "structure", "delta": 0.05, "reason": "the answer has the form asked for"},
            {"name": "evidence", "delta": 0.1, "reason": "all 3 quotes stand in the input"},
        ],
    },
    "provider": "openai",
    "model": "gpt-4o",
    "tokens_used": 1511,
    "usage": {"prompt": 1184, "completion": 327, "cost_usd": 0.0062},
    "response_time_ms": 4394,
    "attempts": [_ATTEMPT_FAILED, _ATTEMPT_ANSWERED],
    "stopped_because": "threshold_met",
    "cached": False,
    "warnings": [],
    "created_at": "2025-03-14T14:20:03.118000Z",
    "completed_at": "2025-03-14T14:20:07.512000Z",
}

PROBLEM: dict[str, Any] = {
    "type": "urn:faultmaven:problem:all_providers_failed",
    "title": "All providers failed",
    "status": 503,
    "detail": "All providers failed: fireworks (overloaded)",
    "instance": "/api/v1/query/troubleshoot",
    "request_id": "req-8c1d3a52",
    "error_class": "all_providers_failed",
    "attempts": [{**_ATTEMPT_FAILED, "next_because": None}],
    "hint": "Ask again in a few seconds, or configure a further provider.",
    "errors": [],
}
