"""What an operator can do about each class of failure: the seed's fixes, with our names in them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from faultmaven.errors import ErrorClass
from faultmaven.models.credentials import mask_credentials
from faultmaven.models.interfaces import ProviderConfig


def hint_for(
    error_class: ErrorClass,
    config: ProviderConfig,
    model: str,
    nearest: Sequence[str] = (),
) -> str | None:
    """The advice for one failure of one provider, or ``None`` where there is none.

    Args:
        error_class: how the attempt failed.
        config: the provider's configuration; names of variables come from it, values never do.
        model: model that was asked.
        nearest: names the vendor does serve, best match first.
    """
    writer = _WRITERS.get(error_class)
    return writer(config, model, nearest) if writer else None


def base_url_hint(config: ProviderConfig) -> str:
    """The advice where a server answers, but has no such path or sends us elsewhere."""
    variable = config.base_url_var or "the base URL"
    return (
        f"A server answers at {_address(config)}, but not as {config.name} does there. Check "
        f"{variable}: host, path, and whether it needs to end in a version such as /v1."
    )


def _address(config: ProviderConfig) -> str:
    """The base URL without the password that some put into it."""
    return mask_credentials(config.base_url)


def _auth(config: ProviderConfig, _model: str, _nearest: Sequence[str]) -> str:
    variable = config.api_key_var or "the API key"
    return (
        # A colon right behind the variable would make the next word look like its value.
        f"Check {variable} in this order: (1) copy the key again, without spaces; (2) make sure it "
        "may generate text; (3) check its format for this vendor; (4) try it with the vendor's own "
        "tools; (5) check the account's remaining credit and quota."
    )


def _model(config: ProviderConfig, model: str, nearest: Sequence[str]) -> str:
    variable = config.model_var or "the model's variable"
    if config.local:
        return _local_model(config, model, variable, nearest)
    known = f" Nearest names it does serve: {', '.join(nearest)}." if nearest else ""
    return (
        f"Set {variable} to a model that {config.name} serves to this key; '{model}' may be "
        f"retired, misspelt (case counts) or not enabled for the account or region.{known}"
    )


def _local_model(config: ProviderConfig, model: str, variable: str, nearest: Sequence[str]) -> str:
    known = f" It serves: {', '.join(nearest)}." if nearest else ""
    return (
        f"The server at {_address(config)} does not serve '{model}'. Set {variable} to one of its "
        f"models, or load it there (with Ollama: `ollama list`, `ollama pull {model}`).{known}"
    )


def _connection(config: ProviderConfig, model: str, _nearest: Sequence[str]) -> str:
    variable = config.base_url_var or "the base URL"
    if config.local:
        return (
            f"No local model server answers at {_address(config)}. Start it (Ollama, vLLM, TGI, "
            f"llama.cpp) with model '{model}', read its log, or set {variable}."
        )
    return (
        f"Could not connect to {_address(config)}. Check the network, firewall and proxy settings, "
        f"try curl on the same address, and check {variable}."
    )


def _timeout(config: ProviderConfig, model: str, _nearest: Sequence[str]) -> str:
    where = f"the server at {_address(config)}" if config.local else config.name
    return (
        f"{where} did not answer in time. Check that it is up and not overloaded, choose a faster "
        f"model than '{model}', or allow more time (REQUEST_TIMEOUT, the row's timeout)."
    )


def _quota(config: ProviderConfig, _model: str, _nearest: Sequence[str]) -> str:
    return (
        f"The {config.name} account is out of credit or quota. Check billing and limits at the "
        "vendor; other providers of the chain keep serving."
    )


def _rate(config: ProviderConfig, _model: str, _nearest: Sequence[str]) -> str:
    return f"{config.name} limits how often this account may ask. Wait, or raise the limit there."


def _overloaded(config: ProviderConfig, model: str, _nearest: Sequence[str]) -> str:
    if config.local:
        return (
            f"The server at {_address(config)} is up but cannot answer: it may still be loading "
            f"'{model}', or be short of memory or free slots. Read its log."
        )
    return (
        f"{config.name} is in trouble itself; see the vendor's status page. It usually passes, and "
        "the other providers of the chain serve meanwhile."
    )


def _context(config: ProviderConfig, model: str, _nearest: Sequence[str]) -> str:
    variable = config.model_var or "the model's variable"
    return f"The text does not fit the window of '{model}'. Send less, or set {variable}."


_Writer = Callable[[ProviderConfig, str, Sequence[str]], str]

_WRITERS: Mapping[ErrorClass, _Writer] = {
    ErrorClass.AUTH: _auth,
    ErrorClass.MODEL_NOT_FOUND: _model,
    ErrorClass.CONNECTION: _connection,
    ErrorClass.TIMEOUT: _timeout,
    ErrorClass.OVERLOADED: _overloaded,
    ErrorClass.QUOTA: _quota,
    ErrorClass.RATE_LIMITED: _rate,
    ErrorClass.CONTEXT_LENGTH: _context,
}
