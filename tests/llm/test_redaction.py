"""What leaves, decided by where it goes."""

from collections.abc import Callable

import pytest

from doubles import Fail, Play, Say, chain_of
from faultmaven.errors import AllProvidersFailedError, ErrorClass, ProviderAuthError
from faultmaven.infrastructure.llm.redaction import Redactor
from faultmaven.models.prompt import (
    Controls,
    Image,
    Message,
    ResponseFormat,
    Tool,
    ToolCall,
)

SECRET = "sk-proj-3Zq8WvT5rKx2NmYb7"
TEXT = f"The job runs with OPENAI_API_KEY={SECRET} and fails."
LOCAL = {"local": {"local": True}}
GONE: list[Play] = [Fail(ProviderAuthError)]
HERE_AND_THERE: dict[str, list[Play]] = {"cloud": GONE, "local": GONE, "other": [Say()]}


async def test_text_is_masked_by_target() -> None:
    """Local gets the text as it is; every other provider gets it without the credential (S69)."""
    chain = chain_of(HERE_AND_THERE, rows=LOCAL)
    await chain.router.generate(TEXT, system=TEXT)
    sent = {name: chain.classes[name].asked[0].messages for name in HERE_AND_THERE}
    assert [message.text for message in sent["local"]] == [TEXT, TEXT]
    for name in ("cloud", "other"):
        assert all(SECRET not in message.text for message in sent[name])
        assert all("The job runs with" in message.text for message in sent[name])


async def test_local_is_masked_where_the_operator_says_so() -> None:
    """REDACT_LOCAL=true masks what local gets as well."""
    chain = chain_of({"local": [Say()]}, rows=LOCAL, settings={"REDACT_LOCAL": "true"})
    await chain.router.generate(TEXT)
    assert SECRET not in chain.classes["local"].asked[0].messages[0].text


def broken(_: str) -> str:
    """Fail to mask."""
    raise RuntimeError(f"cannot mask {SECRET}")


def stopped(_: str) -> str:
    """Fail in the way that ends a loop without a word."""
    raise StopIteration


@pytest.mark.parametrize("mask", [broken, stopped])
async def test_broken_redactor_sends_nothing(mask: Callable[[str], str]) -> None:
    """If masking fails the attempt fails: the text goes to nobody outside (S69)."""
    chain = chain_of({"cloud": [Say()], "other": [Say()]}, redactor=Redactor(mask=mask))
    with pytest.raises(AllProvidersFailedError) as caught:
        await chain.router.generate(TEXT)
    assert chain.calls() == {"cloud": 0, "other": 0}
    assert caught.value.status == 503
    assert [attempt.error_class for attempt in caught.value.attempts] == [
        ErrorClass.CONTENT_FILTER,
        ErrorClass.CONTENT_FILTER,
    ]
    assert SECRET not in str(caught.value)
    assert [entry[0] for entry in chain.witness.seen if entry[0] != "fallback"] == [
        "start",
        "attempt",
        "start",
        "attempt",
    ]


async def test_local_serves_when_the_redactor_is_broken() -> None:
    """What need not be masked is answered even when masking fails."""
    chain = chain_of(
        {"cloud": [Say()], "local": [Say()]}, rows=LOCAL, redactor=Redactor(mask=broken)
    )
    assert (await chain.router.generate(TEXT)).provider == "local"
    assert chain.calls() == {"cloud": 0, "local": 1}


async def test_images_and_roles_pass_unchanged() -> None:
    """Masking changes the text of messages and nothing else."""
    chain = chain_of({"cloud": [Say()]})
    await chain.router.generate("no secret here", system="Be brief.")
    messages = chain.classes["cloud"].asked[0].messages
    assert [(message.role, message.text) for message in messages] == [
        ("system", "Be brief."),
        ("user", "no secret here"),
    ]


async def test_nothing_that_is_asked_beside_the_text_leaks() -> None:
    """Tools, their calls and results, the form of the answer, stops and further fields."""
    secret = "sk-proj-3Zq8WvT5rKx2NmYb7dFg"
    chain = chain_of({"one": [Say()]})
    described = {"type": "object", "description": f"key {secret}"}
    controls = Controls(
        tools=(Tool("df", f"uses {secret}", described),),
        response_format=ResponseFormat(described),
        parameters={
            "user": secret,
            "metadata": {"key": [secret], "password": "hunter2-Xy7", "passwords": ["hunter2-Zz8"]},
        },
        native={"openai": {"x": secret}},
    )
    messages = (
        Message("system", f"token {secret}"),
        Message("user", "Why?"),
        Message("assistant", "", tool_calls=(ToolCall("1", "df", f'{{"k":"{secret}"}}'),)),
        Message("tool", f"found {secret}", tool_call_id="1"),
    )
    await chain.router.generate("Why?", messages=messages, controls=controls, stop=(secret,))
    assert secret not in repr(chain.classes["one"].asked)
    assert "hunter2" not in repr(chain.classes["one"].asked)


async def test_a_picture_whose_address_holds_a_credential_is_not_sent() -> None:
    """Masked it would lead nowhere, as it is it would give the credential away."""
    chain = chain_of({"one": [Say()]})
    image = Image(url="https://example.com/a.png?token=sk-proj-3Zq8WvT5rKx2NmYb7dFg")
    with pytest.raises(AllProvidersFailedError, match="address of a picture"):
        await chain.router.generate("", messages=(Message("user", "?", (image,)),))
    assert chain.calls() == {"one": 0}
