"""Finding a model server that runs already."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from faultmaven.infrastructure.local_model.detect import find_local_server

OLLAMA = {"/api/tags": (200, json.dumps({"models": [{"name": "llama3:8b", "size": 1}]}))}
OPENAI = {"/v1/models": (200, json.dumps({"object": "list", "data": [{"id": "qwen"}]}))}
LOCKED = {"/v1/models": (401, "{}")}
NEITHER: dict[str, tuple[int, str]] = {}
EMPTY = {"/api/tags": (200, '{"models": []}')}
ODD = {"/api/tags": (200, "<html>"), "/v1/models": (200, '{"data": 5}')}


@contextmanager
def server(pages: dict[str, tuple[int, str]]) -> Iterator[str]:
    """A server that answers two requests from ``pages``, and 404 to others; gives its URL."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(20)
        stop = threading.Event()
        thread = threading.Thread(target=_answer, args=(listener, pages, stop))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            with socket.create_connection(listener.getsockname()):
                thread.join()


def _answer(
    listener: socket.socket, pages: dict[str, tuple[int, str]], stop: threading.Event
) -> None:
    while True:
        connection, _ = listener.accept()
        with connection:
            if stop.is_set():
                return
            path = connection.recv(4096).decode().split()[1]
            status, body = pages.get(path, (404, "{}"))
            connection.sendall(f"HTTP/1.1 {status} X\r\n\r\n{body}".encode())


@pytest.mark.parametrize(
    ("pages", "models"),
    [
        (OLLAMA, ("llama3:8b",)),
        (OPENAI, ("qwen",)),
        (EMPTY, ()),
        (LOCKED, ()),
        (NEITHER, None),
        (ODD, None),
    ],
    ids=["ollama", "openai", "empty", "locked", "neither", "odd"],
)
@pytest.mark.parametrize("suffix", ["", "/", "/v1", "/v1/"])
async def test_models_are_listed(
    pages: dict[str, tuple[int, str]], models: tuple[str, ...] | None, suffix: str
) -> None:
    """Each shape of catalogue is read, at every spelling of the URL; others are no server."""
    with server(pages) as url:
        assert await find_local_server(f"{url}{suffix}", timeout=10) == models


async def test_nobody_there() -> None:
    """A refused connection is no server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    assert await find_local_server(f"http://127.0.0.1:{port}") is None


async def test_a_silent_port_is_no_server() -> None:
    """Something that accepts and never answers costs no more than the time allowed."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert await find_local_server(url, timeout=0.05) is None


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "http://", "localhost:1", "http://[::1"])
async def test_a_url_that_is_none(url: str) -> None:
    """An unusable URL is no server, rather than an error."""
    assert await find_local_server(url, timeout=0.5) is None


async def test_another_protocol_is_no_server() -> None:
    """A port that speaks something else is not taken for a model server."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_greet, args=(listener,))
        thread.start()
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        assert await find_local_server(url, timeout=10) is None
        thread.join()


def _greet(listener: socket.socket) -> None:
    connection, _ = listener.accept()
    with connection:
        connection.recv(4096)
        connection.sendall(b"220 mail.example ESMTP\r\n")
