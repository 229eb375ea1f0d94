"""Budgets and brakes: ranges, the ratchet's memory, haircuts, and what a cue may never touch."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lotus.decision.allocation.budgets import (
    Budgets,
    budgets,
    crowding_haircut,
    latest_cues,
    ratchet_holds,
    stressed_coins,
)
from lotus.decision.alphas import CueInput
from lotus.decision.policy.policy import shipped_policy

POLICY = shipped_policy()
SHARE = st.none() | st.floats(0, 1)


def cue(coin: str, kairos: float | None = None, entrain: float | None = None, asymmetry: float | None = None,
        end_ms: int = 0, source: str = "det:a@1") -> CueInput:  # fmt: skip
    """Cues of a coin."""
    return CueInput(source, coin, f"{coin}-{end_ms}-{source}", "t", end_ms, kairos, entrain, 0.1, 0.5, asymmetry)


def of(cues: list[CueInput], drawdown: float = 0.0, ratchet: bool = False, used: float = 0.0) -> Budgets:
    """Budgets over a day of the coins that have cues."""
    by_coin = latest_cues(cues, 1000, 1000)
    return budgets(
        by_coin, list(by_coin), POLICY, horizon_s=86_400, drawdown_sigmas=drawdown, ratchet=ratchet, turnover_used=used
    )


@given(
    st.lists(st.builds(cue, st.sampled_from("ABCD"), SHARE, SHARE, SHARE), max_size=6), st.floats(0, 6), st.booleans()
)
def test_every_multiplier_stays_in_its_range(cues: list[CueInput], drawdown: float, ratchet: bool) -> None:
    found = of(cues, drawdown, ratchet)
    for value in (found.timing, found.entrainment, found.asymmetry, found.applied):
        assert 0.75 <= value <= 1.75
    assert 0.75 <= found.net_mult <= 1.25
    assert found.risk_aversion >= 0.5 / POLICY.risk.kelly_fraction
    if found.ratchet:
        assert found.applied <= 1.0
        assert found.net_mult <= 1.0


def test_what_was_not_measured_multiplies_with_one() -> None:
    found = of([cue("A")])
    assert (found.timing, found.entrainment, found.asymmetry, found.applied, found.net_mult) == (1, 1, 1, 1, 1)
    assert found.used == ()
    assert found.missing == ("ms_kairos", "ms_entrain_r", "ms_asym_score", "ms_asym_market")


def test_cues_scale_risk_and_turnover_alike() -> None:
    calm, wild = of([cue("A", 0.5, 0.5, 0.25)]), of([cue("A", 1.0, 0.5, 0.25)], used=0.5)
    assert calm.applied == 1.0
    assert wild.applied == wild.timing == 1.25
    assert wild.risk_bps == pytest.approx(1.25 * calm.risk_bps)
    assert wild.turnover == pytest.approx(1.25 * POLICY.caps.turnover_day - 0.5)


def test_the_market_moves_the_net_cap_by_at_most_a_quarter_and_needs_three_coins() -> None:
    assert of([cue(c, asymmetry=1.0) for c in "AB"]).net_mult == 1.0
    assert of([cue(c, asymmetry=1.0) for c in "ABC"]).net_mult == 1.25
    assert of([cue(c, asymmetry=0.0) for c in "ABC"]).net_mult == 0.75


def test_the_ratchet_closes_beyond_three_and_opens_at_recovery() -> None:
    held, seen = False, []
    for drawdown in (0.0, 2.9, 3.0, 3.1, 2.0, 1.1, 1.0, 2.0):
        held = ratchet_holds(held, drawdown, POLICY.risk)
        seen.append(held)
    assert seen == [False, False, False, True, True, True, False, False]


def test_the_haircut_is_the_formula() -> None:
    assert crowding_haircut(0.0, POLICY.crowding) == 1.0
    assert crowding_haircut(0.05, POLICY.crowding) == pytest.approx(1 / (1 + 20.0 * 0.05))


def test_only_the_newest_window_of_a_coin_counts_and_none_of_the_future() -> None:
    found = latest_cues(
        [cue("A", end_ms=500), cue("A", end_ms=900), cue("A", end_ms=1100), cue("B", end_ms=10)], 1000, 600
    )
    assert {coin: [c.window_end_ms for c in mine] for coin, mine in found.items()} == {"A": [900]}


def fitted(coin: str, basis: float, end_ms: int, entrain: float = 0.5) -> CueInput:
    """Cues of a coin under fitted weights, with a basis of so many deviations."""
    made = cue(coin, 0.5, entrain, 1.0, end_ms)
    return replace(made, components=(("Z_B", basis), ("Z_D", 1.0)), is_fitted=True)


def test_out_of_step_a_fitted_asymmetry_scales_turnover_alone() -> None:
    plain, step, out = (
        of([one]) for one in (cue("A", 0.5, 0.2, 1.0), fitted("A", 1.0, 0, 0.3), fitted("A", 1.0, 0, 0.2))
    )
    assert plain.applied == plain.turned > plain.entrainment, "cues under the shipped weights scale both, as before"
    assert not plain.is_fitted
    assert step.applied == step.turned
    assert (out.asymmetry, out.applied) == (1.0, out.entrainment)
    assert out.turned == pytest.approx(1.75 * out.entrainment)
    assert out.turnover == pytest.approx(out.turned * POLICY.caps.turnover_day)
    assert out.is_fitted


@pytest.mark.parametrize(
    ("sizes", "is_stressed"),
    [
        ((3.9, 4.0), True),
        ((4.5, 3.0, 5.0), True),
        ((4.1, 4.0), False),
        ((4.0,), False),
        ((4.0, 4.0), False),
        ((3.0, 3.9), False),
    ],
)
def test_stress_is_a_basis_far_off_and_rising(sizes: tuple[float, ...], is_stressed: bool) -> None:
    cues = [fitted("A", size, 100 * k) for k, size in enumerate(sizes)]
    assert (stressed_coins(cues, 1000, 1000) == {"A"}) is is_stressed
    assert not stressed_coins([replace(one, is_fitted=False) for one in cues], 1000, 1000)
    assert not stressed_coins(cues, 5000, 1000), "old windows play no part"


def test_under_stress_the_asymmetry_multiplies_with_one_at_most() -> None:
    by_coin = latest_cues([fitted("A", 4.5, 0), fitted("B", 1.0, 0)], 1000, 1000)
    found = budgets(
        by_coin, ["A", "B"], POLICY, horizon_s=86_400, drawdown_sigmas=0.0, ratchet=False, turnover_used=0.0,
        stressed=["A", "C"],
    )  # fmt: skip
    assert found.asymmetry == pytest.approx((1.0 + 1.75) / 2)
    assert found.stressed == ("A",)
