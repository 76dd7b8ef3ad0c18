"""The only reader of the environment.

Two views of the same sources (process environment first, then ``.env``): `Settings`, the
service's own options, typed; and `Settings.environment`, everything as text, from which the
registry reads the variables that the rows of ``PROVIDER_SCHEMA`` name.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from dotenv import dotenv_values
from dotenv.parser import Binding, parse_stream
from pydantic import BeforeValidator, Field, PrivateAttr, SecretStr, TypeAdapter, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from faultmaven.errors import ConfigurationError
from faultmaven.models.worker import Worker

ENV_FILE = Path(".env")

_PERCENTILE = re.compile("p([5-9][0-9])")
_WORKER = "FAULTMAVEN_WORKER"  # set by a process of ours for its children, never by people


def _word(value: object) -> object:
    """A word without surrounding blanks, in small letters."""
    return value.strip().lower() if isinstance(value, str) else value


def _word_or_none(value: object) -> object:
    return _word(value) or None


def _secret(value: object) -> object:
    """A secret without the blanks that copying brings along; a blank one is none."""
    return (value.strip() or None) if isinstance(value, str) else value


def _json(value: object) -> object:
    """A JSON text as what it says.

    Raises:
        ValueError: it is not JSON.
    """
    try:
        return json.loads(value) if isinstance(value, str) else value
    except ValueError:
        message = "must be valid JSON"
        raise ValueError(message) from None


def _names(value: object) -> object:
    """A comma list as a tuple of lower-case names."""
    if not isinstance(value, str):
        return value
    return tuple(name for name in (part.strip().lower() for part in value.split(",")) if name)


def _percent(value: object) -> object:
    """``p95`` as 95, from 50 to 99; ``off`` as ``None``.

    Raises:
        ValueError: it is something else.
    """
    word = _word(value)
    if word is None or word in {"", "off"}:
        return None
    known = isinstance(word, str) and _PERCENTILE.fullmatch(word)
    if not known:
        message = "must be off, or a percentile from p50 to p99, such as p95"
        raise ValueError(message)
    return int(known[1])


AnyCase = BeforeValidator(_word)
Word = Annotated[str, AnyCase]
Name = Annotated[str | None, BeforeValidator(_word_or_none)]
Preset = Annotated[
    Literal["production", "enterprise", "development", "research", "flexible", "cost", "privacy"],
    AnyCase,
]
Secret = Annotated[SecretStr | None, BeforeValidator(_secret)]
Percent = Annotated[int | None, BeforeValidator(_percent)]
Names = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_names)]
Fraction = Annotated[float, Field(ge=0, le=1)]
Fractions = Annotated[dict[str, Fraction], NoDecode, BeforeValidator(_json)]
ModelMap = Annotated[dict[str, dict[str, str]], NoDecode, BeforeValidator(_json)]


class Settings(BaseSettings):
    """Options of the service; each field's environment variable is its name in capitals."""

    model_config = SettingsConfigDict(env_ignore_empty=True, extra="ignore", frozen=True)

    chat_provider: Name = Field(None, description="Primary provider.")
    fallback_chain: Names | None = Field(
        None, description="Providers after the primary, comma-separated, or `none`."
    )
    chain_preset: Preset | None = Field(
        None,
        description="A documented chain: production, enterprise, development, research, "
        "flexible, cost or privacy.",
    )
    fallback_extra: Annotated[Literal["", "all"], AnyCase] = Field(
        "", description="`all` also appends configured providers that the default chain leaves out."
    )
    privacy_mode: Annotated[Literal["off", "local_only"], AnyCase] = Field(
        "off", description="`local_only`: not one connection to anything but the local provider."
    )
    strict_provider_mode: bool = Field(
        default=False, description="Another name for PRIVACY_MODE=local_only."
    )
    providers_file: Path | None = Field(
        None, description="TOML file with further rows for PROVIDER_SCHEMA."
    )
    model_map: ModelMap = Field(
        default_factory=dict,
        description="Which model stands in for another at each provider, as JSON: "
        '{"gpt-4o": {"anthropic": "claude-sonnet-5"}}.',
    )
    confidence_threshold: Fraction = Field(
        0.8, description="The first answer at or above it wins, 0 to 1."
    )
    confidence_thresholds: Fractions = Field(
        default_factory=dict,
        description='Thresholds of single providers, as JSON: {"local": 0.5}.',
    )
    request_timeout: float = Field(
        60.0,
        gt=0,
        le=3600,
        description="Seconds in which a caller has an answer or an error (180 by default where "
        "the embedded model is alone).",
    )
    provider_max_in_flight: int = Field(
        256,
        ge=1,
        le=100_000,
        description="Most requests in flight at one provider; beyond it the next one is asked.",
    )
    hedge_after: Percent = Field(
        None,
        description="When the next provider is asked too, for at most 5 % more calls: `p95` once "
        "one is slower than 95 % of its recent answers were (p50 to p99); `off` never.",
    )
    probe_interval: float = Field(
        60.0,
        ge=0,
        le=86400,
        description="Seconds between two free calls that see how a provider is, give or take a "
        "fifth; 0 makes none.",
    )
    first_token_timeout: float | None = Field(
        None,
        gt=0,
        le=3600,
        description="Seconds a streamed answer may take to its first token (the provider's own "
        "timeout by default).",
    )
    stream_idle_timeout: float = Field(
        30.0,
        gt=0,
        le=3600,
        description="Seconds a streamed answer may be silent between two tokens.",
    )
    stream_timeout: float = Field(
        600.0,
        gt=0,
        le=86400,
        description="Seconds in which a streamed answer has ended, unless its caller gave a "
        "deadline of their own; REQUEST_TIMEOUT bounds the wait for its beginning.",
    )
    local_llm_enabled: bool = Field(default=True, description="false removes the local provider.")
    local_model: Word = Field(
        "auto",
        description="Embedded model: auto (when nothing else is configured), on, off, "
        "default, small or tiny.",
    )
    local_model_path: Path | None = Field(
        None, description="GGUF file to serve instead of fetching one."
    )
    redact_local: bool = Field(
        default=False, description="true masks credentials for the local provider too."
    )
    session_strict: bool = Field(
        default=False, description="true answers 404 for unknown sessions."
    )
    host: str = Field("127.0.0.1", description="Address to listen on.")
    allowed_hosts: Names = Field(
        (),
        description="Names the service may be asked by, comma-separated, beside loopback's where "
        "it listens there; `*` is any. Empty: any, unless it listens on loopback.",
    )
    port: int = Field(8000, ge=0, le=65535, description="Port to listen on; 0 takes a free one.")
    max_body_bytes: int = Field(
        10 * 1024 * 1024, gt=0, description="Largest request body in bytes."
    )
    web_concurrency: int = Field(
        1, ge=1, le=256, description="Processes that serve; one per core carries the most."
    )
    max_in_flight: int = Field(
        500,
        ge=1,
        le=1_000_000,
        description="Most requests each process serves at once; health and metrics do not count.",
    )
    max_queue: int = Field(
        50,
        ge=0,
        le=1_000_000,
        description="Most requests that wait for one of those places; beyond it, 503 at once.",
    )
    http_engine: Annotated[Literal["auto", "httptools", "httpx"], AnyCase] = Field(
        "auto",
        description="Which client asks the providers; auto is the fastest that is installed.",
    )
    single_flight: bool = Field(
        default=True,
        description="Whether identical requests of one caller that are in flight at the same time "
        "are asked once and share the answer; streams never do.",
    )
    drain_delay: float = Field(
        5.0,
        ge=0,
        le=3600,
        description="Seconds after SIGTERM in which new requests are still served, while "
        "/health/ready answers 503 and load balancers turn away.",
    )
    grace_period: float = Field(
        30.0,
        ge=0,
        le=86400,
        description="Seconds after those in which requests and streams in flight may end.",
    )
    admin_api_key: Secret = Field(
        None, description="Key of the admin routes; without one they do not exist."
    )
    reload_watch: bool = Field(
        default=True,
        description="Whether a change of `.env` or the providers file is taken over by itself.",
    )
    log_format: Annotated[Literal["console", "json"], AnyCase] = Field(
        "console", description="Form of log lines."
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"], AnyCase] = Field(
        "info", description="Least severe log line that is written."
    )
    faultmaven_data_dir: Path = Field(
        Path("~/.local/share/faultmaven"), description="Folder of the session database."
    )
    faultmaven_cache_dir: Path = Field(
        Path("~/.cache/faultmaven"), description="Folder of the embedded model's weights."
    )
    _environment: Mapping[str, str] = PrivateAttr(default_factory=dict)

    @property
    def environment(self) -> Mapping[str, str]:
        """Every variable as text, for the rows of ``PROVIDER_SCHEMA``; may hold secrets."""
        return self._environment

    @property
    def local_only(self) -> bool:
        """Whether a privacy setting forbids all but local providers.

        `ProviderRegistry.local_only` is the whole truth: it knows the primary as well.
        """
        private = self.chain_preset == "privacy" or self.strict_provider_mode
        return private or self.privacy_mode == "local_only"

    @property
    def session_database(self) -> Path:
        """File of the session database."""
        return self.faultmaven_data_dir.expanduser() / "sessions.sqlite3"

    @property
    def model_cache(self) -> Path:
        """Folder of the embedded model's weights."""
        return self.faultmaven_cache_dir.expanduser() / "models"


READ_ONCE = frozenset(
    {
        "FAULTMAVEN_CACHE_DIR",
        "FAULTMAVEN_DATA_DIR",
        "HOST",
        "HTTP_ENGINE",
        "LOCAL_MODEL",
        "LOCAL_MODEL_PATH",
        "LOG_FORMAT",
        "LOG_LEVEL",
        "PORT",
        "RELOAD_WATCH",
        "WEB_CONCURRENCY",
    }
)
"""Variables that have an effect at the start alone."""


def load_settings(env_file: Path = ENV_FILE) -> Settings:
    """Read the process environment and ``env_file``; the environment wins.

    Raises:
        ConfigurationError: a value is wrong; names its variable, never the value.
    """
    try:
        environment = read_environment(env_file)
        # The library's own reader of the file would resolve ``$`` and know other blanks.
        settings = Settings(_env_file=None, **_options(environment))
    except ValidationError as error:
        raise ConfigurationError(_explain(error, env_file)) from None
    except UnicodeDecodeError:
        raise ConfigurationError(f"{env_file}: not UTF-8 text") from None
    except OSError as error:
        raise ConfigurationError(f"{env_file}: cannot be read ({error.strerror})") from None
    settings._environment = environment  # noqa: SLF001 - its only writer
    return settings


def reload_settings(env_file: Path = ENV_FILE) -> Settings:
    """As `load_settings`, for a service that runs: it takes no file that is half understood.

    Raises:
        ConfigurationError: a value or a line is wrong; names file, line and variable.
    """
    broken = [binding for binding in _bindings(env_file) if binding.error]
    if broken:
        where = f"{env_file}, line {broken[0].original.line}"
        hint = 'Write NAME="value" on one line, with quotes in pairs.'
        raise ConfigurationError(f"{where}: cannot be understood", hint=hint)
    return load_settings(env_file)


def overridden(settings: Settings, env_file: Path = ENV_FILE) -> list[str]:
    """Variables of ``env_file`` that have no effect: the process environment has another value."""
    given = ((binding.key, binding.value) for binding in _bindings(env_file))
    present = settings.environment
    return [name for name, value in given if name and value and present.get(name) != value]


def read_environment(env_file: Path = ENV_FILE) -> dict[str, str]:
    """The process environment over ``env_file``, as text; ``$`` in a value stays as it is.

    A blank variable of the process hides nothing: a compose file that passes ``${NAME:-}`` on
    makes one of whatever is not set.
    """
    values = dotenv_values(env_file, interpolate=False)
    from_file = {name: value for name, value in values.items() if value is not None}
    process = {
        name: value for name, value in os.environ.items() if value.strip() or name not in from_file
    }
    return {**from_file, **process}


def this_worker() -> Worker | None:
    """What this process was told where it is one of several that serve, or ``None``."""
    told = os.environ.get(_WORKER)
    return TypeAdapter(Worker).validate_json(told) if told else None


def environment_for(worker: Worker) -> dict[str, str]:
    """The environment of a process that is to be ``worker``: this one's, and what it is told."""
    told = TypeAdapter(Worker).dump_json(worker).decode()
    return {**os.environ, _WORKER: told, "PROMETHEUS_MULTIPROC_DIR": worker.metrics_folder}


def _options(environment: Mapping[str, str]) -> dict[str, Any]:
    """The variables of `Settings`' fields, in any case, as far as they are not empty."""
    given = {name.lower(): value for name, value in environment.items() if value}
    return {name: given[name] for name in Settings.model_fields if name in given}


def _bindings(env_file: Path) -> list[Binding]:
    """The statements of the file, understood or not; none where it cannot be read any more."""
    try:
        with env_file.open(encoding="utf-8") as text:
            return list(parse_stream(text))
    except (OSError, UnicodeDecodeError):
        return []


def _explain(error: ValidationError, env_file: Path) -> str:
    lines = {b.key.lower(): b.original.line for b in _bindings(env_file) if b.key}
    problems = (
        f"{_name(item['loc'])}{_where(item['loc'], lines, env_file)}: {item['msg']}"
        for item in error.errors(include_input=False, include_url=False, include_context=False)
    )
    return "Wrong configuration. " + "; ".join(problems)


def _name(place: tuple[int | str, ...]) -> str:
    return ".".join(str(part) for part in place).upper()


def _where(place: tuple[int | str, ...], lines: Mapping[str, int], env_file: Path) -> str:
    """Where the file sets the variable, as far as the process environment does not."""
    name = str(place[0])
    given = any(other.lower() == name and value.strip() for other, value in os.environ.items())
    return f" ({env_file}, line {lines[name]})" if name in lines and not given else ""
