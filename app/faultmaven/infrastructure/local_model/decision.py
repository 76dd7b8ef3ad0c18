"""Whether to start the embedded model: a decision of its own, apart from starting it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Circumstances:
    """What the decision depends on.

    Attributes:
        setting: ``LOCAL_MODEL``: ``auto``, ``on``, ``off``, or a model's name.
        explicit_url: the user set ``LOCAL_LLM_URL``.
        any_key: some provider has an API key.
        server_answered: a model server answered where the ``local`` provider looks.
        local_only: the privacy mode forbids every provider but ``local``.
    """

    setting: str
    explicit_url: bool = False
    any_key: bool = False
    server_answered: bool = False
    local_only: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether to start the embedded model, and why (or why not), in one sentence."""

    start: bool
    reason: str


def decide(given: Circumstances) -> Decision:
    """Decide by the first rule that applies.

    An explicit ``LOCAL_MODEL`` wins; ``auto`` starts it only when nobody else answers.
    An explicit URL keeps ``auto`` from starting it even when its server is silent: the server
    may come up after us, and a gigabyte fetched meanwhile would be nobody's wish.
    """
    rules = (
        (given.setting == "off", False, "LOCAL_MODEL=off."),
        (given.setting != "auto", True, f"LOCAL_MODEL={given.setting}."),
        (given.explicit_url, False, "LOCAL_LLM_URL names a model server."),
        (given.server_answered, False, "A local model server is running already."),
        (given.local_only, True, "Only local answers are allowed, and no local server runs."),
        (given.any_key, False, "A provider has an API key."),
        (True, True, "No provider has an API key, and no local server runs."),
    )
    return next(Decision(start, reason) for applies, start, reason in rules if applies)
