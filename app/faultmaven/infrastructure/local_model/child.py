"""The server child: llama.cpp's own HTTP server on loopback, and nothing of the gateway.

Run by the supervisor as ``python -m faultmaven.infrastructure.local_model.child``. The first
line of standard input is the API key (not an argument: those are readable by every user of
the machine); after it, end of file means that the parent is gone.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import platform
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Final, TextIO

LOAD_FAILED: Final = 3
"""Exit code when the engine refuses the model file or its settings."""

_PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h
_WARNINGS: Final = 2  # llama.cpp's log level: errors and warnings only
_PROMPT_CACHE_MIB: Final = 256  # the engine's default is 8192
# Tokens of a prompt read in one go. Only between two of these does the engine notice that the
# caller is gone; with its default of 2048 it reads on for minutes. Measured: no slower.
_BATCH: Final = 128

# On these the engine's second copy of the weights, laid out anew, costs 600 MB and brings
# nothing: measured with AVX2, prompts 13 % faster without it, answers 9 % slower. On Arm it
# pays.
_X86: Final = frozenset({"x86_64", "AMD64"})


def parse_arguments(arguments: Sequence[str]) -> argparse.Namespace:
    """Read the command line; every option is required, so that one side knows the defaults."""
    parser = argparse.ArgumentParser(description="Serve a GGUF model on 127.0.0.1.")
    parser.add_argument("--model", required=True, help="path of the GGUF file")
    parser.add_argument("--alias", required=True, help="model id on the wire")
    parser.add_argument("--port", required=True, type=int, help="loopback port")
    parser.add_argument("--threads", required=True, type=int, help="threads that write")
    parser.add_argument("--prompt-threads", required=True, type=int, help="threads that read")
    parser.add_argument("--slots", required=True, type=int, help="requests served at once")
    parser.add_argument("--context", required=True, type=int, help="tokens of context per slot")
    return parser.parse_args(arguments)


def die_with_parent() -> None:
    """Have Linux end us with our parent even while the engine holds the interpreter's lock.

    Loading holds it for seconds, during which the thread watching standard input cannot run.
    SIGTERM keeps its default action for the same reason: a handler would have to wait.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def exit_at_end(stream: TextIO) -> None:
    """Leave at once when ``stream`` ends."""
    while stream.read(1):
        pass
    os._exit(0)


def serve(arguments: argparse.Namespace, api_key: str) -> object:
    """Load the model and serve it; the server lives as long as the object returned.

    The port may be reserved by the parent with SO_REUSEPORT, hence ``reuse_port``.
    """
    import xllamacpp  # noqa: PLC0415 - libgomp reads its environment while it is loaded

    params = xllamacpp.CommonParams()
    params.model.path = arguments.model
    params.model_alias = {arguments.alias}
    params.hostnames = ["127.0.0.1"]
    params.port = arguments.port
    params.reuse_port = True
    params.api_keys = [api_key] if api_key else []
    params.cors_origins = ""
    params.n_parallel = arguments.slots
    params.n_ctx = arguments.context * arguments.slots
    params.n_batch = params.n_ubatch = _BATCH
    params.fit_params = False
    params.no_extra_bufts = platform.machine() in _X86
    params.cpuparams.n_threads = arguments.threads
    params.cpuparams_batch.n_threads = arguments.prompt_threads
    params.cache_ram_mib = _PROMPT_CACHE_MIB
    params.endpoint_slots = False
    params.ui = False
    params.verbosity = _WARNINGS
    return xllamacpp.Server(params)


def main(argv: Sequence[str]) -> None:
    """Serve until standard input ends or a signal comes."""
    arguments = parse_arguments(argv)
    die_with_parent()
    # A waiting thread that spins would starve the gateway on a small machine.
    os.putenv("OMP_WAIT_POLICY", "passive")
    api_key = sys.stdin.readline().strip()
    watcher = threading.Thread(target=exit_at_end, args=(sys.stdin,), daemon=True)
    watcher.start()
    try:
        server = serve(arguments, api_key)
    except RuntimeError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(LOAD_FAILED) from error
    watcher.join()
    del server


if __name__ == "__main__":
    main(sys.argv[1:])
