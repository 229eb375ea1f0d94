"""A small desk for the tests of the whole step: markets, a covariance, a calibrated past."""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache

import numpy as np
from hypothesis import strategies as st
from past_outcomes import FIRST_DAY, known, past

from lotus.decision.allocation.covariance import Covariance
from lotus.decision.allocation.solver import FastSolver
from lotus.decision.alphas import AlphaInput, CueInput
from lotus.decision.book import CoinMarket
from lotus.decision.curators import Nudge
from lotus.decision.decide import AccountMandate, Decision, DecisionState, decide
from lotus.decision.knowledge.calibration import ScoreCalibration, calibrate
from lotus.decision.knowledge.feedback import DecisionMemory
from lotus.decision.policy.policy import shipped_policy
from lotus.timebase import day_start_ms, next_day

COINS = ("ARB", "BTC", "DOGE", "ETH", "SOL")
TODAY = next_day(FIRST_DAY, 30)
NOW_MS = day_start_ms(TODAY) + 3_600_000
SOURCES = ("det:flow@1", "det:basis@2", "human:ada")
MARKET = CoinMarket(spread_bps=1.0, adv_usd=5e8, open_interest_usd=2e8, max_leverage=20.0)


@cache
def fitted() -> ScoreCalibration:
    """Three sources: one strong, one weak, a person who was right so far."""
    edges = (lambda x: 60.0 * x, lambda x: 15.0 * x, lambda x: 40.0 * x)
    rows = [
        outcome
        for source, edge in zip(SOURCES, edges, strict=True)
        for horizon in (300, 3600)
        for outcome in past(source, 30, 40, edge, noise=40.0, horizon_s=horizon)
    ]
    return calibrate(known(rows), TODAY, shipped_policy().calibration)


@cache
def risk_model() -> Covariance:
    """One market and parts of their own, per minute."""
    betas = np.array([1.3, 1.0, 1.5, 1.1, 1.2])
    matrix = np.outer(betas, betas) * 4.0**2 + np.diag([9.0, 1.0, 16.0, 2.0, 6.0])
    return Covariance(COINS, matrix, 60.0, NOW_MS - 60_000, 0.05, 1000)


def desk(**members: object) -> DecisionState:
    """A flat desk of one million, members replaced."""
    made = DecisionState(
        branch="main", portfolio_id="desk", asof_ms=NOW_MS, equity_usd=1e6, positions={},
        markets=dict.fromkeys(COINS, MARKET), covariance=risk_model(), calibration=fitted(), memory=DecisionMemory(),
        policy=shipped_policy(), authority=AccountMandate("acct", ("paper:limit", "paper:market"), 1.0, 4.0),
        priors_ver="0" * 32,
    )  # fmt: skip
    return replace(made, **members)  # type: ignore[arg-type]


def view(
    coin: str, sign: int = 1, score: float = 0.9, *, source: str = SOURCES[0], horizon_s: int = 3600, age_s: int = 1,
    event: str = "",
) -> AlphaInput:  # fmt: skip
    """A live view."""
    end = NOW_MS - 1000 * age_s
    name = event or f"{source}-{coin}-{horizon_s}-{age_s}"
    return AlphaInput(source, coin, horizon_s, sign, score, name, f"life-{coin}", end, end + 1000 * horizon_s, "all")


def turned(views: Sequence[AlphaInput]) -> list[AlphaInput]:
    """The same views the other way round."""
    return [replace(v, sign=-v.sign) for v in views]


FAST = FastSolver()
VIEWS = st.lists(
    st.builds(
        view, st.sampled_from(COINS), st.sampled_from([-1, 1]), st.floats(0, 1), source=st.sampled_from(SOURCES),
        horizon_s=st.sampled_from([300, 3600]), age_s=st.integers(0, 600),
    ),
    max_size=10, unique_by=lambda v: v.event_id,
)  # fmt: skip
POSITIONS = st.dictionaries(st.sampled_from(COINS), st.floats(-3e5, 3e5).map(lambda x: round(x, 2)))
CUE = st.none() | st.floats(0, 1)


def cue(coin: str, kairos: float | None, entrain: float | None, asymmetry: float | None) -> CueInput:
    """Cues of the window that just ended."""
    return CueInput("det:flow@1", coin, f"c-{coin}", "t", NOW_MS - 1000, kairos, entrain, 0.1, 0.4, asymmetry)


CUES = st.lists(st.builds(cue, st.sampled_from(COINS), CUE, CUE, CUE), max_size=5, unique_by=lambda c: c.coin)


def decided(
    state: DecisionState, views: list[AlphaInput], cues: list[CueInput] | None = None, *wishes: Nudge
) -> Decision:
    """A decision of the fast solver."""
    return decide(state, views, cues or [], wishes, FAST.solve)
