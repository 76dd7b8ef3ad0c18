"""How dangerous a command line is, read without running anything (pure)."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Sequence
from itertools import pairwise

from faultmaven.models.api import Safety
from faultmaven.services.diagnosis.command_table import RULES, Rule

_ORDER: tuple[Safety, ...] = ("read_only", "changes_state", "destructive")
_HARMLESS_FILES = frozenset({"/dev/null", "/dev/stderr", "/dev/stdout"})
_FIRST_WORDS = 4  # a tool's verb stands among its first words; later ones are names
_DEPTH = 3  # commands within commands that are followed; deeper ones are not trusted

_PLACEHOLDER = re.compile(r"<[A-Za-z][\w.: -]{0,60}>")
_SUBSTITUTION = re.compile(r"\$\(([^()]*)\)|`([^`]*)`")
_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_SEPARATOR = re.compile(r"[;&|()]+")

_SQL_READS = re.compile(r"(?i)\s*(?:select|show|explain|describe|desc|with|table|values|\\[a-z])\b")
_SQL_STATEMENT = re.compile(
    r"(?i)\s*(?:select|show|explain|insert|update|delete|alter|create|drop|truncate|vacuum|analyze"
    r"|reindex|grant|revoke)\s+\S"
)
_SQL_RIGHTS = re.compile(r"(?i)\s*(?:grant|revoke)\b")
_SQL_CHANGES = re.compile(
    r"(?i)\b(?:insert|update|alter|create|grant|revoke|set|vacuum|reindex|start|stop|call|copy"
    r"|checkpoint|flush|refresh|pg_reload_conf|pg_cancel_backend|pg_rotate_logfile|pg_promote"
    r"|pg_wal_replay_(?:resume|pause)|pg_switch_wal|pg_stat_reset|setval|nextval|lo_import|into)\b"
)
_SQL_LOSES = re.compile(
    r"(?i)\b(?:drop|truncate|delete|kill|purge|rollback\s+prepared|reset|pg_terminate_backend"
    r"|pg_drop_replication_slot|shutdown)\b"
)


def classify(command: str) -> Safety:
    """How dangerous ``command`` is; what is not known counts as changing something.

    A pipeline or list of commands is as dangerous as its most dangerous part.
    """
    return _classify(command, _DEPTH)


def more_careful(one: Safety, other: Safety) -> Safety:
    """The more dangerous of two readings."""
    return max(one, other, key=_ORDER.index)


def _classify(command: str, depth: int) -> Safety:
    if _SQL_STATEMENT.match(command):
        return _of_sql([command])
    inner = [one or other for one, other in _SUBSTITUTION.findall(command)]
    parts = _parts(_PLACEHOLDER.sub("_", command))
    readings = [_of_part(part, depth) for part in parts]
    if inner:
        readings.append(_of_many(inner, depth - 1))
    return max(readings, key=_ORDER.index, default="changes_state")


def _of_many(commands: Sequence[str], depth: int) -> Safety:
    if depth <= 0:
        return "destructive"
    return max((_classify(command, depth) for command in commands), key=_ORDER.index)


def _parts(command: str) -> list[list[str]]:
    """The words of each simple command, quotes removed; an unbalanced quote is a plain sign."""
    lexer = shlex.shlex(command.replace("\n", " ; "), posix=True, punctuation_chars=True)
    lexer.commenters = ""
    try:
        words = list(lexer)
    except ValueError:
        words = command.split()
    parts: list[list[str]] = [[]]
    for word in words:
        if _SEPARATOR.fullmatch(word):
            parts.append([])
        else:
            parts[-1].append(word)
    return [part for part in parts if part]


def _of_part(words: list[str], depth: int) -> Safety:
    """How dangerous one simple command is."""
    words, writes = _without_redirections(words)
    while words and _ASSIGNMENT.match(words[0]):
        words = words[1:]
    if not words:
        return "changes_state"
    reading = _of_tool(words, depth)
    return more_careful(reading, "changes_state") if writes else reading


def _without_redirections(words: list[str]) -> tuple[list[str], bool]:
    """The words that are no redirection, and whether one of those writes a file."""
    kept: list[str] = []
    writes = False
    rest = iter(words)
    for word in rest:
        if not set(word) <= set("<>&"):
            kept.append(word)
            continue
        if kept and kept[-1] in {"1", "2"}:
            kept.pop()
        file = next(rest, "")
        writes = writes or (">" in word and file not in _HARMLESS_FILES | {"1", "2"})
    return kept, writes


def _of_tool(words: list[str], depth: int) -> Safety:
    name = words[0].rsplit("/", 1)[-1]
    rule = RULES.get(name)
    if rule is None:
        return "changes_state"
    arguments = words[1:]
    if rule.sql:
        return _of_sql(_sql_arguments(arguments))
    if rule.wraps or "exec" in arguments[:_FIRST_WORDS]:
        return _of_wrapped(arguments, depth)
    return _of_arguments(rule, arguments)


def _of_arguments(rule: Rule, arguments: list[str]) -> Safety:
    signs = frozenset(_signs(arguments))
    if signs & rule.destructive:
        return "destructive"
    if signs & rule.changes_state:
        return "changes_state"
    return "read_only" if signs & rule.read_only else rule.otherwise


def _signs(arguments: list[str]) -> Iterator[str]:
    """Flags without values, the first words, and neighbours among all of these."""
    names = [argument.split("=", 1)[0] for argument in arguments]
    yield from (name for name in names if name.startswith("-"))
    words = [name for name in names if not name.startswith("-")][:_FIRST_WORDS]
    for word in words:
        yield word
        yield word.lower()
    for pair in (*pairwise(names), *pairwise(words)):
        yield " ".join(pair).lower()


def _of_wrapped(arguments: list[str], depth: int) -> Safety:
    """A command within a command: a whole line in quotes, or the words from a known tool on."""
    lines = [argument for argument in arguments if " " in argument]
    if lines:
        return _of_many(lines, depth - 1)
    for place, word in enumerate(arguments):
        if word.rsplit("/", 1)[-1] in RULES and depth > 0:
            return _of_tool(arguments[place:], depth - 1)
    return "changes_state"


def _sql_arguments(arguments: list[str]) -> list[str]:
    """What looks like a statement; ``-c`` and ``-e`` take one."""
    after = [
        value
        for flag, value in pairwise(arguments)
        if flag in {"-c", "-e", "--command", "--execute", "-Q", "-q"}
    ]
    return after or [argument for argument in arguments if _SQL_STATEMENT.match(argument)]


def _of_sql(statements: Sequence[str]) -> Safety:
    parts = [part for text in statements for part in text.split(";") if part.strip()]
    return max((_of_statement(part) for part in parts), key=_ORDER.index, default="changes_state")


def _of_statement(statement: str) -> Safety:
    if _SQL_RIGHTS.match(statement):  # names the rights, and uses none of them
        return "changes_state"
    if _SQL_LOSES.search(statement):
        return "destructive"
    looks = _SQL_READS.match(statement) and not _SQL_CHANGES.search(statement)
    return "read_only" if looks else "changes_state"
