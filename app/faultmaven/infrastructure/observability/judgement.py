"""What the evidence about one provider amounts to. Pure.

Attempts and free calls are judged apart, and the newest evidence of each kind counts:

- **Attempts.** ``down`` after three failures in a row, and at once when the key is refused or the
  configured model does not exist, since only a person mends that. ``degraded`` when fewer than 90 %
  of the last five minutes' attempts succeeded, or while our rate is limited. Nothing heard for five
  minutes says nothing, a refused key or a missing model excepted.
- **Free calls** (probes). ``down`` when the latest found the key refused, the model missing or the
  account spent, when no connection came about, or when it is the second in a row that met a timeout
  or an overloaded server; any other failure, and the first of those two, is ``degraded``. One that
  passed is ``healthy`` if it showed that the key works; else it says nothing about answers.
  A result counts until the next one, or until two more would have been due.

Where both speak:

- A failing free call lowers what attempts say, unless an attempt succeeded since. For troubles that
  pass, that is since the call before it, and none failed after; a refusal, once refuted by an
  answer, stays so, for a key may be good for answers and not for lists.
- A free call that passes, begun after the latest failed attempt, lifts ``down`` to ``degraded`` if
  it shows what that failure denied: the key for ``auth``, the model for ``model_not_found``, never
  the money or the rate. It does not hide that attempts fail: the next failure makes it ``down``
  again, and the share of successes still counts.
- When free calls had failed as well, one that passes so is the end of an outage: attempts before it
  no longer count (`ends_an_outage`).
"""

from __future__ import annotations

from typing import Literal

from faultmaven.errors import ErrorClass
from faultmaven.infrastructure.observability.evidence import (
    PASSING,
    Attempts,
    Evidence,
    Probes,
)
from faultmaven.models.attempt import Attempt
from faultmaven.models.status import Probe

DOWN_AFTER = 3
DEGRADED_BELOW = 0.9
_PROBES_DOWN_AFTER = 2

MISCONFIGURED = frozenset({ErrorClass.AUTH, ErrorClass.MODEL_NOT_FOUND})
# One free call is proof enough of these.
_PROVEN_AT_ONCE = MISCONFIGURED | {ErrorClass.QUOTA, ErrorClass.CONNECTION}
_MAY_PASS = frozenset({ErrorClass.TIMEOUT, ErrorClass.OVERLOADED})
# No free call shows that these are over.
_BEYOND_PROBES = frozenset({ErrorClass.QUOTA, ErrorClass.RATE_LIMITED})

State = Literal["unknown", "healthy", "degraded", "down"]
_FROM_GOOD_TO_BAD: tuple[State, ...] = ("unknown", "healthy", "degraded", "down")


def state_of(evidence: Evidence, now: float) -> State:
    """What can be expected of the provider at monotonic time ``now``."""
    attempts, probes = evidence.attempts, evidence.probes
    shown = _shown_by_attempts(attempts, now)
    if not probes.hold(now) or _refuted(probes, attempts):
        return shown
    if probes.failures:
        return max(shown, _shown_by_failures(probes), key=_FROM_GOOD_TO_BAD.index)
    if shown == "unknown":
        return "healthy" if probes.latest and probes.latest.key_accepted else "unknown"
    return "degraded" if shown == "down" and _lifts(probes, attempts) else shown


def ends_an_outage(probe: Probe, *, began: float, before: Evidence) -> bool:
    """Whether a free call shows that an outage is over which free calls and attempts had met.

    Args:
        probe: the free call.
        began: when it was begun, in monotonic seconds.
        before: what was known before it.
    """
    if probe.error_class is not None or not before.probes.failures:
        return False
    return before.attempts.failures == 0 or _denies(probe, began, before.attempts)


def trouble_in(evidence: Evidence, now: float) -> tuple[Attempt | Probe | None, bool]:
    """The failure that matters most, and whether it still does.

    What only a person mends comes first, then the latest; what is over only where nothing else is.
    """
    attempts, probes = evidence.attempts, evidence.probes
    of_probe = (
        probes.failed.at,
        probes.failure,
        bool(probes.failures) and probes.hold(now) and not _refuted(probes, attempts),
    )
    of_attempt = (attempts.failed.at, attempts.failure, attempts.failures > 0)
    _, failure, stands = max(of_probe, of_attempt, key=_weight)
    return failure, failure is not None and stands


def _weight(trouble: tuple[float, Attempt | Probe | None, bool]) -> tuple[bool, bool, float]:
    at, failure, stands = trouble
    grave = stands and failure is not None and failure.error_class in MISCONFIGURED
    return grave, stands, at


def _shown_by_attempts(attempts: Attempts, now: float) -> State:
    reason = attempts.failure.error_class if attempts.failure else None
    if attempts.failures and reason in MISCONFIGURED:
        return "down"
    share = attempts.judged.share(now)
    if share is None:
        return "unknown"
    if attempts.failures >= DOWN_AFTER:
        return "degraded" if reason is ErrorClass.RATE_LIMITED else "down"
    return "healthy" if share >= DEGRADED_BELOW else "degraded"


def _shown_by_failures(probes: Probes) -> State:
    reason = probes.latest.error_class if probes.latest else None
    again = reason in _MAY_PASS and probes.failures >= _PROBES_DOWN_AFTER
    return "down" if again or reason in _PROVEN_AT_ONCE else "degraded"


def _refuted(probes: Probes, attempts: Attempts) -> bool:
    if not probes.failures or attempts.succeeded.at <= probes.refutable_since:
        return False
    passing = probes.failure is not None and probes.failure.error_class in PASSING
    return not (passing and attempts.failures)


def _lifts(probes: Probes, attempts: Attempts) -> bool:
    return probes.latest is not None and _denies(probes.latest, probes.began, attempts)


def _denies(probe: Probe, began: float, attempts: Attempts) -> bool:
    """Whether a free call that passed shows that the latest failed attempt would now succeed."""
    if attempts.failure is None or began < attempts.failed.at:
        return False
    reason = attempts.failure.error_class
    if reason is ErrorClass.AUTH:
        return probe.key_accepted
    if reason is ErrorClass.MODEL_NOT_FOUND:
        return probe.model_found
    return reason not in _BEYOND_PROBES
