"""Bodies that are no answer, each with its own words and none of its content."""

import math
from typing import Any

import pytest

from faultmaven.errors import ProviderProtocolError
from faultmaven.infrastructure.llm.wire.body import (
    Count,
    Number,
    Price,
    Shape,
    Word,
    describe_body,
    read,
    write_json,
)
from faultmaven.infrastructure.llm.wire.types import WireResponse


class Answer(Shape):
    """A shape with one required field and one of each lenient kind."""

    text: str
    count: Count = 0
    number: Number = None
    price: Price = None
    word: Word = ""


def answer(body: bytes) -> Answer:
    """Read the body as an `Answer`."""
    return read(WireResponse(200, {}, body), Answer)


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"", "the answer is empty"),
        (b" \r\n\t", "the answer is empty"),
        (b'\xef\xbb\xbf{"text":"x"}', "the answer begins with a byte order mark"),
        (b"<html>planted</html>", "the answer is an HTML page"),
        (b"  <!DOCTYPE html>planted", "the answer is an HTML page"),
        (b'{"text":"planted\xff"}', "the answer is not UTF-8"),
        (b'{"other":"planted\xff","text":"x"}', "the answer is not UTF-8"),
        (b'{"text":"planted', "the answer is cut off: its JSON does not end"),
        (b"null", "the answer is JSON, but not an object"),
        (b'["planted"]', "the answer is JSON, but not an object"),
        (b'"planted"', "the answer is JSON, but not an object"),
        (b"planted", "the answer is not JSON"),
        (b"data: {}", "the answer is not JSON"),
        (b'{"text":"x"} planted', "the answer is not JSON"),
        (b'{"text":' + b"[" * 100_000, "the answer is nested too deeply"),
        (b"{}", "the answer lacks 'text'"),
        (b'{"text":["planted"]}', "the answer has another shape than promised at 'text'"),
        (b'{"text":NaN}', "the answer has another shape than promised at 'text'"),
    ],
)
def test_message_says_which_and_nothing_else(body: bytes, message: str) -> None:
    """The error names the kind of nonsense, without quoting it (S37)."""
    with pytest.raises(ProviderProtocolError) as caught:
        answer(body)

    assert str(caught.value) == message
    assert caught.value.__context__ is None
    assert caught.value.status_code == 200


@pytest.mark.parametrize(
    ("written", "read_as"),
    [
        ("12", 12),
        ("12.0", 12),
        ("11.6", 12),
        ("null", 0),
        ('"12"', 0),
        ("-3", 0),
        ("true", 0),
        ("[12]", 0),
        ("9" * 400, 2**53),
        ("1e308", 2**53),
    ],
)
def test_count_is_never_a_reason_to_fail(written: str, read_as: int) -> None:
    """Token counts may be absent, floats or nonsense; the answer is kept."""
    assert answer(f'{{"text":"x","count":{written}}}'.encode()).count == read_as


@pytest.mark.parametrize(
    ("written", "read_as"),
    [("0.5", 0.5), ("-1", -1.0), ('"0.5"', None), ("true", None), ("9" * 400, None), ("{}", None)],
)
def test_number_is_never_a_reason_to_fail(written: str, read_as: float | None) -> None:
    """Prices and probabilities that are no finite numbers count as absent."""
    assert answer(f'{{"text":"x","number":{written}}}'.encode()).number == read_as


@pytest.mark.parametrize(
    ("written", "read_as"),
    [("0", 0.0), ("0.5", 0.5), ("-0.5", None), ('"1"', None), ("1e99", None)],
)
def test_price_is_never_negative(written: str, read_as: float | None) -> None:
    """A price below nothing would let a budget last longer: it counts as absent."""
    assert answer(f'{{"text":"x","price":{written}}}'.encode()).price == read_as


@pytest.mark.parametrize(
    ("written", "read_as"),
    [('"a"', "a"), ("429", "429"), ("null", ""), ("true", ""), ('["a"]', ""), ("1.5", "")],
)
def test_word_is_never_a_reason_to_fail(written: str, read_as: str) -> None:
    """Codes may be texts or whole numbers; anything else counts as absent."""
    assert answer(f'{{"text":"x","word":{written}}}'.encode()).word == read_as


def test_unknown_fields_are_ignored() -> None:
    """What a vendor adds tomorrow changes nothing today."""
    assert answer(b'{"text":"x","obfuscation":"zzz","new":{"deep":[1]}}').text == "x"


@pytest.mark.parametrize("body", [b"{", b"[1]", b"plain", '"text ü"'.encode()])
def test_possible_json_is_not_described(body: bytes) -> None:
    """Only what cannot be JSON at all is described by its first bytes."""
    assert describe_body(body) is None


def test_json_is_compact_and_carries_any_text() -> None:
    """What is sent is UTF-8 without blanks; half a character of a broken text becomes ``?``."""
    assert write_json({"a": "ü\ud800", "b": [1, 2]}) == '{"a":"ü?","b":[1,2]}'.encode()


@pytest.mark.parametrize("number", [math.nan, math.inf])
def test_json_has_no_number_that_json_has_not(number: Any) -> None:
    """NaN and infinity are a programming error, not something to send."""
    with pytest.raises(ValueError, match="JSON"):
        write_json({"a": number})
