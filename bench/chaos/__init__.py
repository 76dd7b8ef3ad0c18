"""What callers notice when upstreams fail and operators act: measured on the real service.

`python -m bench.chaos` starts the service, upstreams that misbehave and a load generator on
loopback, and prints one table of what was measured and what is wanted. docs/chaos.md has the
latest one.
"""
