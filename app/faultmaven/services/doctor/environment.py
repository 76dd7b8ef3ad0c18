"""Whether the settings around the providers make sense."""

from __future__ import annotations

import difflib
import errno
import socket
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from faultmaven.services.doctor.finding import Finding
from faultmaven.settings import Settings

_VARIABLES_OF_A_ROW = ("api_key_var", "model_var", "base_url_var")


def known_variables(status: Mapping[str, Mapping[str, Any]]) -> set[str]:
    """Names of every variable that means something to the service."""
    own = {name.upper() for name in Settings.model_fields}
    rows = {row.get(kind) for row in status.values() for kind in _VARIABLES_OF_A_ROW}
    return own | {variable for variable in rows if variable}


def examine_chain(
    settings: Settings, status: Mapping[str, Mapping[str, Any]], chain: Sequence[str]
) -> Iterator[Finding]:
    """Whether ``CHAT_PROVIDER`` and ``FALLBACK_CHAIN`` name providers, and who is asked."""
    for variable, names in _named(settings):
        unknown = [name for name in names if name not in status]
        yield from (_unknown_provider(variable, name, status) for name in unknown)
    primary = settings.chat_provider or ""
    if primary in status and not status[primary]["available"]:
        yield _unavailable_primary(primary, status[primary])
    if chain:
        yield Finding("ok", "chain", f"Asked in this order: {' → '.join(chain)}.")
    else:
        yield Finding("problem", "chain", "No provider can be asked.", "Set a provider's API key.")


def examine_port(host: str, port: int) -> Finding:
    """Whether the service could listen where it is told to."""
    where = f"{host}:{port}"
    try:
        family, kind, protocol, _, address = _addresses(host, port)[0]
        with socket.socket(family, kind, protocol) as attempt:
            attempt.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            attempt.bind(address)
    except OSError as error:
        return _why_not_listening(where, error)
    return Finding("ok", "port", f"{where} is free.")


def _named(settings: Settings) -> Iterator[tuple[str, Collection[str]]]:
    if settings.chat_provider:
        yield "CHAT_PROVIDER", [settings.chat_provider]
    if settings.fallback_chain and settings.fallback_chain != ("none",):
        yield "FALLBACK_CHAIN", settings.fallback_chain


def _unknown_provider(variable: str, name: str, known: Collection[str]) -> Finding:
    near = difflib.get_close_matches(name, known, 1)
    guess = f"Did you mean {near[0]}? " if near else ""
    fix = f"{guess}The names are {', '.join(known)}."
    return Finding("problem", "chain", f"{variable} names the unknown provider '{name}'.", fix)


def _unavailable_primary(name: str, status: Mapping[str, Any]) -> Finding:
    variable = status.get("api_key_var")
    fix = f"Set {variable}, or choose another CHAT_PROVIDER." if variable else None
    message = f"CHAT_PROVIDER={name} is not available: {status['missing']}."
    return Finding("problem", "chain", message, fix)


def _addresses(host: str, port: int) -> list[Any]:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)


def _why_not_listening(where: str, error: OSError) -> Finding:
    if error.errno == errno.EADDRINUSE:
        message = f"{where} is in use, by a FaultMaven that is running or by another program."
        return Finding("warning", "port", message, "Stop it, or set PORT to another number.")
    if isinstance(error, PermissionError):
        message = f"{where} may not be used by this user."
        return Finding("problem", "port", message, "Set PORT to a number from 1024.")
    message = f"This machine cannot listen on {where}: {error.strerror}."
    return Finding("problem", "port", message, "Set HOST to 127.0.0.1, or 0.0.0.0 for all.")
