"""Completions for the compatible APIs, asked of whoever answers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from answering import Answering, RedactingChain
from doubles import FakeTime
from faultmaven.errors import AllProvidersFailedError, InvalidInputError, SessionNotFoundError
from faultmaven.models.attempt import Attempt
from faultmaven.models.completion import CompletionQuestion
from faultmaven.models.interfaces import ILLMProvider, LLMResponse
from faultmaven.models.prompt import (
    Controls,
    Image,
    Message,
    ResponseFormat,
    Target,
    Tool,
    ToolCall,
    ToolChoice,
)
from faultmaven.models.session import Turn
from faultmaven.models.stream import Beginning, Delta
from faultmaven.services.agent import AgentService
from faultmaven.services.completions import CompletionService
from faultmaven.services.memory_sessions import MemorySessionStore
from faultmaven.services.model_directory import ModelDirectory, UnknownModelError
from faultmaven.services.sanitizer import Sanitizer
from faultmaven.services.troubleshooting_model import TroubleshootingModel

KEY = "sk-ant-api03-abcdefghijklmnop1234"
ASKED = (Message("user", "Is it full?"),)


class Providers:
    """Two configured providers; the chain asks the first."""

    def __init__(self, llm: ILLMProvider) -> None:
        self._llm = llm

    def get_available_providers(self) -> list[str]:
        """Name both."""
        return ["one", "two"]

    def get_fallback_chain(self) -> list[str]:
        """Name the first."""
        return ["one"]

    def get_provider(self, name: str) -> ILLMProvider:
        """Give either."""
        assert name in self.get_available_providers()
        return self._llm


class Ear:
    """Hears an answer."""

    def __init__(self) -> None:
        self.heard: list[Any] = []

    async def on_attempt(self, attempt: Attempt) -> None:
        """Hear of an attempt."""
        self.heard.append(attempt)

    async def on_begin(self, beginning: Beginning) -> None:
        """Hear the beginning."""
        self.heard.append(beginning)

    async def on_delta(self, delta: Delta) -> None:
        """Hear a piece."""
        self.heard.append(delta)

    @property
    def text(self) -> str:
        """All text that was heard."""
        return "".join(piece.text for piece in self.heard if isinstance(piece, Delta))


class Bench:
    """A completion service over an answering provider, with a real agent and store."""

    def __init__(
        self,
        llm: Answering,
        *,
        strict: bool = False,
        request_timeout: float = 60.0,
        model_map: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self.llm = llm
        self.time = FakeTime()
        self.sessions = MemorySessionStore()
        agent = AgentService(llm, sessions=self.sessions, session_strict=strict)
        self.service = CompletionService(
            llm,
            models=ModelDirectory(Providers(llm), model_map=model_map),
            troubleshooting=TroubleshootingModel(
                agent,
                sessions=self.sessions,
                sanitizer=Sanitizer(),
                session_strict=strict,
                new_id=lambda: "fresh",
            ),
            request_timeout=request_timeout,
            monotonic=self.time.clock,
        )

    async def ask(self, model: str = "auto", **fields: Any) -> LLMResponse:
        """Ask with a question of these fields."""
        listener = fields.pop("listener", None)
        question = CompletionQuestion(model, fields.pop("messages", ASKED), **fields)
        return await self.service.complete(question, listener=listener)

    async def turns(self, session_id: str = "fresh") -> tuple[Turn, ...]:
        """Read a session."""
        session = await self.sessions.get(session_id)
        return session.turns if session else ()


def bench(*replies: Any, **options: Any) -> Bench:
    """Build a service over a chain that gives these replies."""
    return Bench(RedactingChain(*replies), **options)


async def test_a_question_reaches_the_chain_as_it_is() -> None:
    """Conversation, controls and limits; nothing that was not asked for."""
    controls = Controls(tools=(Tool("df"),), parameters={"seed": 7})
    plain, full = bench(), bench()
    await plain.ask()
    await full.ask(
        controls=controls,
        max_tokens=5,
        temperature=0.5,
        stop=("END",),
        max_cost_usd=0.1,
        size=70,
    )
    assert set(plain.llm.options[0]) == {"messages", "controls", "confidence_threshold", "timeout"}
    options = full.llm.options[0]
    assert options["messages"] == ASKED
    assert options["controls"] is controls
    assert options["max_tokens"] == 5
    assert options["temperature"] == 0.5
    assert options["stop"] == ("END",)
    assert options["max_cost_usd"] == 0.1
    assert options["material_chars"] == 70
    assert full.llm.prompts == ["Is it full?"]


@pytest.mark.parametrize(("asked", "given"), [(None, 0.0), (0.0, 0.0), (0.7, 0.7)])
async def test_without_a_wish_the_first_answer_wins(asked: float | None, given: float) -> None:
    """A threshold holds where the caller sets one."""
    found = bench()
    await found.ask(confidence_threshold=asked)
    assert found.llm.options[0]["confidence_threshold"] == given


@pytest.mark.parametrize(
    ("name", "narrowed", "providers", "model"),
    [
        ("auto", (), None, None),
        ("auto", ("two", "one"), ("two", "one"), None),
        ("one", (), ("one",), None),
        ("two", ("two",), ("two",), None),
        ("two/accounts/x/y", (), ("two",), "accounts/x/y"),
        ("model-1", (), None, "model-1"),
        ("model-1", ("two",), ("two",), "model-1"),
        ("gpt/4", (), None, "gpt/4"),
    ],
)
async def test_a_name_says_who_is_asked_for_what(
    name: str, narrowed: tuple[str, ...], providers: tuple[str, ...] | None, model: str | None
) -> None:
    """The chain, a provider, its model, a model of the chain, one of MODEL_MAP."""
    found = bench(model_map={"gpt/4": {"one": "model-1"}})
    await found.ask(name, providers=narrowed)
    options = found.llm.options[0]
    assert options.get("providers") == providers
    assert options.get("model") == model


@pytest.mark.parametrize("name", ["", "three", "three/model-1", "one/", "Auto", "faultmaven/x"])
async def test_nobody_is_asked_for_an_unknown_model(name: str) -> None:
    """The error lists what there is, and does not repeat what was sent."""
    found = bench()
    with pytest.raises(UnknownModelError) as raised:
        await found.ask(name)
    assert raised.value.status == 404
    assert "auto, faultmaven/troubleshoot, one, two, one/model-1" in str(raised.value.hint)
    assert not found.llm.options


@pytest.mark.parametrize(("name", "narrowed"), [("one", ("two",)), ("auto", ("three",))])
async def test_providers_are_configured_and_fit_the_name(
    name: str, narrowed: tuple[str, ...]
) -> None:
    """Two words that contradict each other are the caller's to sort out."""
    with pytest.raises(InvalidInputError) as raised:
        await bench().ask(name, providers=narrowed)
    assert raised.value.field == "providers"


async def test_whoever_does_not_mask_gets_masked_texts() -> None:
    """Messages and the arguments of calls; a chain masks for each target by itself."""
    said = Message("assistant", f"I use {KEY}", tool_calls=(ToolCall("c", "f", f'"{KEY}"'),))
    single, chain = Bench(Answering()), bench()
    for found in (single, chain):
        await found.ask(messages=(said, Message("user", f"and {KEY}?")))
    masked = repr(single.llm.options[0]["messages"]) + repr(single.llm.prompts)
    assert KEY not in masked
    assert "anthropic_key" in masked
    assert KEY in repr(chain.llm.options[0]["messages"])


async def test_time_that_has_passed_is_not_given_again() -> None:
    """The deadline counts from when the request came in."""
    found = bench()
    question = CompletionQuestion("auto", ASKED, timeout=10)
    await found.service.complete(question, received_at=found.time.now - 4)
    assert found.llm.options[0]["timeout"] == pytest.approx(6)


@pytest.mark.parametrize(("own", "seconds"), [(None, None), (5.0, 5.0)])
async def test_a_listener_waits_for_the_beginning_only(
    own: float | None, seconds: float | None
) -> None:
    """The service's limit holds to an answer's beginning, a caller's own to its end."""
    found = bench()
    await found.ask(listener=Ear(), timeout=own)
    assert found.llm.options[0].get("timeout") == seconds


async def test_an_answer_that_does_not_come_is_given_up() -> None:
    """Even a chain that forgets its deadline cannot keep a caller waiting."""
    found = Bench(RedactingChain(hangs=True), request_timeout=0.05)
    with pytest.raises(AllProvidersFailedError, match=r"no answer within 0\.[01] s"):
        await found.ask()


MARKDOWN = "## Root cause\nThe disk is full.\n\n## Next steps\n- Free some space."


async def test_the_agent_is_a_model() -> None:
    """It answers the last user message with its Markdown, and says who answered."""
    found = bench(MARKDOWN)
    answer = await found.ask("faultmaven/troubleshoot")
    assert "The disk is full." in answer.content
    assert (answer.provider, answer.model) == ("answering", "model-1")
    assert [attempt.provider for attempt in answer.attempts] == ["answering"]
    assert answer.usage.total == 7
    assert found.llm.prompts == ["Is it full?"]


async def test_the_agent_is_heard_too() -> None:
    """A listener hears text that is the answer, and what was asked in vain."""
    found, ear = bench(MARKDOWN), Ear()
    controls = Controls(
        tools=(Tool("df"),),
        tool_choice=ToolChoice("required"),
        parallel_tool_calls=True,
        response_format=ResponseFormat(),
        parameters={"seed": 7, "user": "ann"},
        native={"openai": {"guided": 1}},
    )
    answer = await found.ask("faultmaven/troubleshoot", listener=ear, controls=controls)
    (beginning,) = [piece for piece in ear.heard if isinstance(piece, Beginning)]
    ignored = ("tools", "tool_choice", "parallel_tool_calls", "response_format", "seed", "guided")
    assert beginning.ignored == answer.ignored == ignored
    assert ear.text == answer.content


async def test_what_was_said_before_is_the_sessions_past() -> None:
    """A conversation without a session gets one, with its earlier turns, masked."""
    found = bench(MARKDOWN)
    await found.ask(
        "faultmaven/troubleshoot",
        messages=(
            Message("system", "Production runs on Kubernetes."),
            Message("user", f"The key is {KEY}."),
            Message("assistant", "Thank you."),
            Message("tool", "99%", tool_call_id="c"),
            Message("user", "And now?"),
        ),
    )
    turns = await found.turns()
    assert [turn.role for turn in turns] == ["user", "assistant", "user", "assistant"]
    assert KEY not in turns[0].text
    assert turns[2].text == "And now?"
    render = found.llm.options[0]["render"]
    assert render is not None
    prompt = render(Target("one", "model-1"))
    said = [message.text for message in prompt.messages]
    assert said[2] == "Thank you."
    assert "Production runs on Kubernetes." in said[-1]


@pytest.mark.parametrize(
    ("parameters", "session_id"),
    [
        ({"user": "ann@example.org"}, "ann@example.org"),
        ({"user": "ann", "metadata": {"session_id": "incident-1"}}, "incident-1"),
        ({"metadata": {"other": "x"}}, "fresh"),
        ({"user": "ann lee"}, "user-8ff41c38-2755-5340-9b11-b8ce63fdc9c3"),
    ],
)
async def test_a_caller_may_name_the_session(parameters: dict[str, Any], session_id: str) -> None:
    """By metadata, else by the user; what is no name of a session stands for one."""
    found = bench(MARKDOWN)
    await found.ask("faultmaven/troubleshoot", controls=Controls(parameters=parameters))
    assert len(await found.turns(session_id)) == 2


async def test_a_session_remembers_better_than_its_caller() -> None:
    """Turns are not told twice to a session that has its own."""
    found = bench(MARKDOWN)
    controls = Controls(parameters={"user": "ann"})
    await found.ask("faultmaven/troubleshoot", controls=controls)
    again = (*ASKED, Message("assistant", "Yes."), Message("user", "Sure?"))
    await found.ask("faultmaven/troubleshoot", controls=controls, messages=again)
    said = [turn.text for turn in await found.turns("ann") if turn.role == "user"]
    assert said == ["Is it full?", "Sure?"]


async def test_strict_sessions_are_made_for_who_names_none() -> None:
    """A caller who names one has to name one that exists."""
    found = bench(MARKDOWN, strict=True)
    await found.ask("faultmaven/troubleshoot")
    assert len(await found.turns()) == 2
    named = Controls(parameters={"user": "ann"})
    with pytest.raises(SessionNotFoundError):
        await found.ask("faultmaven/troubleshoot", controls=named)


@pytest.mark.parametrize(
    ("messages", "message"),
    [
        ((Message("system", "Be brief."),), "must hold a user message with text"),
        ((Message("user", "  "),), "must hold a user message with text"),
        ((Message("user", "See", (Image(url="https://x/y"),)),), "must hold no images"),
        ((Message("user", "a\x00b"),), r"contains U\+0000"),
    ],
)
async def test_the_agent_says_what_it_cannot_read(
    messages: tuple[Message, ...], message: str
) -> None:
    """The fault is the messages', in the words of whoever sent them."""
    with pytest.raises(InvalidInputError, match=message) as raised:
        await bench().ask("faultmaven/troubleshoot", messages=messages)
    assert raised.value.field == "messages"
