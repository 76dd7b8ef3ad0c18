"""How a server tells that nothing more of a request has to be waited for."""

from __future__ import annotations

ARRIVED = "faultmaven.arrived"
"""Key of a request's scope that a server which can do so sets once all of the body is there: then
`receive` waits for nothing before the body's end."""
