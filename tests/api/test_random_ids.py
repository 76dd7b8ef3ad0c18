"""Ids that nobody was given before."""

from __future__ import annotations

import re
import subprocess
import sys

from faultmaven.api.random_ids import random_id

# In a process of its own: one with threads is not to be split.
SPLIT = """
import os
from faultmaven.api.random_ids import random_id
random_id()
if child := os.fork():
    os.waitpid(child, 0)
for _ in range(300):
    os.write(1, f"{random_id()} ".encode())
"""


def test_no_id_is_given_twice() -> None:
    """However many are drawn, and at once or not, all are 32 hexadecimal digits and differ."""
    ids = [random_id() for _ in range(2_000)]
    assert len(set(ids)) == len(ids)
    assert all(re.fullmatch("[0-9a-f]{32}", one) for one in ids)


def test_a_process_split_off_gives_ids_of_its_own() -> None:
    """What was drawn before a fork is given on one side of it only."""
    command = [sys.executable, "-c", SPLIT]
    told = subprocess.run(command, capture_output=True, check=True).stdout  # noqa: S603 - our own text
    assert len(set(told.split())) == len(told.split()) == 600
