"""The frame every vendor's dialect fills: its paths, its checks, its answers, its errors."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from upstreams.dialects.answer import Answer, estimate
from upstreams.dialects.problems import BY_STATUS, PLAIN, Problem, Refused, Wording
from upstreams.dialects.stream import Event, Framing, Sse, Stage
from upstreams.messages import Reply, Request, json_reply


@dataclass(frozen=True, slots=True)
class Account:
    """What one upstream accepts."""

    keys: frozenset[str] | None
    """Accepted API keys; None accepts any, an empty set needs none."""
    models: frozenset[str] | None
    """Models it serves; None accepts any name."""
    context_tokens: int | None = None
    """Longest prompt, at about four characters a token; None has no limit."""

    def knows_key(self, key: str | None) -> bool:
        """Tell whether this key opens the account."""
        if self.keys is None:
            return bool(key)
        return not self.keys or key in self.keys

    def knows_model(self, model: str) -> bool:
        """Tell whether this model is served."""
        return self.models is None or model in self.models

    @property
    def listed(self) -> list[str]:
        """The models in the order a list shows them."""
        return sorted(self.models or ())


class Endpoint(ABC):
    """One path of a vendor's API."""

    method: ClassVar[str] = "POST"
    path: ClassVar[str]
    """A regular expression the whole path matches; named groups are at hand in `parameters`."""
    completes: ClassVar[bool] = False
    """Whether a model works for it, as opposed to a free call such as a list."""
    wordings: ClassVar[Mapping[Problem, Wording]] = PLAIN

    def matches(self, request: Request) -> bool:
        """Tell whether the request is for this endpoint."""
        return request.method == self.method and self.fits(request)

    def fits(self, request: Request) -> bool:
        """Tell whether the path, whatever the method, is this endpoint's."""
        return re.fullmatch(self.path, request.path) is not None

    def parameters(self, request: Request) -> dict[str, str]:
        """Read what the path carries, a model's name for example."""
        found = re.fullmatch(self.path, request.path)
        return found.groupdict() if found else {}

    def check(self, request: Request, account: Account) -> None:
        """Look at a request as the vendor does.

        Raises:
            Refused: The vendor would not accept it.
        """
        del request, account

    @abstractmethod
    def error_body(self, wording: Wording) -> Any:
        """Put the vendor's error format around a wording."""

    def fail(self, problem: Problem, message: str | None = None, param: str | None = None) -> Reply:
        """Answer with a problem as this vendor words it."""
        wording = self.wordings[problem]
        changes: dict[str, Any] = {"message": message} if message else {}
        changes |= {"param": param} if param else {}
        return self.write_error(replace(wording, **changes))

    def fail_with_status(self, status: int) -> Reply:
        """Answer with a status in this vendor's error format, whether or not it documents it."""
        wording = self.wordings[BY_STATUS[status]]
        return self.write_error(
            wording if wording.status == status else self.moved(wording, status)
        )

    def moved(self, wording: Wording, status: int) -> Wording:
        """Reword for a status other than the vendor's usual one."""
        return replace(wording, status=status)

    def write_error(self, wording: Wording) -> Reply:
        """Write an error with the headers that belong to it."""
        return json_reply(wording.status, self.error_body(wording), *wording.headers)


class Completing(Endpoint):
    """An endpoint at which a model answers."""

    completes: ClassVar[bool] = True
    framing: ClassVar[Framing] = Sse()
    """How its streams are written."""
    answer_headers: ClassVar[tuple[tuple[str, str], ...]] = ()
    """What the head of an answer has besides the content type."""
    ping: ClassVar[Event | None] = Event(Stage.START, comment="ping")
    """What it may send at any time while it works; None where it says nothing."""
    trouble: ClassVar[Problem] = Problem.UNAVAILABLE
    """What usually goes wrong in the middle of a stream."""

    @abstractmethod
    def model(self, request: Request) -> str:
        """Read which model the request names."""

    @abstractmethod
    def wants_json(self, request: Request) -> bool:
        """Tell whether the request asks for JSON by this vendor's own means."""

    @abstractmethod
    def payload(self, request: Request, answer: Answer) -> Any:
        """Put the vendor's format around an answer."""

    @abstractmethod
    def events(self, request: Request, answer: Answer) -> Iterator[Event]:
        """Tell an answer piece by piece in the vendor's format."""

    def streams(self, request: Request) -> bool:
        """Tell whether the request asks for a stream by this vendor's own means."""
        return request.fields.get("stream") is True

    def answer(self, request: Request, answer: Answer) -> Reply:
        """Write an answer as the vendor sends it; a stream as one body."""
        if self.streams(request):
            return self.framing.reply(self.events(request, answer), *self.answer_headers)
        return self.whole(request, answer)

    def whole(self, request: Request, answer: Answer) -> Reply:
        """Write an answer as one body, whether or not a stream was asked for."""
        return json_reply(200, self.payload(request, answer), *self.answer_headers)

    def error_event(self, wording: Wording) -> Event:
        """Write an error inside a stream."""
        return Event(Stage.FINISH, self.error_body(wording))

    def error_in_answer(self, request: Request) -> Any | None:
        """Give a 200 body whose answer carries an error inside, if the format has a place."""
        del request
        return None


class Describing(Endpoint):
    """An endpoint with one good answer to each request."""

    @abstractmethod
    def describe(self, request: Request, account: Account) -> Reply:
        """Answer the call."""


class Free(Describing):
    """An endpoint that costs nothing: lists, key checks, health."""

    method: ClassVar[str] = "GET"


@dataclass(frozen=True)
class Dialect:
    """A vendor's API as a whole."""

    name: str
    prefix: str
    """What the usual base URL has after the host, for example `/v1`."""
    key: str | None
    """A key in the vendor's form, accepted unless the test names others; None needs no key."""
    models: tuple[str, ...]
    """Models served unless the test names others; the first is the usual one. Empty: any."""
    endpoints: tuple[Endpoint, ...]

    def endpoint(self, request: Request) -> Endpoint | None:
        """Find the endpoint a request is for."""
        return next((item for item in self.endpoints if item.matches(request)), None)

    def no_route(self, request: Request) -> Reply:
        """Answer a request for a path or method the vendor does not have."""
        voice = self.endpoints[0]
        if any(item.fits(request) for item in self.endpoints):
            return voice.fail(Problem.METHOD)
        return voice.fail(Problem.ROUTE)


def check_bearer(request: Request, account: Account) -> None:
    """Check the key of `Authorization: Bearer`.

    Raises:
        Refused: There is none, or it is not known.
    """
    if account.keys is not None and not account.keys:
        return
    if request.bearer is None:
        raise Refused(Problem.KEY_MISSING)
    if not account.knows_key(request.bearer):
        raise Refused(Problem.KEY_WRONG)


def check_json_object(request: Request) -> Mapping[str, Any]:
    """Read the body as a JSON object sent as such.

    Raises:
        Refused: The content type is another, or the body is not a JSON object.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/json":
        raise Refused(Problem.INVALID, f"Unsupported content type: {kind!r}.")
    try:
        body = request.json
    except ValueError:
        raise Refused(
            Problem.INVALID, "We could not parse the JSON body of your request."
        ) from None
    if not isinstance(body, dict):
        raise Refused(Problem.INVALID, "The body must be a JSON object.")
    return body


def check_window(request: Request, account: Account) -> None:
    """Check that the prompt fits.

    Raises:
        Refused: It is longer than the account's window.
    """
    if account.context_tokens is not None and estimate(request.body) > account.context_tokens:
        raise Refused(Problem.CONTEXT)
