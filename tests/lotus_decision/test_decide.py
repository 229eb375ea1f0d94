"""The whole step: laws over random desks, and one decision looked at closely."""

import random
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples
from states import COINS, CUES, MARKET, NOW_MS, POSITIONS, SOURCES, VIEWS, cue, decided, desk, turned, view

from benchmarks.decision.allocator import SpecificationSolver
from lotus.decision.alphas import AlphaInput, CueInput
from lotus.decision.decide import AccountMandate, Decision, decide
from lotus.decision.ticket import ticket_of

SPECIFICATION = SpecificationSolver()


def weights(decision: Decision) -> dict[str, float]:
    """Target weights by coin."""
    return {t.coin: t.weight for t in decision.targets}


@settings(max_examples=examples(30), deadline=None)
@given(CUES, st.floats(0, 5))
def test_no_edge_no_trade(cues: list[CueInput], drawdown: float) -> None:
    silent = [view(coin, source="det:unknown@1") for coin in COINS]
    assert not decided(desk(drawdown_sigmas=drawdown), silent, cues).trades
    worthless = [view(coin, score=0.0, source=SOURCES[1]) for coin in COINS]
    assert not decided(desk(drawdown_sigmas=drawdown), worthless, cues).trades


@settings(max_examples=examples(40), deadline=None)
@given(POSITIONS)
def test_without_a_view_positions_only_shrink(positions: dict[str, float]) -> None:
    for t in decided(desk(positions=positions), []).targets:
        assert abs(t.weight) <= abs(t.held) + 1e-12
        assert t.weight * t.held >= 0.0


@settings(max_examples=examples(40), deadline=None)
@given(POSITIONS, VIEWS, CUES)
def test_turning_every_sign_turns_the_book(
    positions: dict[str, float], views: list[AlphaInput], cues: list[CueInput]
) -> None:
    found = decided(desk(positions=positions), views, cues)
    mirror = decided(desk(positions={c: -x for c, x in positions.items()}), turned(views), cues)
    assert {c: -w for c, w in weights(mirror).items()} == pytest.approx(weights(found), abs=2e-6)


@settings(max_examples=examples(40), deadline=None)
@given(POSITIONS, VIEWS, CUES, st.randoms())
def test_the_order_of_everything_is_irrelevant(
    positions: dict[str, float], views: list[AlphaInput], cues: list[CueInput], rng: random.Random
) -> None:
    state = desk(positions=positions)
    mixed = desk(
        positions=dict(rng.sample(list(positions.items()), len(positions))),
        markets=dict(rng.sample(list(state.markets.items()), len(state.markets))),
    )
    again = decided(mixed, rng.sample(views, len(views)), rng.sample(cues, len(cues)))
    found = decided(state, views, cues)
    assert again.alphas == found.alphas
    assert again.targets == found.targets
    assert again.not_used == found.not_used
    assert again.budgets == found.budgets
    assert ticket_of(again) == ticket_of(found)


@settings(max_examples=examples(40), deadline=None)
@given(VIEWS, CUES, st.floats(0, 5), st.booleans())
def test_multipliers_never_change_an_expectation(
    views: list[AlphaInput], cues: list[CueInput], drawdown: float, ratchet: bool
) -> None:
    plain = decided(desk(), views)
    moved = decided(desk(drawdown_sigmas=drawdown, ratchet=ratchet), views, cues)
    assert moved.alphas == plain.alphas
    assert moved.fused == plain.fused
    assert [t.mu_bps for t in moved.targets] == [t.mu_bps for t in plain.targets]


def test_one_strong_view_is_taken_within_its_caps_and_explained() -> None:
    found = decided(desk(), [view("BTC"), view("ETH", source=SOURCES[2], score=0.5)], [cue("BTC", 1.0, None, 0.9)])
    by_coin = {t.coin: t for t in found.targets}
    assert by_coin["BTC"].weight > 0.0
    assert by_coin["BTC"].notional_usd == by_coin["BTC"].weight * 1e6
    assert found.allocation is not None
    assert found.allocation.kelly_fraction <= 0.25 + 1e-6
    assert found.budgets.used == ("ms_kairos", "ms_asym_score")
    assert found.budgets.applied > 1.0
    assert 0.5 < found.confidence < 1.0
    assert found.valid_until_ms == NOW_MS - 1000 + 3_600_000
    assert found.allocation.bindings
    assert [name for name, _ in found.executors] == ["paper:limit", "paper:market"]


def test_what_plays_no_part_is_told_with_its_reason() -> None:
    views = [
        view("BTC", age_s=4000, event="old"),
        view("BTC", age_s=-5, event="early"),
        view("PEPE", event="elsewhere"),
        view("ETH", source="det:new@1", event="young"),
        view("SOL", event="twin"),
        view("SOL", event="twin"),
    ]
    found = decided(desk(positions={"PEPE": 1000.0}), views)
    assert {(u.what, u.reason) for u in found.not_used} == {
        ("old", "not live any more"),
        ("early", "of the future"),
        ("elsewhere", "no market in PEPE"),
        ("young", "det:new@1 has no past at 3600 s"),
        ("twin", "told twice"),
        ("PEPE", "no market"),
    }


def test_a_halt_a_veto_and_a_missing_authority_only_reduce() -> None:
    policy = desk().policy
    states = {
        "halted: kill switch": desk(halted="kill switch"),
        "halted: no executor has authority": desk(authority=AccountMandate("a", (), 1.0, 4.0)),
        "forbidden by the policy": desk(policy=replace(policy, forbidden=("BTC",))),
        "outside the account's authority": desk(authority=AccountMandate("a", ("x:y",), 1.0, 4.0, ("ETH",))),
    }
    for reason, state in states.items():
        found = decided(replace(state, positions={"BTC": 5e4}), [view("BTC")])
        assert [v.reason for v in found.curation.vetoes] == [reason]
        (target,) = found.targets
        assert 0.0 <= target.weight <= target.held


def test_an_old_risk_model_halves_the_caps() -> None:
    state = desk()
    old = replace(state, covariance=replace(state.covariance, asof_ms=NOW_MS - 200_000_000))
    assert {c.factor for c in decided(old, [view("BTC")]).curation.cuts} == {0.5}


def test_a_crowded_coin_gets_less() -> None:
    policy = replace(desk().policy, risk=replace(desk().policy.risk, budget_bps_day=5000.0))
    free = desk(policy=policy, positions={"BTC": 1e5})
    tight = replace(free, markets={**free.markets, "BTC": replace(MARKET, open_interest_usd=1e6)})
    views = [view("BTC", score=1.0)]
    assert decided(tight, views).targets[0].weight < decided(free, views).targets[0].weight
    assert decided(tight, views).capacity_risk > decided(free, views).capacity_risk


def test_positions_that_cannot_be_measured_take_their_part_of_the_caps() -> None:
    strong = [view(coin, score=1.0) for coin in COINS]
    both = decided(desk(positions={"PEPE": 4.95e5, "WIF": -4.95e5}), strong)
    assert sum(abs(t.weight) for t in both.targets) == pytest.approx(0.01, abs=1e-6)
    assert "PEPE" not in weights(both)
    one = decided(desk(positions={"PEPE": 4.95e5}), strong)
    assert sum(t.weight for t in one.targets) == pytest.approx(0.005, abs=1e-6)


def test_a_thin_market_bounds_its_coin_by_a_share_of_its_volume() -> None:
    thin = desk(markets={"BTC": replace(MARKET, adv_usd=1e6)})
    found = decided(thin, [view("BTC", score=1.0)])
    assert found.targets[0].weight == pytest.approx(0.01 * 1e6 / 1e6)
    assert found.allocation is not None
    assert [b.name for b in found.allocation.bindings] == ["adv:BTC"]
    assert found.capacity_risk == pytest.approx(1.0)


def test_nothing_held_and_nothing_said_is_an_empty_decision() -> None:
    found = decided(desk(), [])
    assert (found.targets, found.allocation, found.trades, found.confidence) == ((), None, False, 0.5)


def test_a_braid_on_the_turnover_penalty_makes_moves_smaller() -> None:
    views = [view("BTC", score=0.25), view("ETH", -1, score=0.25)]
    plain = decided(desk(), views)
    dear = decided(desk(policy=desk().policy.with_knobs({"policy:turnover_penalty": 2.0})), views)
    assert plain.allocation is not None
    assert dear.allocation is not None
    assert 0.0 < dear.allocation.turnover < plain.allocation.turnover
    assert [t.mu_bps for t in dear.targets] == [t.mu_bps for t in plain.targets]


def test_the_account_may_turn_over_less_than_the_policy() -> None:
    narrow = desk(authority=AccountMandate("acct", ("paper:limit",), 1.0, 0.05), turnover_used=0.02)
    found = decided(narrow, [view("BTC", score=1.0)])
    assert found.allocation is not None
    assert found.allocation.turnover == pytest.approx(0.03, abs=1e-6)
    assert found.allocation.bindings[0].name == "turnover"


def test_a_one_sided_market_may_be_a_quarter_more_one_sided() -> None:
    wide = desk().policy
    caps = replace(wide.caps, net=0.01, factor=10.0)
    state = desk(policy=replace(wide, caps=caps))
    views = [view(coin, score=1.0) for coin in COINS]
    extreme = [replace(cue(c, None, None, 1.0), coin=c) for c in COINS]
    nets = [abs(sum(weights(decided(state, views, cues)).values())) for cues in ([], extreme)]
    assert nets == pytest.approx([0.01, 0.0125], abs=1e-6)
    braked = decided(replace(state, drawdown_sigmas=3.5), views, extreme)
    assert abs(sum(weights(braked).values())) == pytest.approx(0.01, abs=1e-6)


def test_the_brake_that_held_is_told_for_the_next_decision() -> None:
    beyond = decided(desk(drawdown_sigmas=3.5), [view("BTC")])
    assert beyond.budgets.ratchet
    assert decided(desk(drawdown_sigmas=2.0, ratchet=beyond.budgets.ratchet), [view("BTC")]).budgets.ratchet
    assert not decided(desk(drawdown_sigmas=2.0), [view("BTC")]).budgets.ratchet


@settings(max_examples=examples(25), deadline=None)
@given(POSITIONS, VIEWS, CUES)
def test_the_specification_decides_alike(
    positions: dict[str, float], views: list[AlphaInput], cues: list[CueInput]
) -> None:
    state = desk(positions=positions)
    fast, slow = decided(state, views, cues), decide(state, views, cues, (), SPECIFICATION.solve)
    assert weights(slow) == pytest.approx(weights(fast), abs=1e-5)
    assert [r.step for r in (slow.allocation.relaxations if slow.allocation else ())] == [
        r.step for r in (fast.allocation.relaxations if fast.allocation else ())
    ]


def test_a_decision_lives_as_long_as_the_views_it_rests_on() -> None:
    long, short = view("BTC"), view("ETH", horizon_s=300)
    silent = view("SOL", horizon_s=300, source="det:new@1", age_s=200)
    assert decided(desk(), [long]).valid_until_ms == long.valid_until_ms
    assert decided(desk(), [long, silent]).valid_until_ms == long.valid_until_ms
    assert decided(desk(), [long, short]).valid_until_ms == short.valid_until_ms
    assert decided(desk(positions={"SOL": 5e5}), []).valid_until_ms == NOW_MS + 3_600_000


def test_a_relaxed_turnover_is_within_the_authority_of_its_ticket() -> None:
    found = decided(desk(positions={"BTC": 9e5}, turnover_used=4.0), [])
    assert found.allocation is not None
    assert found.allocation.status == "relaxed"
    budget = ticket_of(found)["authority"]["budget"]
    assert budget["turnover"] >= sum(abs(t.weight - t.held) for t in found.targets) > 0.5
