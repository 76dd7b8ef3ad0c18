"""Whom a server must be vouched for by."""

from __future__ import annotations

import ssl
from functools import cache

import httpx


@cache
def tls_context() -> ssl.SSLContext:
    """One TLS context for all: loading the roots costs tens of milliseconds and megabytes.

    The roots are certifi's, unless ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` name others.
    """
    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context
