"""From a schema row and the environment to a provider's configuration. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from faultmaven.models.interfaces import ProviderConfig

_DEFAULT_RETRIES, _DEFAULT_TIMEOUT, _DEFAULT_CONFIDENCE = 3, 30.0, 0.8
# Forms that stand for "put your key here"; a key that merely contains "your" is taken at its word.
_PLACEHOLDER = re.compile(
    r"<.*>|\.{3,}|x{3,}|\*{3,}|change-?_?me|replace-?_?me|todo|none|null|empty|"
    r"(?:your[-_ ]?)?(?:api[-_ ]?)?key(?:[-_ ]here)?|"
    r"(?:sk|fw|hf|sk-ant|sk-or|AIza)[-_]?(?:\.{3,}|x{3,})",
    re.IGNORECASE,
)
_QUOTES = "\"'"


@dataclass(frozen=True, slots=True)
class Discovered:
    """What the environment says about one provider.

    Attributes:
        config: its configuration.
        missing: why it cannot be used, or ``None``.
        warnings: what looks wrong but does not stop it; names variables, never values.
    """

    config: ProviderConfig
    missing: str | None = None
    warnings: tuple[str, ...] = ()


def discover(name: str, row: Mapping[str, Any], environment: Mapping[str, str]) -> Discovered:
    """Read what ``row`` names from ``environment``."""
    key_var: str | None = row.get("api_key_var")
    keys = _keys(environment, key_var or row.get("optional_key_var"))
    model = _line(environment.get(row["model_var"])) or row["default_model"]
    config = ProviderConfig(
        name=name,
        api_key=keys[0] if keys else None,
        base_url=_base_url(row, environment),
        models=list(dict.fromkeys([model, row["default_model"], *row.get("models", ())])),
        max_retries=row.get("max_retries", _DEFAULT_RETRIES),
        timeout=float(row.get("timeout", _DEFAULT_TIMEOUT)),
        confidence_score=float(row.get("confidence_score", _DEFAULT_CONFIDENCE)),
        model_var=row["model_var"],
        api_key_var=key_var or row.get("optional_key_var"),
        base_url_var=row.get("base_url_var"),
        context_window=row.get("context_window"),
        needs_key=key_var is not None,
        local=row.get("local", False),
        options=_options(row, environment),
        api_keys=keys,
    )
    missing = "missing API key" if config.needs_key and not keys else None
    warnings = () if missing else tuple(_warnings(row, config, model))
    return Discovered(config=config, missing=missing, warnings=warnings)


def _keys(environment: Mapping[str, str], variable: str | None) -> tuple[str, ...]:
    """The keys of a comma list, without white space and quotes; blank and placeholder are none."""
    raw = environment.get(variable, "") if variable else ""
    parts = (part.strip(_QUOTES) for part in re.sub(r"\s+", "", raw).split(","))
    return tuple(dict.fromkeys(key for key in parts if key and not _PLACEHOLDER.fullmatch(key)))


def _line(value: str | None) -> str:
    """A value without the blanks, line ends and quotes that copying brings along."""
    return value.strip().strip(_QUOTES).strip() if value else ""


def _base_url(row: Mapping[str, Any], environment: Mapping[str, str]) -> str:
    variables = (row.get("base_url_var", ""), *row.get("further_base_url_vars", ()))
    given = next(filter(None, (_line(environment.get(variable)) for variable in variables)), "")
    default = row.get("default_base_url") or row["provider_class"].default_base_url
    return str(given or default).rstrip("/")


def _has_valid_port(base_url: str) -> bool:
    """Whether the port is one, or none is named."""
    try:
        return urlsplit(base_url).port != 0
    except ValueError:  # no number, or one out of range
        return False


def _options(row: Mapping[str, Any], environment: Mapping[str, str]) -> dict[str, str]:
    values = {
        option: _line(environment.get(variable))
        for option, variable in row.get("option_vars", {}).items()
    }
    return {option: value for option, value in values.items() if value}


def _key_warnings(config: ProviderConfig, prefixes: tuple[str, ...]) -> Iterator[str]:
    for number, key in enumerate(config.all_keys, start=1):
        several = f" (key {number} of {len(config.all_keys)})" if len(config.all_keys) > 1 else ""
        which = f"{config.api_key_var}{several}"
        if prefixes and not key.startswith(prefixes):
            yield (
                f"{which} does not begin with {' or '.join(prefixes)}, "
                f"as keys of {config.name} do; it is used as it is"
            )
        if not key.isascii():
            yield f"{which} holds characters that no key has; copy it again"


def _warnings(row: Mapping[str, Any], config: ProviderConfig, model: str) -> Iterator[str]:
    yield from _key_warnings(config, tuple(row.get("key_prefixes", ())))
    if not config.base_url.startswith(("http://", "https://")):
        yield f"{config.base_url_var} must begin with http:// or https://"
    elif not _has_valid_port(config.base_url):
        yield f"{config.base_url_var} is no valid address; a port is from 1 to 65535"
    instead = row.get("retired_models", {}).get(model)
    if instead:
        yield (
            f"the vendor has retired model '{model}'; "
            f"set {config.model_var}, for example to {instead}"
        )
