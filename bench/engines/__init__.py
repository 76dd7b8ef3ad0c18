"""What moving bytes to a provider costs, by the client that moves them.

`python -m bench.engines` measures the transport's own engines, and aiohttp and pyreqwest where they
are installed. Each runs in a process of its own on one core, against a small server on another;
what counts is that process's CPU time, threads and kernel included, so that other work on the
machine disturbs the figures less. `docs/decisions/0016-transport-engine.md` tells what came out.
"""
