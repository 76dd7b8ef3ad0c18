"""Addresses: a base URL, as an operator writes it, and a path, as a vendor has it."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache, wraps
from urllib.parse import quote

_VERSION = re.compile(r"(?<!/)/v\d+[a-z0-9]*$")


_Place = Callable[[str, str], str]


def _remembered(place: _Place) -> _Place:
    """Remember what is asked over and over, but for addresses with a user: they hold a secret."""
    known = lru_cache(maxsize=256)(place)

    @wraps(place)
    def place_of(base_url: str, behind: str) -> str:
        return (place if "@" in base_url else known)(base_url, behind)

    return place_of


@_remembered
def join(base_url: str, path: str) -> str:
    """``base_url`` with ``path`` behind it."""
    return tidy(base_url) + path


@_remembered
def without_path(base_url: str, path: str) -> str:
    """The base URL of one that was given with a call's ``path`` already behind it."""
    return tidy(base_url).removesuffix(path).rstrip("/")


@_remembered
def versioned(base_url: str, version: str) -> str:
    """The base URL with ``version`` (such as ``/v1``) behind it, unless it names one itself."""
    base = tidy(base_url)
    return base if _VERSION.search(base) else base + version


def unversioned(base_url: str) -> str:
    """The base URL without the version at its end."""
    return _VERSION.sub("", tidy(base_url))


def tidy(base_url: str) -> str:
    """The base URL without blanks, line ends and trailing slashes."""
    return "".join(base_url.split()).rstrip("/")


def segment(name: str) -> str:
    """A model's name as part of a path: slashes stay, what would end the path is escaped."""
    return quote(name, safe="/:@-._~")
