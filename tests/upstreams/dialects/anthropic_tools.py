"""What Anthropic checks of tools: those offered, those used, and their results."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from upstreams.dialects import fields
from upstreams.dialects.problems import Problem, Refused

_NAME = re.compile(r"[a-zA-Z0-9_-]{1,128}")
_CHOICE_FIELDS: Mapping[str, frozenset[str]] = {
    "auto": frozenset({"type", "disable_parallel_tool_use"}),
    "any": frozenset({"type", "disable_parallel_tool_use"}),
    "tool": frozenset({"type", "name", "disable_parallel_tool_use"}),
    "none": frozenset({"type"}),
}
_FORCING = frozenset({"any", "tool"})
_LEAST_BUDGET = 1024

Turn = tuple[str, list[Mapping[str, Any]]]
"""A role and its blocks, once turns that follow each other are merged."""


def check_tools(body: Mapping[str, Any]) -> None:
    """Check the tools offered, the choice among them, and that thinking leaves one."""
    tools = body.get("tools") or []
    names = [_check_tool(tool, place) for place, tool in enumerate(tools)]
    if len(set(names)) < len(names):
        raise Refused(Problem.INVALID, "tools: Tool names must be unique.")
    choice = fields.mapping(body, "tool_choice")
    if choice:
        _check_choice(choice, names)
    _check_thinking(body, choice)


def _check_tool(tool: Any, place: int) -> str:
    name = tool.get("name") if isinstance(tool, dict) else None
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        text = f"tools.{place}.custom.name: String should match pattern '^[a-zA-Z0-9_-]{{1,128}}$'"
        raise Refused(Problem.INVALID, text)
    schema = tool.get("input_schema")
    if not isinstance(schema, dict) or schema.get("type") != "object":
        text = f"tools.{place}.custom.input_schema.type: Input should be 'object'"
        raise Refused(Problem.INVALID, text)
    known = {"name", "description", "input_schema", "cache_control", "type", "strict"}
    message = f"tools.{place}.custom.{{}}: Extra inputs are not permitted"
    fields.only(tool, known, message=message)
    return name


def _check_choice(choice: Mapping[str, Any], names: Sequence[str]) -> None:
    kind = choice.get("type")
    if not isinstance(kind, str) or kind not in _CHOICE_FIELDS:
        text = f"tool_choice: Input tag '{kind}' does not match any of the expected tags"
        raise Refused(Problem.INVALID, text)
    message = f"tool_choice.{kind}.{{}}: Extra inputs are not permitted"
    fields.only(choice, _CHOICE_FIELDS[kind], message=message)
    if not names:
        text = "tool_choice: may only be specified while providing tools"
        raise Refused(Problem.INVALID, text)
    if kind == "tool" and choice.get("name") not in names:
        text = f"Tool '{choice.get('name')}' not found in provided tools"
        raise Refused(Problem.INVALID, text)


def _check_thinking(body: Mapping[str, Any], choice: Mapping[str, Any]) -> None:
    thinking = fields.mapping(body, "thinking")
    kind = thinking.get("type", "disabled")
    if kind not in {"enabled", "adaptive", "disabled"}:
        raise Refused(Problem.INVALID, f"thinking: Input tag '{kind}' does not match")
    if kind == "disabled":
        return
    if choice.get("type") in _FORCING:
        text = "Thinking may not be enabled when tool_choice forces tool use."
        raise Refused(Problem.INVALID, text)
    budget = thinking.get("budget_tokens")
    if kind == "enabled" and not _LEAST_BUDGET <= int(budget or 0) < int(body["max_tokens"]):
        text = "thinking.enabled.budget_tokens: must be at least 1024 and less than `max_tokens`"
        raise Refused(Problem.INVALID, text)


def check_results(messages: Iterable[Mapping[str, Any]]) -> None:
    """Check that every tool used has its result at the head of the next turn, and no other is.

    Turns of one role that follow each other are one turn.
    """
    turns = _merged(messages)
    for place, (_, content) in enumerate(turns):
        used = _unique([block["id"] for block in content if block["type"] == "tool_use"])
        following = turns[place + 1][1] if place + 1 < len(turns) else []
        _check_answered(used, _leading_results(following), place=place)
        before = turns[place - 1][1] if place else []
        known = {block["id"] for block in before if block["type"] == "tool_use"}
        _check_known(content, known, place=place)


def _merged(messages: Iterable[Mapping[str, Any]]) -> list[Turn]:
    turns: list[Turn] = []
    for message in messages:
        content = message["content"]
        blocks = [{"type": "text", "text": content}] if isinstance(content, str) else content
        if turns and turns[-1][0] == message["role"]:
            turns[-1][1].extend(blocks)
        else:
            turns.append((message["role"], list(blocks)))
    return turns


def _unique(ids: list[str]) -> list[str]:
    if len(set(ids)) < len(ids):
        raise Refused(Problem.INVALID, "messages: `tool_use` ids must be unique")
    return ids


def _leading_results(content: Sequence[Mapping[str, Any]]) -> set[str]:
    leading = set()
    for block in content:
        if block["type"] != "tool_result":
            break
        leading.add(block["tool_use_id"])
    return leading


def _check_answered(used: Sequence[str], answered: set[str], *, place: int) -> None:
    missing = [identity for identity in used if identity not in answered]
    if missing:
        text = (
            f"messages.{place}: `tool_use` ids were found without `tool_result` blocks immediately "
            f"after: {', '.join(missing)}. Each `tool_use` block must have a corresponding "
            "`tool_result` block in the next message."
        )
        raise Refused(Problem.INVALID, text)


def _check_known(content: Sequence[Mapping[str, Any]], known: set[str], *, place: int) -> None:
    results = [block["tool_use_id"] for block in content if block["type"] == "tool_result"]
    for identity in results:
        if identity not in known:
            text = (
                f"messages.{place}: unexpected `tool_use_id` found in `tool_result` blocks: "
                f"{identity}. Each `tool_result` block must have a corresponding `tool_use` block "
                "in the previous message."
            )
            raise Refused(Problem.INVALID, text)
    if len(set(results)) < len(results):
        text = f"messages.{place}: each tool_use must have a single result."
        raise Refused(Problem.INVALID, text)
