"""The service's own options, from the environment and .env."""

from pathlib import Path

import pytest

from doubles import settings_of
from faultmaven.errors import ConfigurationError


def test_defaults_need_no_environment() -> None:
    """An empty environment is a valid configuration, with the documented defaults."""
    settings = settings_of({})
    assert settings.chat_provider is None
    assert settings.confidence_threshold == 0.8
    assert settings.request_timeout == 60
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert not settings.local_only


@pytest.mark.parametrize("value", ["openai", "OpenAI", " openai ", "OPENAI\n"])
def test_provider_name_in_any_case(value: str) -> None:
    """Case and surrounding blanks of a provider's name do not matter (S24)."""
    assert settings_of({"CHAT_PROVIDER": value}).chat_provider == "openai"


@pytest.mark.parametrize("value", ["", " ", "\t"])
def test_blank_provider_is_none(value: str) -> None:
    """A variable left blank is as good as one that is not set (S24)."""
    assert settings_of({"CHAT_PROVIDER": value}).chat_provider is None


@pytest.mark.parametrize(
    ("value", "names"),
    [
        ("fireworks,local", ("fireworks", "local")),
        (" OpenAI , Local ,", ("openai", "local")),
        ("none", ("none",)),
        (",", ()),
    ],
)
def test_chain_is_a_comma_list(value: str, names: tuple[str, ...]) -> None:
    """FALLBACK_CHAIN is read as people write lists."""
    assert settings_of({"FALLBACK_CHAIN": value}).fallback_chain == names


@pytest.mark.parametrize(
    ("values", "local_only"),
    [
        ({"PRIVACY_MODE": "local_only"}, True),
        ({"PRIVACY_MODE": "local_only", "CHAT_PROVIDER": "openai"}, True),
        ({"STRICT_PROVIDER_MODE": "true"}, True),
        ({"CHAIN_PRESET": "privacy"}, True),
        ({"FALLBACK_CHAIN": "none"}, False),
        ({"CHAT_PROVIDER": "local"}, False),
        ({"PRIVACY_MODE": "off"}, False),
        ({}, False),
    ],
)
def test_what_keeps_everything_local(values: dict[str, str], *, local_only: bool) -> None:
    """Each documented privacy setting is one; what a chain implies is the registry's (S20)."""
    assert settings_of(values).local_only is local_only


@pytest.mark.parametrize(
    ("value", "percent"),
    [
        ("", None),
        (" ", None),
        ("off", None),
        ("OFF", None),
        ("p95", 95),
        (" P50 ", 50),
        ("p99", 99),
    ],
)
def test_when_to_hedge(value: str, percent: int | None) -> None:
    """Never, or a percentile, as people write one."""
    assert settings_of({"HEDGE_AFTER": value}).hedge_after == percent


def test_a_wrong_percentile_is_told_with_the_right_ones() -> None:
    """The message says what may stand there."""
    with pytest.raises(ConfigurationError, match="p50 to p99, such as p95"):
        settings_of({"HEDGE_AFTER": "95%"})


def test_json_tables() -> None:
    """Thresholds and stand-in models are JSON objects."""
    settings = settings_of(
        {
            "CONFIDENCE_THRESHOLDS": '{"local": 0.5}',
            "MODEL_MAP": '{"gpt-4o": {"anthropic": "claude-x"}}',
        }
    )
    assert settings.confidence_thresholds == {"local": 0.5}
    assert settings.model_map == {"gpt-4o": {"anthropic": "claude-x"}}


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("CONFIDENCE_THRESHOLD", "1.5"),
        ("CONFIDENCE_THRESHOLD", "nan"),
        ("CONFIDENCE_THRESHOLDS", '{"local": 2}'),
        ("CONFIDENCE_THRESHOLDS", "{broken"),
        ("MODEL_MAP", "[1]"),
        ("REQUEST_TIMEOUT", "0"),
        ("REQUEST_TIMEOUT", "soon"),
        ("PRIVACY_MODE", "localonly"),
        ("STRICT_PROVIDER_MODE", "perhaps"),
        ("PORT", "70000"),
        ("LOG_LEVEL", "loud"),
        ("FALLBACK_EXTRA", "some"),
        ("HEDGE_AFTER", "95"),
        ("HEDGE_AFTER", "p49"),
        ("HEDGE_AFTER", "p100"),
        ("HEDGE_AFTER", "2s"),
    ],
)
def test_wrong_value_names_its_variable(variable: str, value: str) -> None:
    """A wrong value stops the start with the variable's name, never with the value (S66, S69)."""
    with pytest.raises(ConfigurationError) as caught:
        settings_of({variable: value})
    assert variable in str(caught.value)
    assert "broken" not in str(caught.value)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize("value", ["LOCAL_ONLY", " local_only "])
def test_privacy_is_not_lost_to_capitals(value: str) -> None:
    """Nobody loses their privacy to a capital letter or a blank."""
    assert settings_of({"PRIVACY_MODE": value}).local_only


ENV_BLOCK = """\
# Environment-Based Auto-Discovery
FIREWORKS_API_KEY="fw_your_key"           # ✅ Fireworks auto-enabled
export OPENAI_API_KEY='sk_your_openai_key'

CHAT_PROVIDER="anthropic"  # the primary
REQUEST_TIMEOUT=5
"""


@pytest.mark.parametrize("text", [ENV_BLOCK, ENV_BLOCK.replace("\n", "\r\n"), "\ufeff" + ENV_BLOCK])
def test_env_file_as_people_paste_it(tmp_path: Path, text: str) -> None:
    """Quotes, comments, export, Windows line ends and a byte-order mark are understood (S83)."""
    file = tmp_path / ".env"
    file.write_bytes(text.encode())
    settings = settings_of({}, file)
    assert settings.environment["FIREWORKS_API_KEY"] == "fw_your_key"
    assert settings.environment["OPENAI_API_KEY"] == "sk_your_openai_key"
    assert settings.chat_provider == "anthropic"
    assert settings.request_timeout == 5


def test_first_line_behind_a_byte_order_mark_counts(tmp_path: Path) -> None:
    """An editor's byte-order mark does not cost the first variable."""
    file = tmp_path / ".env"
    file.write_bytes("\ufeffCHAT_PROVIDER=openai\n".encode())
    settings = settings_of({}, file)
    assert settings.chat_provider == "openai"
    assert settings.environment["CHAT_PROVIDER"] == "openai"


def test_dollar_in_a_value_stays(tmp_path: Path) -> None:
    """A secret with a dollar sign is not taken for a reference to another variable."""
    file = tmp_path / ".env"
    file.write_text("OPENAI_API_KEY=sk-a$HOME${PATH}b\n")
    values = {"HOME": "/root", "PATH": "/bin"}
    assert settings_of(values, file).environment["OPENAI_API_KEY"] == "sk-a$HOME${PATH}b"


def test_env_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    """A .env that is not UTF-8 is told by its name, not crashed on (S83)."""
    file = tmp_path / ".env"
    file.write_bytes(b"OPENAI_API_KEY=\xff\xfe\n")
    with pytest.raises(ConfigurationError, match=r"\.env"):
        settings_of({}, file)


def test_environment_overrides_the_env_file(tmp_path: Path) -> None:
    """What the process was started with beats .env."""
    file = tmp_path / ".env"
    file.write_text("CHAT_PROVIDER=openai\nLOG_LEVEL=debug\n")
    settings = settings_of({"CHAT_PROVIDER": "local"}, file)
    assert (settings.chat_provider, settings.log_level) == ("local", "debug")


@pytest.mark.parametrize("blank", ["", " ", "\t"])
def test_blank_variable_hides_nothing(tmp_path: Path, blank: str) -> None:
    """A variable exported empty does not hide what .env says, be it a key or an option (S83)."""
    file = tmp_path / ".env"
    file.write_text("OPENAI_API_KEY=sk-from-file\nPORT=8123\nCHAT_PROVIDER=openai\n")
    values = dict.fromkeys(("OPENAI_API_KEY", "PORT", "CHAT_PROVIDER"), blank)
    settings = settings_of(values, file)
    assert settings.environment["OPENAI_API_KEY"] == "sk-from-file"
    assert (settings.port, settings.chat_provider) == (8123, "openai")


def test_dollar_in_an_option_stays(tmp_path: Path) -> None:
    """The service's own options are read from .env as the providers' variables are."""
    file = tmp_path / ".env"
    file.write_text("FAULTMAVEN_DATA_DIR=/data/a$HOME\nFAULTMAVEN_CACHE_DIR=/data/${PATH}b\n")
    settings = settings_of({"HOME": "/root", "PATH": "/bin"}, file)
    assert str(settings.faultmaven_data_dir) == "/data/a$HOME"
    assert str(settings.faultmaven_cache_dir) == "/data/${PATH}b"


def test_option_in_small_letters_counts(tmp_path: Path) -> None:
    """Names of options are read in any case, from .env as from the process."""
    file = tmp_path / ".env"
    file.write_text("log_level=debug\n")
    settings = settings_of({"chat_provider": "openai"}, file)
    assert (settings.log_level, settings.chat_provider) == ("debug", "openai")
    assert settings_of({"LOG_LEVEL": "error"}, file).log_level == "error"


def test_repr_shows_no_environment() -> None:
    """Printing the settings prints no key (S69)."""
    assert "sk-123456" not in repr(settings_of({"OPENAI_API_KEY": "sk-123456"}))
