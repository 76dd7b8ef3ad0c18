"""Whom a server must be vouched for by."""

from __future__ import annotations

import asyncio
import ssl
from functools import cache


@cache
def tls_context() -> ssl.SSLContext:
    """One TLS context for all: loading the roots costs tens of milliseconds and megabytes.

    The roots are certifi's, unless ``SSL_CERT_FILE`` or ``SSL_CERT_DIR`` name others.
    """
    import httpx  # noqa: PLC0415 - it takes longer to load than the roots

    context = httpx.create_ssl_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


async def loaded_context() -> ssl.SSLContext:
    """As `tls_context`, the first time beside the event loop: nobody else is to wait for it."""
    if tls_context.cache_info().currsize:
        return tls_context()
    return await asyncio.to_thread(tls_context)
