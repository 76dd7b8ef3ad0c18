"""Failures of streams, and unusual streams that are none.

They befall a request that asks for a stream. A plain request to a model meets the nearest plain
fault instead, and a free call its good answer.
"""

from upstreams.dialects.stream import before_content, half_told
from upstreams.faults.answers import blocked, saying_only
from upstreams.faults.bodies import changed, error_in_200, html, raw, truncated
from upstreams.faults.fault import ANSWERED, fault
from upstreams.faults.network import cut_body, reset_in_body, stalled_body
from upstreams.faults.statuses import sending
from upstreams.faults.telling import (
    at_once,
    byte_by_byte,
    closed,
    commented,
    ended,
    failed,
    framed,
    garbled,
    nothing,
    only_the_end,
    pinged,
    refused_midway,
    reset,
    silent,
    slow_start,
    streamed,
    told,
)
from upstreams.faults.vendors import CLOUD

_BLANK = " \n\t "
_CALM = CLOUD - {"cohere"}
"""Where a policy withholds text in a way that can be told from any other failure."""


STREAMS = (
    fault(
        "stream_cut_before_content",
        "the start, then closed",
        "connection malformed",
        streamed(told(before_content, closed), plain=cut_body),
    ),
    fault(
        "stream_ended_before_content",
        "the start, then an orderly end",
        "connection malformed",
        streamed(told(before_content, ended), plain=saying_only("")),
    ),
    fault(
        "stream_cut_after_content",
        "some text, then an orderly end without a finish",
        "connection malformed",
        streamed(told(half_told, ended), plain=cut_body),
    ),
    fault(
        "stream_closed_after_content",
        "some text, then closed",
        "connection malformed",
        streamed(told(half_told, closed), plain=cut_body),
    ),
    fault(
        "stream_reset_after_content",
        "some text, then TCP reset",
        "connection",
        streamed(told(half_told, reset), plain=reset_in_body),
    ),
    fault(
        "stream_stall_before_content",
        "the start, then silence",
        "timeout",
        streamed(told(before_content, silent), plain=stalled_body),
        stalls=True,
    ),
    fault(
        "stream_pings_before_content",
        "the start, then signs of life for ever",
        "timeout",
        streamed(told(before_content, pinged), plain=stalled_body),
        stalls=True,
    ),
    fault(
        "stream_stall_after_content",
        "some text, then silence",
        "timeout",
        streamed(told(half_told, silent), plain=stalled_body),
        stalls=True,
    ),
    fault(
        "stream_pings_after_content",
        "some text, then signs of life for ever",
        "timeout",
        streamed(told(half_told, pinged), plain=stalled_body),
        stalls=True,
    ),
    fault(
        "stream_error_before_content",
        "the start, then an error under 200",
        "overloaded malformed",
        streamed(told(before_content, failed), plain=sending(error_in_200)),
    ),
    fault(
        "stream_error_after_content",
        "some text, then an error under 200",
        "overloaded malformed",
        streamed(told(half_told, failed), plain=sending(error_in_200)),
    ),
    fault(
        "stream_nothing",
        "a stream without an event",
        "malformed connection",
        streamed(nothing, plain=raw(b"")),
    ),
    fault(
        "stream_only_done",
        "start and finish with nothing between",
        "malformed",
        streamed(only_the_end, plain=only_the_end),
    ),
    fault(
        "stream_blank",
        "white space for a text",
        "malformed",
        streamed(saying_only(_BLANK), plain=saying_only(_BLANK)),
    ),
    fault(
        "stream_garbage",
        "an event that is not JSON, then the good stream",
        "malformed",
        streamed(told(before_content, garbled), plain=changed(truncated)),
    ),
    fault(
        "stream_garbage_after_content",
        "some text, then an event that is not JSON",
        "malformed",
        streamed(told(half_told, garbled), plain=changed(truncated)),
    ),
    fault("stream_html", "a web page under 200", "malformed", streamed(html(200), plain=html(200))),
    fault(
        "stream_blocked",
        "withheld by policy before any text",
        "content_filter",
        streamed(blocked, plain=blocked),
        at=_CALM,
    ),
    fault(
        "stream_refused_midway",
        "some text, then the finish of a policy",
        "content_filter answered",
        streamed(refused_midway, plain=refused_midway),
        at=_CALM,
    ),
    fault("stream_plain_json", "one whole answer instead", ANSWERED, streamed(at_once)),
    fault("stream_one_byte_at_a_time", "each byte alone", ANSWERED, streamed(byte_by_byte)),
    fault("stream_crlf", "lines that end in CRLF", ANSWERED, streamed(framed(crlf=True))),
    fault("stream_no_space", "no blank after the colon", ANSWERED, streamed(framed(space=False))),
    fault("stream_comments", "remarks and pings between", ANSWERED, streamed(commented)),
    fault("stream_slow_start", "0.05 s before the first text", ANSWERED, slow_start(0.05)),
)
"""Faults of streams, and unusual streams that are none."""
