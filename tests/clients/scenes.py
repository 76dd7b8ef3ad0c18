"""What the clients' tests talk about: one full disk, two tools, one picture, one form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from upstreams import Answer, Request
from upstreams.dialects.answer import Call, calling

QUESTION = "Why does db-1 refuse writes?"
DISK = "/dev/sda1 97%"
UPTIME = "up 12 days"
VERDICT = "The disk /dev/sda1 of db-1 is at 97%, though it is up."
PATH = {"path": "/var/log"}

PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"
    "YPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)
"""A PNG of one pixel, base64."""

SCHEMAS: Mapping[str, Mapping[str, Any]] = {
    "disk_usage": {
        "type": "object",
        "properties": {"path": {"type": "string"}},
        "required": ["path"],
        "additionalProperties": False,
    },
    "uptime": {"type": "object", "properties": {}},
}
"""What the tools take, by name."""

DESCRIPTIONS = {
    "disk_usage": "Tells how full the disk below a path is.",
    "uptime": "Tells how long the machine has been up.",
}

RESULTS = {"disk_usage": DISK, "uptime": UPTIME}
"""What the tools give."""


class Diagnosis(BaseModel):
    """The form that an answer is demanded in."""

    cause: str
    certain: bool


DIAGNOSIS = {"cause": "The disk is full.", "certain": True}
"""What the model says in that form."""


def looks_at_disk(request: Request) -> Answer:
    """A model that wants to see the disk, and tells once it has."""
    if DISK in request.body.decode():
        return Answer(VERDICT)
    return calling(Call("disk_usage", PATH))


def looks_at_both(request: Request) -> Answer:
    """A model that wants two results at once, and tells once it has both."""
    said = request.body.decode()
    if DISK in said and UPTIME in said:
        return Answer(VERDICT)
    return calling(Call("disk_usage", PATH), Call("uptime"))


def never_ending(_request: Request) -> Answer:
    """A model that writes on and on: a minute's worth."""
    return Answer(pieces=("word ",) * 1200, delay=0.05)
