"""Text of any size and kind -> what is worth looking up in it (pure).

Two forms of a text are made:

* its *tokens*: lower-case ASCII words, and the same as one stream, ``b" error 502 bad gateway "``.
  A phrase stands in a text when its stream is part of the text's, whatever quotes, punctuation
  or line breaks the text has.
* its *search terms*: the distinct telling words of a question, in order of appearance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["SCAN_LIMIT", "Tokens", "search_terms", "tokens"]

SCAN_LIMIT = 2_000_000
"""Characters of a text that are looked at; of a longer one, half of that from either end."""

_EDGE = 1_000  # characters at either end of a text whose words are search terms
_LONGEST_TERM = 40  # longer "words" are hashes or base64, never vocabulary

_TO_STREAM = bytes(
    ord(chr(code).lower()) if code < 128 and chr(code).isalnum() else 32  # noqa: PLR2004 - ASCII
    for code in range(256)
)

# A number counts on its own (`502`) or as a port (`db:5432`), not within a time, date, version
# or address: those would make every log resemble every runbook.
_TERM = re.compile(
    r"[^\W\d_][^\W_]*|(?<!\w)(?:(?<!\d[.:,/-])\d{1,5}|(?<=:)\d{4,5})(?!\w|[.:,/-]\d)"
)

_SAME_AS = {
    "k8s": "kubernetes",
    "kube": "kubernetes",
    "postgres": "postgresql",
    "psql": "postgresql",
    "pg": "postgresql",
    "mariadb": "mysql",
    "ssl": "tls",
    "https": "tls",
    "cert": "certificate",
    "certs": "certificate",
    "ram": "memory",
    "oom": "memory",
    "hdd": "disk",
    "ssd": "disk",
    "storage": "disk",
    "jdk": "java",
    "jre": "java",
    "hostname": "name",
    "gitlab": "ci",
    "github": "ci",
    "jenkins": "ci",
    "pipeline": "ci",
}

_COMMON_WORDS = """
a about after all also always am an and any are as at be because been before being but by can
could did do does doing for from get gets getting give got had has have he help her his how i
if in into is it its just keep keeps like make many may me might more most my need no not now
of off on once one only or other our out over please put say says see seems she should so some
such tell than that the their them then there these they thing things this those to too two up
us use using very want was we were what when where which while who whom why will with would
write you your time new info debug warn error log logs message http server service
"""
_UNTELLING = frozenset(_COMMON_WORDS.split())


@dataclass(frozen=True, slots=True)
class Tokens:
    """The words of a text, in order with one space between and around them, and as a set."""

    stream: bytes
    words: frozenset[bytes]


def tokens(text: str) -> Tokens:
    """Return the lower-case ASCII words of ``text``; other characters separate words."""
    if len(text) > SCAN_LIMIT:
        text = f"{text[: SCAN_LIMIT // 2]} {text[-SCAN_LIMIT // 2 :]}"
    words = text.encode("ascii", "replace").translate(_TO_STREAM).split()
    return Tokens(b" ".join((b"", *words, b"")), frozenset(words))


def search_terms(text: str) -> list[str]:
    """Return the distinct telling words of a question, or of both ends of a log."""
    if len(text) > 2 * _EDGE:
        text = f"{text[:_EDGE]} {text[-_EDGE:]}"
    words = dict.fromkeys(w for w in _TERM.findall(text.lower()) if len(w) <= _LONGEST_TERM)
    words |= {_SAME_AS[word]: None for word in words if word in _SAME_AS}
    return [word for word in words if word not in _UNTELLING]
