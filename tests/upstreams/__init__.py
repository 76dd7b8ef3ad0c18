"""Upstreams for tests: real servers on loopback that speak each vendor's wire format.

They know nothing of the code they test. Each judges a request as its vendor would (path, method,
key, model, required and forbidden fields) and answers, or fails, in the vendor's own shape::

    from upstreams import Upstream

    async with Upstream("anthropic", answer="Restart the pod.") as up:
        provider = make_provider(url=up.base_url, key=up.key, model=up.model)
        up.script("status_529", "reset_in_body")      # the next two answers; then good ones again
        ...
        assert [r.path for r in up.requests] == ["/v1/messages"] * 3
        assert up.last.headers["anthropic-version"] == "2023-06-01"
        assert up.last.json["max_tokens"] == 1024
        assert not up.rejections                      # the vendor found nothing wrong

What an upstream does with a request:

- A path it does not have, a wrong key, an unknown model, a field the vendor refuses: the vendor's
  own error, whatever is scripted. It is listed in `up.rejections`; the script is not used up.
- A request for an answer: the next of `up.script(...)`, else `up.default`.
- A free call (model list, key check, health): `up.script_free(...)`, else `up.default_free`.
  `up.always(fault)` sets both defaults; `up.recover()` clears everything.

A behaviour is a name in `FAULTS` or `STREAM_FAULTS`, a `Fault`, a `Reply` (fixed bytes), an
`Answer` (what the model says this time), or any `async def behaviour(exchange)`.
`faults_for("gemini")` gives every fault that can happen at a vendor; its `classes` are the error
classes a client may give it, `answered` meaning that there is an answer after all; those with
`stalls` end only when the client gives up::

    @pytest.mark.parametrize("fault", faults_for("openai"), ids=lambda fault: fault.name)
    async def test_fault(fault): ...

`stream_faults_for("gemini")` gives those that befall streams alone (a plain request to a model then
meets the nearest plain fault, a free call its good answer); `slow_start(seconds)` makes one more.

What the model says is `answer=`: a text, a mapping (JSON text if the request asked for JSON by the
vendor's means, a fenced block otherwise), an `Answer`, or a function of the request.
`calling(Call("df", {"path": "/"}))` asks for tools; `using(Call(...), say="It says {}.")` asks for
them and, once the request has their results (`tool_results`), answers with those.
A request that wants a stream by the vendor's means gets one, cut into `Answer.pieces` with
`Answer.delay` seconds between them. Embeddings are `vector(text)`, and count as answers.
`keys={"a", "b"}` names the accepted keys, `models={...}` the models, None accepts any.

Seen from outside: `up.requests`, `up.connections` (accepted, open), `up.in_flight` and `up.peak`,
`up.disconnects` (clients that left early, with the time), and
`await up.until(lambda up: up.disconnects)` to wait for them. `await up.stop()` is an outage (the
port refuses), `await up.start()` its end on the same port.
Addresses nobody answers at: `refused_url()`, `black_hole()`.
TLS that fails: `up.https_url` (it speaks plain HTTP there), `Upstream(..., tls=self_signed())`,
`Upstream(..., tls=no_certificate())`.

`UpstreamThread("openai")` is the same behind a plain `with`, on a loop in its own thread, for tests
that drive a subprocess or synchronous code. By hand, with `PYTHONPATH=tests`::

    python -m upstreams --dialect openai --fault stalled_headers
"""

from upstreams.dialects import DIALECTS, Dialect
from upstreams.dialects.answer import Answer, Call, Finish, calling
from upstreams.dialects.vectors import vector
from upstreams.exchange import Behaviour, Exchange, answer_well
from upstreams.faults import (
    ALL_FAULTS,
    ALL_STREAM_FAULTS,
    FAULTS,
    STREAM_FAULTS,
    Fault,
    fault_for,
    faults_for,
    slow_start,
    stream_faults_for,
)
from upstreams.messages import Headers, Reply, Request, json_reply
from upstreams.nowhere import black_hole, refused_url
from upstreams.records import Connections, Disconnect, Rejection
from upstreams.server import Upstream
from upstreams.threaded import UpstreamThread
from upstreams.tls import no_certificate, self_signed
from upstreams.tools import tool_results, using

__all__ = [
    "ALL_FAULTS",
    "ALL_STREAM_FAULTS",
    "DIALECTS",
    "FAULTS",
    "STREAM_FAULTS",
    "Answer",
    "Behaviour",
    "Call",
    "Connections",
    "Dialect",
    "Disconnect",
    "Exchange",
    "Fault",
    "Finish",
    "Headers",
    "Rejection",
    "Reply",
    "Request",
    "Upstream",
    "UpstreamThread",
    "answer_well",
    "black_hole",
    "calling",
    "fault_for",
    "faults_for",
    "json_reply",
    "no_certificate",
    "refused_url",
    "self_signed",
    "slow_start",
    "stream_faults_for",
    "tool_results",
    "using",
    "vector",
]
