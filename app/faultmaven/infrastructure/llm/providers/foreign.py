"""A provider somebody else wrote: asked, read and quoted with care."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Annotated, Any

from pydantic import BeforeValidator

from faultmaven.errors import (
    ProviderConnectionError,
    ProviderError,
    ProviderProtocolError,
    ProviderTimeoutError,
)
from faultmaven.infrastructure.llm.wire.body import Count, Number, Price, Shape, Word
from faultmaven.infrastructure.llm.wire.excerpt import excerpt
from faultmaven.infrastructure.llm.wire.finish import finish_reason
from faultmaven.infrastructure.llm.wire.retry_after import usable_wait
from faultmaven.infrastructure.llm.wire.turns import flatten
from faultmaven.infrastructure.llm.wire.types import Completion, CompletionRequest
from faultmaven.models.attempt import Usage
from faultmaven.models.credentials import known_keys, remove_keys
from faultmaven.models.interfaces import ILLMProvider, LLMResponse, ProviderConfig

_ENDING: set[asyncio.Task[Any]] = set()  # the loop itself holds tasks weakly


async def ask_foreign(
    provider: ILLMProvider, request: CompletionRequest, *, config: ProviderConfig, seconds: float
) -> Completion:
    """Ask once; over after ``seconds`` even if the provider goes on.

    Raises:
        ProviderError: the attempt failed, whatever the provider raised; one of our own classes,
            with a text that may be shown. Provider and model are not filled in.
    """
    try:
        return _completion(await _within(seconds, _generate(provider, request)))
    except ProviderError as error:
        raise _retold(error, config) from error
    except TimeoutError as error:
        raise ProviderTimeoutError(f"no answer within {seconds:.1f} s") from error
    except OSError as error:
        raise ProviderConnectionError(describe_failure(error, config)) from error
    except Exception as error:  # a provider somebody else wrote may raise anything
        raise ProviderProtocolError(describe_failure(error, config)) from error


def describe_failure(error: Exception, config: ProviderConfig) -> str:
    """The type of ``error`` and its message, on one short line without credentials."""
    text = _quoted(str(error), config)
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def _quoted(text: str, config: ProviderConfig) -> str:
    known = known_keys(config.all_keys)
    return excerpt(remove_keys(text.encode("utf-8", "replace"), known).decode())


async def _generate(provider: ILLMProvider, request: CompletionRequest) -> object:
    """Call ``generate`` with the documented keywords only: others could land in a payload."""
    options: dict[str, Any] = {"model": request.model}
    if request.max_tokens is not None:
        options["max_tokens"] = request.max_tokens
    if request.temperature is not None:
        options["temperature"] = request.temperature
    return await provider.generate(flatten(request.messages), **options)


async def _within(seconds: float, work: Coroutine[Any, Any, object]) -> object:
    """What ``work`` returns, unless it takes longer; it need not obey its cancellation.

    Raises:
        ProviderTimeoutError: it took longer.
        ProviderConnectionError: it was cancelled, and not by us.
    """
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task}, timeout=seconds)
    finally:
        _let_go(task)
    if not task.done():
        raise ProviderTimeoutError(f"no answer within {seconds:.1f} s")
    if task.cancelled():
        raise ProviderConnectionError("it cancelled its own work")
    return task.result()


def _let_go(task: asyncio.Task[Any]) -> None:
    """End a task without waiting for its end, or for what it says then."""
    task.cancel()
    _ENDING.add(task)
    task.add_done_callback(_ended)


def _ended(task: asyncio.Task[Any]) -> None:
    _ENDING.discard(task)
    if not task.cancelled():
        task.exception()  # so that nobody reports it as never retrieved


class _Tokens(Shape):
    prompt: Count = 0
    completion: Count = 0


def _tokens(value: object) -> object:
    return value if isinstance(value, Usage) else _Tokens()


class _Books(Shape):
    """What an answer says beside its text; read leniently, because the text is what counts."""

    tokens_used: Count = 0
    usage: Annotated[_Tokens, BeforeValidator(_tokens)] = _Tokens()
    confidence: Number = None
    cost_usd: Price = None
    finish_reason: Word = ""
    model: Word = ""


def _completion(response: object) -> Completion:
    if not isinstance(response, LLMResponse):
        message = f"generate returned {type(response).__name__} instead of LLMResponse"
        raise ProviderProtocolError(message)
    content: object = response.content
    if not isinstance(content, str) or not content.strip():
        raise ProviderProtocolError("the answer is empty")
    books = _Books.model_validate(response, from_attributes=True)
    usage = Usage(books.usage.prompt, books.usage.completion)
    prior = books.confidence
    return Completion(
        text=content,
        finish_reason=finish_reason(books.finish_reason),
        usage=usage if usage.total else Usage(completion=books.tokens_used),
        model=books.model,
        cost_usd=books.cost_usd,
        prior=prior if prior is not None and 0 <= prior <= 1 else None,
    )


class _Told(Shape):
    """What a failure says beside its text."""

    status_code: Count = 0
    retry_after: Number = None
    hint: Word = ""


def _retold(error: ProviderError, config: ProviderConfig) -> ProviderError:
    """The same failure as one of our own classes, in words that may be shown."""
    told = _Told.model_validate(error, from_attributes=True)
    retold = _our_class(error)(
        _quoted(str(error), config) or type(error).__name__,
        status_code=told.status_code or None,
        retry_after=usable_wait(told.retry_after),
        hint=_quoted(told.hint, config) or None,
    )
    retold.falls_back, retold.prefers_next = bool(error.falls_back), bool(error.prefers_next)
    return retold


def _our_class(error: ProviderError) -> type[ProviderError]:
    """The nearest class of the tree: what counts failures knows no other."""
    ours = ProviderError.__module__
    kinds = (kind for kind in type(error).__mro__ if issubclass(kind, ProviderError))
    return next(kind for kind in kinds if kind.__module__ == ours)
