"""The policy file: every mistake is named with its place, and knobs stay in their ranges."""

from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.decision.policy.in_force import moved_knobs, policy_in_force
from lotus.decision.policy.policy import KNOBS, parse_policy, shipped_policy
from lotus.errors import ConfigError
from lotus.manifest import WeaveDefaults
from lotus.priors.types import EXPLORATION, ActiveBraid, Knob, Literal, Patch, Rule, priors_version

TEXT = (files("lotus.decision") / "policy.yaml").read_text("utf-8")


def changed(old: str, new: str) -> str:
    """The shipped text with one line changed."""
    assert TEXT.count(old) == 1
    return TEXT.replace(old, new)


def test_the_version_is_that_of_the_values_not_of_the_text() -> None:
    assert parse_policy("# a comment\n" + TEXT, "other.yaml").version == shipped_policy().version
    assert parse_policy(changed("  gross: 1.0", "  gross: 1.1"), "p").version != shipped_policy().version


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("  gross: 1.0", "  grss: 1.0", "p.yaml, caps.grss: unknown key 'grss'.*'gross' misspelled"),
        ("  gross: 1.0\n", "", "p.yaml, caps: no key 'gross'"),
        ("  gross: 1.0", "  gross: 99", "caps.gross: 99; expected: 0 to 50"),
        ("  gross: 1.0", "  gross: much", "caps.gross: 'much'; expected: a number"),
        ("  kelly_fraction: 0.25", "  kelly_fraction: 0.5", "expected: 0.01 to 0.25"),
        ("  asset_share: 0.20", "  asset_share: 0.3", "expected: 0.01 to 0.2"),
        ("  asym_high: 1.75", "  asym_high: 2", "expected: 1 to 1.75"),
        ("  net_tilt: 0.25", "  net_tilt: 0.3", "expected: 0 to 0.25"),
        ("  nudge: 0.10", "  nudge: 0.2", "expected: 0 to 0.1"),
        ("  recover_sigmas: 1.0", "  recover_sigmas: 3.0", "recover_sigmas not below drawdown_sigmas"),
        ("  shortest_s: 5", "  shortest_s: 700000", "shortest_s above longest_s"),
        ("  bins: 20", "  bins: 2.5", "expected: a whole number"),
        ("{ low: 0.5, high: 2.0 }", "{ low: 1.5, high: 2.0 }", "knobs.turnover_penalty: 1.5 to 2"),
        ("  turnover_penalty: { low", "  gross: { low", "unknown key 'gross'"),
        ("name: default", "name: ''", "no name"),
    ],
)
def test_a_mistake_is_named_with_its_key(old: str, new: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        parse_policy(changed(old, new), "p.yaml")


@given(st.dictionaries(st.sampled_from([f"policy:{k}" for k in KNOBS]), st.floats(1e-3, 1e3)))
def test_knobs_stay_in_their_ranges_and_nothing_else_moves(multipliers: dict[str, float]) -> None:
    shipped = shipped_policy()
    moved = shipped.with_knobs(multipliers)
    for name, bounds in shipped.knobs:
        section = KNOBS[name]
        value = getattr(getattr(moved, section), name)
        assert bounds.low <= value <= bounds.high
        if f"policy:{name}" not in multipliers:
            assert value == getattr(getattr(shipped, section), name)
    for section in ("caps", "risk", "budgets", "crowding", "overlay"):
        assert getattr(moved, section) == getattr(shipped, section)


def test_a_knob_of_another_owner_is_refused_and_exploration_passes() -> None:
    with pytest.raises(ConfigError, match="knob 'policy:gross'"):
        shipped_policy().with_knobs({"policy:gross": 1.1})
    with pytest.raises(ConfigError, match="execution:slice"):
        shipped_policy().with_knobs({"execution:slice": 1.1})
    assert shipped_policy().with_knobs({EXPLORATION: 1.05}) == shipped_policy()


def test_a_braid_of_the_decision_maker_moves_its_knob_in_its_context_and_time() -> None:
    policy, weave = shipped_policy(), WeaveDefaults()
    rule, other = Rule.of(Literal(0, 3, 4)), Rule.of(Literal(0, 0, 1))
    braids = (
        _braid("a", policy.owner_of("turnover_penalty"), "policy:turnover_penalty", rule),
        _braid("b", policy.owner_of("orthogonality_floor"), "policy:orthogonality_floor", other),
        _braid("c", "policy.other.turnover_penalty", "policy:turnover_penalty", rule),
    )
    version = priors_version("main", 0, braids)
    hot, cold = [4] * 3 + [255] * 9, [0] * 3 + [255] * 9
    assert policy_in_force(policy, version, hot, 10, weave).soft.turnover_penalty == pytest.approx(1.06)
    assert policy_in_force(policy, version, hot, 10, weave).fusion == policy.fusion
    floor = policy_in_force(policy, version, cold, 10, weave).fusion.orthogonality_floor
    assert floor == pytest.approx(1.06 * policy.fusion.orthogonality_floor)
    assert policy_in_force(policy, version, [255] * 12, 10, weave) is policy
    assert policy_in_force(policy, version, hot, 100, weave) is policy
    assert moved_knobs(policy, version, hot, 10, weave) == {"policy:turnover_penalty": pytest.approx(1.06)}


def _braid(name: str, owner: str, key: str, rule: Rule) -> ActiveBraid:
    patch = Patch(knobs=(Knob(key, 1.06),))
    return ActiveBraid(name, "micro", owner, 3600, rule, patch, scope="dm", expires_at_ms=100)
