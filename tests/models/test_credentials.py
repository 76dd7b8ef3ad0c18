"""Credentials are found by their shape, and nothing else is."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from faultmaven.models import credentials
from faultmaven.models.credentials import (
    find_credentials,
    known_keys,
    mask_credentials,
    remove_keys,
)

_PEM_BODY = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7" * 3
_VENDOR_KEYS = {
    "fireworks_key": "fw_3ZkQ9xT7LmNvB2cR8yHs4aWd",
    "openai_key": "sk-proj-Zx81kQ_m2NvB7cR8yHs4aWdT3BlbkFJ",
    "anthropic_key": "sk-ant-api03-Zx81kQm2NvB7cR8yHs4aWd",
    "google_key": "AIzaSyD3kQ9xT7LmNvB2cR8yHs4aWdEfGhIjKlM",
    "huggingface_key": "hf_QwErTyUiOpAsDfGhJkLzXcVbNm12345678",
    "openrouter_key": "sk-or-v1-0a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "together_key": "tgp_v1_Zx81kQm2NvB7cR8yHs4aWd",
    "stripe_key": "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    "aws_key": "AKIAIOSFODNN7EXAMPLE",
    "github_token": "ghp_16C7e42F292c6912E7710c838347Ae178B4a",
    "gitlab_token": "glpat-Zx81kQm2NvB7cR8yHs4a",
    "slack_token": "xoxb-2039483-29384-Zx81kQm2NvB7",
    "vault_token": "hvs.CAESIJlWh8Zx81kQm2NvB7cR8",
    "npm_token": "npm_Zx81kQm2NvB7cR8yHs4aWdZx81kQm2NvB7cR",
    "jwt": "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiI0NzExIn0.Zx81kQm2NvB7cR8yHs4aWd",
}
_UNNAMED_KEYS = {
    "TOGETHER_API_KEY": "0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9",
    "COHERE_API_KEY": "Zx81kQm2NvB7cR8yHs4aWdEfGhIjKlMnOpQrStUv",
    "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "DB_PASSWORD": "correct-horse",
    "SMTP_PASS": "hunter2",
    "OAUTH_CLIENT_SECRET": "s3cr3t~value",
    "X_VAULT_TOKEN": "0123456789abcdef",
}
_INNOCENT = (
    "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "registry.example.org/pay/api@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c1",
    "pod payments-api-7d9c8b5f4-x2k9p on node ip-10-0-3-17.eu-west-1.compute.internal",
    "arn:aws:iam::123456789012:role/payments-task-role",
    "arn:aws:secretsmanager:eu-west-1:123456789012:secret:prod/db-AbCdEf",
    "3f2504e0-4f89-11d3-9a0c-0305e82c3301",
    "disk-pressure-eviction-manager and task-scheduler-7f9b-2 and risk-assessment-service-1",
    "hf_hub_download() in hf_transfer",
    "sk_stream_wait_memory+0x1a/0x30 after sk_buff_alloc",
    "MountVolume.SetUp failed: secret 'payments-tls' not found",
    "secretName: payments-tls",
    "password_file: /run/secrets/db",
    "password_encryption = scram-sha-256",
    "FATAL: password authentication failed for user app",
    "password: ${DB_PASSWORD}",
    "api_key_var: TOGETHER_API_KEY",
    "max_tokens: 1024, prompt_tokens=17",
    "token=expired",
    "PWD=/srv/app",
    "PWD='/srv/my app' OLDPWD=\"/srv\"",
    '{\\"PWD\\": \\"/srv/app\\"}',
    "proxy_pass http://127.0.0.1:8000;",
    "Bearer authentication required",
    "http://host:8080/path?x=1 and user@example.org",
    "x" * 64,
)


@pytest.mark.parametrize(("kind", "key"), _VENDOR_KEYS.items())
@pytest.mark.parametrize(
    "frame", ["{}", "key {} refused", '"{}"', "Authorization: Bearer {}", "k={}"]
)
def test_key_of_a_known_shape_is_removed_wherever_it_stands(
    kind: str, key: str, frame: str
) -> None:
    """Every vendor's key shape goes, bare, quoted, in a header and after an equals sign (S69)."""
    masked = find_credentials(frame.format(key))

    assert key not in masked.text
    assert key[-8:] not in masked.text
    assert masked.kinds in {(kind,), ("bearer_token",)}
    assert mask_credentials(frame.format(key)) == masked.text


@pytest.mark.parametrize(("name", "key"), _UNNAMED_KEYS.items())
@pytest.mark.parametrize(
    "frame",
    [
        "{name}={key}",
        "{name}: {key}",
        '{{"{name}": "{key}"}}',
        '"{{\\"{name}\\": \\"{key}\\"}}"',
        "export {name}='{key}'",
        "{name} := {key}",
        "config['{name}'] = '{key}'",
    ],
)
def test_key_without_a_shape_is_removed_by_the_name_it_is_assigned_to(
    name: str, key: str, frame: str
) -> None:
    """Together's, Cohere's and everybody's shapeless secrets go when their name tells (S69)."""
    for written in (name, name.lower(), name.lower().replace("_", "-")):
        masked = mask_credentials(frame.format(name=written, key=key))

        assert key not in masked
        assert written in masked


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "postgres://app:p@ss:w0rd@db.internal:5432/pay",
            "postgres://app:[url_password removed]@db.internal:5432/pay",
        ),
        ("redis://:hunter2@cache:6379", "redis://:[url_password removed]@cache:6379"),
        ("Authorization: Basic YXBwOmh1bnRlcjI=", "Authorization: Basic [basic_auth removed]"),
        ("password='two words'", "password='[secret_value removed]'"),
        ('password="a\\"b c"', 'password="[secret_value removed]"'),
        ("PWD=/srv;DB_PWD=h2", "PWD=/srv;DB_PWD=[secret_value removed]"),
        ("PWD=/srv:DB_PASSWORD=h2", "PWD=/srv:DB_PASSWORD=[secret_value removed]"),
        ("password=<see_password=h2>", "password=<see_password=[secret_value removed]"),
        ("ALTER USER app PASSWORD 'h2'", "ALTER USER app PASSWORD '[secret_value removed]'"),
        ("mysqldump --password hunter2 pay", "mysqldump --password [secret_value removed] pay"),
        ("Server=db;Password=h2;Port=1", "Server=db;Password=[secret_value removed];Port=1"),
        ("/login?password=h2&user=a", "/login?password=[secret_value removed]&user=a"),
        ("Set-Cookie: sid=abc; Path=/\nnext", "Set-Cookie: [secret_value removed]\nnext"),
        ("OPENAI_API_KEY=sk-abcdefgh1234", "OPENAI_API_KEY=[openai_key removed]"),
        (
            "Incorrect API key provided: abc123",
            "Incorrect API key provided: [secret_value removed]",
        ),
    ],
)
def test_only_the_secret_goes_and_what_surrounds_it_stays(text: str, expected: str) -> None:
    """User, host, name of the setting and punctuation are still there for the diagnosis."""
    assert mask_credentials(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('{"password": 12345678}', '{"password": "[secret_value removed]"}'),
        ('[{"a":{"pwd":-1.5e9}},2]', '[{"a":{"pwd":"[secret_value removed]"}},2]'),
        ('{"password": 1, "b": 2}', '{"password": "[secret_value removed]", "b": 2}'),
        ('{"password":1}{"password":2}', '{"password":"[secret_value removed]"}' * 2),
        (
            json.dumps({"said": json.dumps({"password": 12345678})}),
            json.dumps({"said": json.dumps({"password": "[secret_value removed]"})}),
        ),
        ("{user: app, password: h2}", "{user: app, password: [secret_value removed]}"),
        ("[password=h}2]", "[password=[secret_value removed]]"),
    ],
)
def test_what_surrounds_a_value_without_quotes_stays(text: str, expected: str) -> None:
    """Valid JSON stays valid JSON, also within JSON; what closes a list or an object is left."""
    assert mask_credentials(text) == expected
    assert mask_credentials(expected) == expected


_json = st.recursive(
    st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["password", "api_key", "a"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(_json, st.sampled_from([None, 1]))
def test_json_stays_json(value: object, indent: int | None) -> None:
    """Arguments and results of tools can still be read, and hold no secret number."""
    masked = json.loads(mask_credentials(json.dumps(value, indent=indent)))

    for item in _objects(masked):
        assert not any(isinstance(item.get(name), int | float) for name in ("password", "api_key"))


def _objects(value: object) -> Iterator[dict[str, object]]:
    if isinstance(value, dict):
        yield value
    inner = value.values() if isinstance(value, dict) else value
    if isinstance(value, dict | list):
        for item in inner:  # type: ignore[attr-defined] # of either
            yield from _objects(item)


@pytest.mark.parametrize("ending", ["\n-----END RSA PRIVATE KEY-----", "", "\n"])
@pytest.mark.parametrize("newline", ["\n", "\\n"])
def test_private_key_goes_whole_even_when_it_is_cut(ending: str, newline: str) -> None:
    """No line of a key survives, with or without its end, real or escaped line breaks."""
    block = f"-----BEGIN RSA PRIVATE KEY-----\n{_PEM_BODY}\n{_PEM_BODY}{ending}"
    masked = find_credentials(f"before {block.replace(chr(10), newline)} (after)")

    assert masked.kinds == ("private_key",)
    assert "MII" not in masked.text
    assert masked.text.startswith("before ")
    assert masked.text.endswith("(after)")


@pytest.mark.parametrize("text", _INNOCENT)
def test_what_only_looks_random_stays(text: str) -> None:
    """Hashes, digests, pod names, ARNs, UUIDs and names of settings are needed for diagnosis."""
    assert mask_credentials(text) == text


@pytest.mark.parametrize(
    ("key", "said"),
    [
        ("unusual/key", b"\xff [key removed] and [key removed]"),
        ("  unusual/key\n", b"\xff [key removed] and [key removed]"),
        ("unusual", b"\xff unusual/key and unusual/key"),
        ("", b"\xff unusual/key and unusual/key"),
    ],
)
def test_known_key_is_removed_whatever_its_shape(key: str, said: bytes) -> None:
    """A configured key goes wherever it stands, unless any word could hold it (S69)."""
    assert remove_keys(b"\xff unusual/key and unusual/key", known_keys([key])) == said


_PIECES = st.sampled_from(
    [
        *_VENDOR_KEYS.values(),
        *(f"{name}={key}" for name, key in _UNNAMED_KEYS.items()),
        *(
            "password=",
            "token: ",
            '"secret": "',
            "\\",
            '"',
            "'",
            " ",
            "\n",
            "://u:",
            "@",
            "cookie:",
        ),
        *(
            "[jwt removed]",
            "-----BEGIN PRIVATE KEY-----",
            "-----END PRIVATE KEY-----",
            "\u0130",
            "{",
        ),
    ]
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_PIECES | st.text(max_size=8), max_size=12).map("".join))
def test_masking_twice_is_masking_once(text: str) -> None:
    """Masking is idempotent, so that every layer may do it."""
    once = mask_credentials(text)

    assert mask_credentials(once) == once


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=40), st.sampled_from(sorted(_VENDOR_KEYS.values())), st.text(max_size=40))
def test_key_is_found_in_any_surroundings(before: str, key: str, after: str) -> None:
    """Whatever stands around a key, as long as it begins a word, the key goes."""
    assert key not in mask_credentials(f"{before} {key} {after}")


@pytest.mark.parametrize(
    "piece",
    [
        "2024-05-01T12:00:00Z INFO [payments-api-7d9c8b5f4-x2k9p] path=/v1/orders?user=7 ok\n",
        "-----BEGIN PRIVATE KEY-----\na",
        "eyJaaaaaaaa",
        "hf_a-",
        "://a:",
        "password=",
        'password="',
        "token=a",
        "cookie: [jwt removed]",
        "secret: ${",
        '"password": 1',
        '"password": 1}',
        "password=}",
        "--a-",
        "Bearer a",
    ],
)
def test_a_megabyte_takes_no_noticeable_time(piece: str) -> None:
    """No input makes the search backtrack: processor time stays far below that of a square."""
    text = piece * (1_000_000 // len(piece))
    started = time.process_time()

    mask_credentials(text)

    # Usually 0.05 to 0.3 s; anything quadratic takes minutes.
    assert time.process_time() - started < 5


@pytest.mark.parametrize(
    "follower",
    [
        *("", "=", "=/", "='/", '=\\"/', "=\\/", "='", '="', "=\\\\\\\\", "=[jwt removed]"),
        *("=***", "=<", '="<', "=<a>", "=${", "=$(a)", "=a1b2c3d4e5f6/", '=a"'),
        *('": 1', '": 1}', '": 1a', "=}", "=}]"),
    ],
)
def test_no_name_makes_the_search_read_its_values_again_and_again(follower: str) -> None:
    """Whatever follows whichever name, over and over, each value is read a few times at most."""
    for name in credentials._NAMED:
        text = f"{name}{follower}" * (30_000 // len(name + follower))
        started = time.process_time()

        mask_credentials(text)

        # Usually 0.01 to 0.03 s; a square takes a second.
        assert time.process_time() - started < 0.4, name
