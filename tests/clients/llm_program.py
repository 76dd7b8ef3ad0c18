"""A program as users of the llm library write them; run by its test in a process of its own.

It prints one JSON object: what each way of asking gave, by the names of models it is called with.
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any

# The folder of the chain's tests has the same name, and would be found by type checkers.
llm: Any = importlib.import_module("llm")


def disk_usage(path: str) -> str:
    """Tell how full the disk below a path is."""
    return f"/dev/sda1 97% ({path})"


def uptime() -> str:
    """Tell how long the machine has been up."""
    return "up 12 days"


def asked(name: str) -> dict[str, Any]:
    """Ask in every way the library has."""
    model = llm.get_model(name)
    whole = model.prompt("Tell.", system="You are an operator.", stream=False)
    pieces = list(model.prompt("Tell.", stream=True))
    chain = model.chain("Look.", tools=[disk_usage, uptime], stream=False)
    streamed = model.chain("Look.", tools=[disk_usage, uptime], stream=True)
    form = {"type": "object", "properties": {"cause": {"type": "string"}}, "required": ["cause"]}
    return {
        "whole": whole.text(),
        "pieces": pieces,
        "tools": chain.text(),
        "tools_streamed": list(streamed),
        "form": json.loads(model.prompt("Judge.", schema=form, stream=False).text()),
        "usage": whole.usage().output,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps({name: asked(name) for name in sys.argv[1:]}))
