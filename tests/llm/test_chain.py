"""The order in which providers are asked."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from faultmaven.infrastructure.llm.providers.chain import FALLBACK_ORDER, PRESETS, ChainPolicy

SEVEN = ("fireworks", "openai", "anthropic", "gemini", "huggingface", "openrouter", "local")
SUBSETS = [
    subset for size in range(8) for subset in itertools.combinations(SEVEN, size)
]  # fmt: skip


def documented_chain(primary: str, providers: tuple[str, ...]) -> list[str]:
    """Build the chain the way the documentation's own algorithm does, step by step."""
    chain = [primary] if primary in providers else []
    order = ["fireworks", "openai", "local"]
    return chain + [name for name in order if name != primary and name in providers]


@pytest.mark.parametrize("primary", SEVEN)
def test_default_chain_is_the_documented_rule(primary: str) -> None:
    """For each primary and all 128 sets of configured providers the rule holds (S27, S32)."""
    for available in SUBSETS:
        assert ChainPolicy().build(primary, available) == documented_chain(primary, available)


def test_default_fallbacks_in_their_priority() -> None:
    """Fireworks is asked first, OpenAI second, local third; nobody else falls back (S3)."""
    assert FALLBACK_ORDER == ("fireworks", "openai", "local")


PRESET_CHAINS = {
    "production": ["fireworks", "openai", "local"],
    "enterprise": ["anthropic", "openai", "fireworks"],
    "development": ["local", "fireworks", "openai"],
    "research": ["huggingface", "gemini", "fireworks"],
    "flexible": ["openrouter", "anthropic", "openai"],
    "cost": ["fireworks", "local", "huggingface"],
    "privacy": ["local"],
}


@pytest.mark.parametrize(("preset", "chain"), PRESET_CHAINS.items())
def test_preset_gives_the_documented_chain(preset: str, chain: list[str]) -> None:
    """Each use case of the selection guide has its chain, whoever else is configured (S25)."""
    order = PRESETS[preset]
    assert ChainPolicy(fallbacks=order).build(order[0], SEVEN) == chain


def test_no_preset_beyond_the_guide() -> None:
    """There are seven presets, one for each use case of the guide (S25)."""
    assert set(PRESETS) == set(PRESET_CHAINS)


names = st.sampled_from((*SEVEN, "together", "nobody", "none"))
policies = st.builds(
    ChainPolicy,
    fallbacks=st.none() | st.lists(names, max_size=8).map(tuple),
    append_rest=st.booleans(),
    local_only=st.booleans(),
)


@given(policy=policies, primary=names, available=st.lists(names, unique=True))
def test_every_chain_is_sound(policy: ChainPolicy, primary: str, available: list[str]) -> None:
    """No chain names a provider twice, or one that is not configured or not allowed (S27)."""
    chain = policy.build(primary, available)
    assert len(chain) == len(set(chain))
    assert set(chain) <= set(available)
    if policy.local_only:
        assert set(chain) <= policy.local
    elif primary in available and not policy.append_rest:
        assert chain[0] == primary


@given(policy=policies, primary=names, available=st.lists(names, unique=True))
def test_a_removed_provider_only_leaves_a_gap(
    policy: ChainPolicy, primary: str, available: list[str]
) -> None:
    """Without one provider's key the chain is the same, less that provider (S34)."""
    for gone in available:
        rest = [name for name in available if name != gone]
        chain = [name for name in policy.build(primary, available) if name != gone]
        assert sorted(policy.build(primary, rest)) == sorted(chain)
        if not policy.append_rest:
            assert policy.build(primary, rest) == chain


@given(primary=st.sampled_from(SEVEN), available=st.sets(st.sampled_from(SEVEN)))
def test_append_rest_uses_everybody(primary: str, available: set[str]) -> None:
    """With the rest appended every configured provider is in the chain, the default ones first."""
    plain = ChainPolicy().build(primary, sorted(available))
    chain = ChainPolicy(append_rest=True).build(primary, sorted(available))
    assert set(chain) == available
    assert [name for name in chain if name in plain] == plain


def test_append_rest_keeps_local_last() -> None:
    """Providers beyond the default chain are asked before the local last resort."""
    chain = ChainPolicy(append_rest=True).build("openai", SEVEN)
    assert chain == [
        "openai",
        "fireworks",
        "anthropic",
        "gemini",
        "huggingface",
        "openrouter",
        "local",
    ]


def test_append_rest_keeps_local_last_without_the_primary() -> None:
    """Local stays the last resort when the primary has no key and nobody else is left."""
    chain = ChainPolicy(append_rest=True).build("openai", ("gemini", "local"))
    assert chain == ["gemini", "local"]


def test_append_rest_keeps_a_local_primary_first() -> None:
    """A local primary stays the first choice when the rest is appended."""
    assert ChainPolicy(append_rest=True).build("local", ("gemini", "local")) == ["local", "gemini"]
