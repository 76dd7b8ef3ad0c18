"""Credentials by their shape: the last line between a secret and a log, an error or a vendor.

Shapes come from the vendors' own key formats and from common operations text. Identifiers that
only look random (commit hashes, image digests, pod names, ARNs) match none of them. Linear in
the length of the text, whatever it holds: a shape is tried only where its mark stands.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from faultmaven.models.line_blocks import BLOCK
from faultmaven.models.plain_text import lowered
from faultmaven.models.value import value


@value
class Masked:
    """Text without credentials.

    Attributes:
        text: the text, each credential replaced by ``[kind removed]``.
        kinds: the kinds that were replaced, once per replacement, in order.
    """

    text: str
    kinds: tuple[str, ...] = ()


@value
class _Shape:
    """One kind of credential.

    Attributes:
        kind: name in the placeholder.
        marks: one of them stands in every text that holds the shape; a quick test.
        pattern: begins with a literal, so that the search skips to it; the group ``secret``
            is what is removed, the whole match where there is none.
    """

    kind: str
    marks: tuple[str, ...]
    pattern: re.Pattern[str]


def _shape(kind: str, mark: str, pattern: str) -> _Shape:
    return _Shape(kind, tuple(mark.split("|")), re.compile(pattern))


def _key(kind: str, prefix: str, rest: str) -> _Shape:
    """A key that begins with ``prefix``, at the start of a word."""
    literal = re.escape(prefix)
    return _shape(kind, prefix, rf"{literal}(?<![A-Za-z0-9]{literal}){rest}")


_WORD = "[A-Za-z0-9_-]"
# Program text has such names too (``hf_hub_download``, ``sk_buff``); a key has digits or is long.
_KEYLIKE = rf"(?=[A-Za-z_-]{{0,80}}+[0-9]|{_WORD}{{24}}){_WORD}{{8,}}"

_PRIVATE_KEY = _shape(
    "private_key",
    "-----BEGIN ",
    r"-----BEGIN (?:[A-Z0-9]{1,16} ){0,4}PRIVATE KEY(?: BLOCK)?-----"
    r"(?:(?:[^-]|-(?!----)){0,20000}+-----END [A-Z0-9 ]{0,64}-----|[A-Za-z0-9+/=\s\\]*)",
)
_SHAPES: tuple[_Shape, ...] = (
    _PRIVATE_KEY,
    _key("anthropic_key", "sk-ant-", rf"{_WORD}{{8,}}"),
    _key("openrouter_key", "sk-or-", rf"{_WORD}{{8,}}"),
    _key("openai_key", "sk-", rf"{_WORD}{{8,}}"),
    _key("stripe_key", "sk_live_", r"[A-Za-z0-9]{8,}"),
    _key("stripe_key", "sk_test_", r"[A-Za-z0-9]{8,}"),
    _key("stripe_key", "rk_live_", r"[A-Za-z0-9]{8,}"),
    _key("openai_key", "sk_", _KEYLIKE),
    _key("fireworks_key", "fw_", _KEYLIKE),
    _key("huggingface_key", "hf_", _KEYLIKE),
    _key("together_key", "tgp_v1_", rf"{_WORD}{{8,}}"),
    _key("google_key", "AIza", rf"{_WORD}{{8,}}"),
    _key("google_token", "ya29.", rf"{_WORD}{{20,}}"),
    _key("aws_key", "AKIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _key("aws_key", "ASIA", r"[A-Z0-9]{16}(?![A-Za-z0-9])"),
    _key("github_token", "github_pat_", r"[A-Za-z0-9_]{20,}"),
    _shape(
        "github_token", "ghp_|gho_|ghu_|ghs_|ghr_", r"gh(?<![A-Za-z0-9]gh)[pousr]_[A-Za-z0-9]{20,}"
    ),
    _key("gitlab_token", "glpat-", rf"{_WORD}{{16,}}"),
    _key("slack_token", "xox", r"[abeoprs]-[A-Za-z0-9-]{8,}"),
    _key("vault_token", "hvs.", rf"{_WORD}{{16,}}"),
    _key("npm_token", "npm_", r"[A-Za-z0-9]{30,}"),
    _key("pypi_token", "pypi-", rf"{_WORD}{{40,}}"),
    _shape(
        "jwt",
        "eyJ",
        rf"eyJ(?<![A-Za-z0-9_-]eyJ){_WORD}{{8,}}+\.{_WORD}{{8,}}+\.{_WORD}*",
    ),
    _shape(
        "url_password",
        "://",
        r"://[^\s/:@'\"]{0,256}:(?P<secret>[^\s/'\"]+)@",
    ),
    _shape(
        "bearer_token",
        "Bearer |bearer |BEARER ",
        r"[Bb](?:earer|EARER) (?P<secret>(?=[A-Za-z._~+/-]{0,80}+[0-9]|[A-Za-z0-9._~+/-]{24})"
        r"[A-Za-z0-9._~+/-]{8,}=*)",
    ),
    _shape(
        "basic_auth",
        "uthorization|UTHORIZATION",
        r"[Aa](?:uthorization|UTHORIZATION)[\"']?: ?[\"']?(?:[Bb]asic|BASIC) "
        r"(?P<secret>[A-Za-z0-9+/]{6,}=*)",
    ),
    _shape(
        "secret_value",
        "assword '|ASSWORD '",
        r"[Pp](?:assword|ASSWORD) '(?P<secret>[^'\n]+)",
    ),
    _shape(
        "secret_value",
        "--",
        r"--(?:[a-z0-9]{1,16}-){0,4}(?:password|passwd|token|secret|api-key|access-key)[ \t]+"
        r"(?!-)(?P<secret>[^\s\"',;&]{4,})",
    ),
)

# Characters that plain sentences seldom have, or have once: to look for one alone takes a tenth.
_SIGNS = "_-:.'JKBZzxS"


def _marks_by_sign() -> Iterator[tuple[str, tuple[str, ...]]]:
    """All marks behind the sign that each of them holds; those that hold none are behind none."""
    marks = dict.fromkeys(mark for shape in _SHAPES for mark in shape.marks)
    signs = {mark: next((sign for sign in _SIGNS if sign in mark), "") for mark in marks}
    for sign in (*_SIGNS, ""):
        yield sign, tuple(mark for mark in marks if signs[mark] == sign)


_MARKS = tuple(_marks_by_sign())

# Names of settings that hold a secret: the end of the name counts (``DB_PASSWORD``), so that
# ``password_file``, ``secretName`` and ``api_key_var`` keep their values.
_NAMED = (
    *("password", "passwd", "passphrase", "pass", "pwd", "secret", "credential", "cookie"),
    *("api_key", "api-key", "apikey", "api key", "access_key", "access-key", "accesskey"),
    *("account_key", "accountkey", "sharedaccesskey", "private_key", "privatekey"),
    *("signing_key", "encryption_key", "auth_token", "access_token", "refresh_token", "token"),
)
_SHORT = 1_000  # characters that one pattern goes through sooner than some thirty searches do
_STEMS = ("pass", "pwd", "secret", "credential", "cookie", "key", "token")  # one in every name
_ASSIGNED = re.compile("|".join(_NAMED))
_LONGEST_NAME = max(map(len, _NAMED))
_LEAD = re.compile(
    r"(?:[_-]?(?:value|string|hash|s|[0-9]{1,3})|[ ]provided)?(?P<quote>\\{0,3}[\"']?)\]?"
    r"[ \t]{0,4}(?P<sign>=>|:=|[:=])[ \t]{0,4}"
)
# Of JSON, which may stand as a text within JSON: its placeholder is quoted as the name is.
_NUMBER = re.compile(r"\[*+(?P<number>-?[0-9][0-9.eE+-]*+)(?=[\s,}\]\\]|$)")
_OPENING, _CLOSING = "[{", "}]"  # around a value without quotes
_VALUE = re.compile(
    r"\"(?P<double>(?:\\.|[^\"\\\n])+)"
    r"|'(?P<single>(?:\\.|[^'\\\n])+)"
    r"|\\{1,3}\"(?P<escaped>(?:[^\\\n]|\\(?!\\{0,2}\"))+)"
    r"|(?P<bare>[^\s\"',;&]+)"
)
_LINE = re.compile(r"(?P<bare>[^\n\r\"']+)")
# What stands where a secret would, and is none: words, templates, and what others masked.
_NO_SECRET = re.compile(
    r"(?i:none|null|nil|true|false|yes|no|on|off|required|missing|empty|unset|undefined|invalid"
    r"|incorrect|wrong|changed|expired|not|is|was|must|\*+|\.+|x{3,}|<[^<>\n]*>|\[?redacted\]?"
    r"|\$\{[^{}\n]*\}|\$\([^()\n]*\)|\{\{[^{}\n]*\}\}?|\[\]|\{\}?|\[|[|>]-?)[\]})]*"
)
# A value that is refused is read again from the next name within it, which may hold a secret of
# its own. Hence the tests that refuse are bounded and come before the value is read; `_NO_SECRET`
# may come after it, because only differing brackets nest there, and only a few levels deep.
#
# Counts and kinds are called token too; a secret one is long and has digits.
_TOKENLIKE = re.compile(r"[\\\"']{0,4}(?=[^\s\"',;&0-9]{0,40}+[0-9])[^\s\"',;&]{12}")
_DIRECTORY = re.compile(r"(?:[\"']|\\{1,3}\")?/")  # the shell's ``PWD``
_MASKED = re.compile(r"[\\\"']{0,4}\[[a-z_]{2,24} removed\]")
_SHORTEST_KEY = 8  # bytes; a shorter one could be a part of any word
PLACEHOLDER = re.compile(r"\[([a-z_]{2,24}) removed\]")
"""What stands in a credential's place; its group is the kind."""


def mask_credentials(text: str) -> str:
    """The text with every credential replaced by a placeholder; idempotent."""
    return find_credentials(text).text if _may_hold_any(text) else text


def known_keys(keys: Iterable[str]) -> tuple[bytes, ...]:
    """These keys as they are looked for in what a server said: the longest first.

    One may be the beginning of another; one that is very short could be a part of any word, and
    is not looked for.
    """
    known = {key.strip().encode("utf-8", "replace") for key in keys}
    return tuple(sorted((key for key in known if len(key) >= _SHORTEST_KEY), key=len)[::-1])


def remove_keys(data: bytes, known: Iterable[bytes]) -> bytes:
    """The data without any of these keys, whatever their shape; see `known_keys`."""
    for key in known:
        data = data.replace(key, b"[key removed]")
    return data


def find_credentials(text: str) -> Masked:
    """As `mask_credentials`, with the kinds that were found."""
    found = list(_spans(text))
    if not found:
        return Masked(text)
    spans = _merged(sorted(found, key=lambda span: span[0]))
    parts: list[str] = []
    position = 0
    for start, end, kind, quote in spans:
        parts += (text[position:start], f"{quote}[{kind} removed]{quote}")
        position = end
    parts.append(text[position:])
    return Masked("".join(parts), tuple(span[2] for span in spans))


def secrets_of_several_lines(text: str) -> Iterator[tuple[int, int]]:
    """Begin and end of every credential that may go over several lines: private keys alone."""
    if _PRIVATE_KEY.marks[0] in text:
        yield from (match.span() for match in _PRIVATE_KEY.pattern.finditer(text))


_Span = tuple[int, int, str, str]
"""Begin, end, kind, and what the placeholder is quoted with."""


def _may_hold_any(text: str) -> bool:
    """Whether a mark or a telling name stands in the text at all; in most there is none."""
    for sign, marks in _MARKS:
        if sign in text:
            for mark in marks:
                if mark in text:
                    return True
    return _may_be_assigned(lowered(text))


def _spans(text: str) -> Iterator[_Span]:
    """Where credentials stand; spans may overlap, the more telling kind first."""
    for shape in _SHAPES:
        for mark in shape.marks:
            if mark in text:
                yield from _shaped(shape, text)
                break
    yield from _assigned(text)


def _shaped(shape: _Shape, text: str) -> Iterator[_Span]:
    group = "secret" if "secret" in shape.pattern.groupindex else 0
    for match in shape.pattern.finditer(text):
        if not _is_no_secret(text, *match.span(group)):
            yield (*match.span(group), shape.kind, "")


def _assigned(text: str) -> Iterator[_Span]:
    """Values of settings whose name says that they are secret."""
    small = lowered(text)
    if not _may_be_assigned(small):
        return
    end = 0
    for name in _names(small):
        if name.start() < end or not _is_setting(name):
            continue
        lead = _LEAD.match(text, name.end())
        span = _value(lead, name.group()) if lead else None
        if lead and span is not None:
            end = span[1]
            yield (*span, "secret_value", lead["quote"] if _number(lead) else "")


def _names(small: str) -> Iterator[re.Match[str]]:
    """Names of settings; a long text is looked through in parts, so that others get their turn."""
    if len(small) <= BLOCK:
        yield from _ASSIGNED.finditer(small)
        return
    end = 0
    for start in range(0, len(small), BLOCK):
        stop = start + BLOCK
        if not _may_be_assigned(small[start : stop + _LONGEST_NAME]):
            continue
        for name in _ASSIGNED.finditer(small, max(start, end), stop + _LONGEST_NAME):
            if name.start() < stop:
                end = name.end()
                yield name


def _may_be_assigned(small: str) -> bool:
    """Whether the end of a telling name stands in the text at all; most texts have no stem."""
    for stem in _STEMS:
        if stem in small:
            if len(small) <= _SHORT:
                return _ASSIGNED.search(small) is not None
            return any(name in small for name in _NAMED)
    return False


def _is_setting(name: re.Match[str]) -> bool:
    """Whether a name that says other things too (a test's pass, an ARN's secret) is a setting."""
    before = name.string[name.start() - 1 : name.start()]
    if name.group() == "pass":
        return before in {"_", "-"}
    return name.group() != "secret" or before != ":"


def _number(lead: re.Match[str]) -> re.Match[str] | None:
    """The number behind a name in JSON."""
    is_json = lead["sign"] == ":" and lead["quote"].endswith('"')
    return _NUMBER.match(lead.string, lead.end()) if is_json else None


def _value(lead: re.Match[str], name: str) -> tuple[int, int] | None:
    """Where the value of a setting stands, if it is a secret."""
    text, position = lead.string, lead.end()
    if _MASKED.match(text, position):
        return None
    if name == "token" and not _TOKENLIKE.match(text, position):
        return None
    if name == "pwd" and _DIRECTORY.match(text, position):
        return None
    number = _number(lead)
    if number is not None:
        return number.span("number")
    match = (_LINE if name == "cookie" else _VALUE).match(text, position)
    if match is None or match.lastgroup is None:
        return None
    start, end = match.span(match.lastgroup)
    if match.lastgroup == "bare":
        end = _without_closing(text, start, end)
    return None if _is_no_secret(text, start, end) or start == end else (start, end)


def _without_closing(text: str, start: int, end: int) -> int:
    """Where a value without quotes ends, if what it stands in ends right behind it."""
    value = text[start:end]
    inner = value.rstrip(_CLOSING)
    if not value.startswith(tuple(_OPENING)):
        return start if _NO_SECRET.fullmatch(value) else start + len(inner)
    told = inner.lstrip(_OPENING)
    return end if told and not _NO_SECRET.fullmatch(told) else start


def _is_no_secret(text: str, start: int, end: int) -> bool:
    return bool(_NO_SECRET.fullmatch(text, start, end) or PLACEHOLDER.match(text, start))


def _merged(spans: list[_Span]) -> list[_Span]:
    """Overlapping spans as one, with the kind of the first."""
    merged: list[_Span] = []
    for span in spans:
        if merged and span[0] < merged[-1][1]:
            first = merged[-1]
            merged[-1] = (first[0], max(first[1], span[1]), *first[2:])
        else:
            merged.append(span)
    return merged
