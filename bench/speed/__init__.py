"""How fast the gateway is beside others: measured on the real programs, one pinned core each.

`python -m bench.speed` starts an upstream, the gateways and a load generator
on loopback, and prints one table. docs/speed.md has the latest one, and the method.
"""
