"""The gateways that are compared, each in a file of its own."""

from bench.speed.peers.faultmaven import FaultMaven
from bench.speed.peers.ferro import Ferro
from bench.speed.peers.litellm import LiteLLM
from bench.speed.peers.nginx import Nginx
from bench.speed.peers.peer import Peer, Plan
from bench.speed.peers.portkey import Portkey
from bench.speed.peers.tensorzero import TensorZero

__all__ = ["PEERS", "FaultMaven", "Peer", "Plan"]

PEERS: tuple[Peer, ...] = (Nginx(), TensorZero(), Ferro(), Portkey(), LiteLLM())
"""Every gateway but FaultMaven, in the table's order."""
