"""How much may be moved: cues scale the budgets of risk and turnover, never an expectation; brakes hold them.

Each cue x in [0, 1] becomes a multiplier by a line through (0, low), (neutral, 1), (1, high); one not measured is 1.
b_K from kairos, b_r from entrainment and m_asym from the asymmetry are means over the coins with a live view, each in
[0.75, 1.75]; their product is kept there too, and at most 1 while the drawdown ratchet holds. The market's asymmetry,
the mean score over coins, moves the net cap by at most a quarter, in size only: cues have no side.

Where the weights of the asymmetry were fitted, two more rules hold. While detectors are out of step (entrainment below
0.3) a coin's m_asym scales turnover alone. A coin under stress, whose basis is 4 deviations off and rising, has m_asym
of at most 1, and its caps are halved (`curators`).

Ratchet: it closes when the drawdown exceeds `drawdown_sigmas` and opens when it is back at `recover_sigmas`. Crowding:
haircut 1 / (1 + c share^p) of a coin's own caps. A coin's share of risk: |w_i| sigma_i <= share * R, R the risk budget
(by Cauchy and Schwarz no coin's Euler contribution is then more than that share of R). Kelly: lambda >= 1 / (2 f). In
the literature: volatility targeting, fractional Kelly (Thorp 2006), risk contributions (Maillard, Roncalli and
Teiletche 2010).
"""

import math
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Final

from lotus.decision.alphas import CueInput
from lotus.decision.policy.policy import BudgetRule, Crowding, Policy, Risk
from lotus.timebase import DAY_MS

OUT_OF_STEP: Final = 0.3  # entrainment below which an asymmetry scales turnover alone
STRESS: Final = 4.0  # deviations
BASIS: Final = "Z_B"


@dataclass(frozen=True, slots=True)
class Budgets:
    """Multipliers and what they leave: `risk_bps` over the horizon, turnover left of the day, net cap, lambda.

    `timing` b_K, `entrainment` b_r and `asymmetry` m_asym are the cues' own; `applied` is what holds after all limits.
    `turned` is the same of turnover, `stressed` the coins under stress, `is_fitted` whether any weights were fitted.
    `net_mult` scales the net cap. `missing` names cues that nobody measured, `used` those that counted.
    """

    timing: float
    entrainment: float
    asymmetry: float
    applied: float
    net_mult: float
    ratchet: bool
    risk_bps: float
    turnover: float
    risk_aversion: float
    used: tuple[str, ...]
    missing: tuple[str, ...]
    turned: float
    stressed: tuple[str, ...] = ()
    is_fitted: bool = False


def multiplier(cue: float | None, low: float, neutral: float, high: float) -> float:
    """Return the multiplier of a cue: `low` at 0, 1 at `neutral`, `high` at 1, 1 when it is missing.

    >>> [multiplier(x, 0.75, 0.5, 1.25) for x in (None, 0.0, 0.25, 0.5, 1.0)]
    [1.0, 0.75, 0.875, 1.0, 1.25]
    """
    if cue is None:
        return 1.0
    x = min(max(cue, 0.0), 1.0)
    if x < neutral:
        return low + (1.0 - low) * x / neutral
    return 1.0 + (high - 1.0) * (x - neutral) / (1.0 - neutral)


def ratchet_holds(held: bool, drawdown_sigmas: float, risk: Risk) -> bool:
    """Return whether the ratchet holds after a drawdown (in deviations, 0 at the peak) was measured."""
    return drawdown_sigmas > risk.recover_sigmas if held else drawdown_sigmas > risk.drawdown_sigmas


def crowding_haircut(share: float, rule: Crowding) -> float:
    """Return 1 / (1 + c share^p), share = our position over the open interest of the coin."""
    return 1.0 / (1.0 + rule.c * math.pow(max(share, 0.0), rule.power))


def latest_cues(cues: Iterable[CueInput], now_ms: int, max_age_ms: int) -> dict[str, tuple[CueInput, ...]]:
    """Return by coin the cues of its newest window that is not older than `max_age_ms`, in natural order."""
    latest: dict[str, list[CueInput]] = {}
    for cue in sorted(cues, key=lambda c: (c.coin, -c.window_end_ms, c.source, c.event_id)):
        if now_ms - max_age_ms <= cue.window_end_ms <= now_ms:
            cues_of_coin = latest.setdefault(cue.coin, [])
            if not cues_of_coin or cues_of_coin[0].window_end_ms == cue.window_end_ms:
                cues_of_coin.append(cue)
    return {coin: tuple(cues_of_coin) for coin, cues_of_coin in latest.items()}


def budgets(
    cues: dict[str, tuple[CueInput, ...]], live: Collection[str], policy: Policy, *,
    horizon_s: int, drawdown_sigmas: float, ratchet: bool, turnover_used: float, stressed: Collection[str] = (),
) -> Budgets:  # fmt: skip
    """Return the budgets of one decision over a horizon.

    `cues` by coin (`latest_cues`), `live` the coins with a live view, `turnover_used` of the day so far, in weights,
    `stressed` as `stressed_coins`.
    """
    rule, risk = policy.budgets, policy.risk
    live_cues = [cue for coin in sorted(live) for cue in cues.get(coin, ())]
    timing, b_k = _mean(multiplier(c.kairos, *_kairos(rule)) for c in live_cues if c.kairos is not None)
    entrain, b_r = _mean(multiplier(c.entrain, *_entrain(rule)) for c in live_cues if c.entrain is not None)
    one_sided = [(cue, _asymmetry(cue, stressed, rule)) for cue in live_cues if cue.asymmetry is not None]
    asym, m_asym = _mean(1.0 if _is_out_of_step(cue) else size for cue, size in one_sided)
    _, m_turnover = _mean(size for _, size in one_sided)
    holds = ratchet_holds(ratchet, drawdown_sigmas, risk)
    applied, turned = (min(max(b_k * b_r * m, rule.low), 1.0 if holds else rule.high) for m in (m_asym, m_turnover))
    net_mult, market = _net(cues, rule)
    measured = {"ms_kairos": timing, "ms_entrain_r": entrain, "ms_asym_score": asym, "ms_asym_market": market}
    return Budgets(
        timing=b_k,
        entrainment=b_r,
        asymmetry=m_asym,
        applied=applied,
        net_mult=min(net_mult, 1.0) if holds else net_mult,
        ratchet=holds,
        risk_bps=risk.budget_bps_day * applied * math.sqrt(horizon_s * 1000 / DAY_MS),
        turnover=max(policy.caps.turnover_day * turned - turnover_used, 0.0),
        risk_aversion=max(policy.soft.risk_aversion / applied, 0.5 / risk.kelly_fraction),
        used=tuple(name for name, is_measured in measured.items() if is_measured),
        missing=tuple(name for name, is_measured in measured.items() if not is_measured),
        turned=turned,
        stressed=tuple(coin for coin in sorted(live) if coin in stressed),
        is_fitted=any(cue.is_fitted for cue in live_cues),
    )


def stressed_coins(cues: Iterable[CueInput], now_ms: int, max_age_ms: int) -> frozenset[str]:
    """Return the coins whose basis is 4 deviations off and rising by fitted cues: in the newest window above the last.

    Windows older than `max_age_ms` play no part; a coin with one window only is not under stress.
    """
    sizes: dict[str, dict[int, list[float]]] = {}
    for cue in cues:
        basis = dict(cue.components).get(BASIS)
        if cue.is_fitted and basis is not None and now_ms - max_age_ms <= cue.window_end_ms <= now_ms:
            sizes.setdefault(cue.coin, {}).setdefault(cue.window_end_ms, []).append(basis)
    out = set()
    for coin, by_window in sizes.items():
        *before, newest = (max(by_window[end]) for end in sorted(by_window))
        if before and newest >= STRESS and newest > before[-1]:
            out.add(coin)
    return frozenset(out)


def _asymmetry(cue: CueInput, stressed: Collection[str], rule: BudgetRule) -> float:
    size = multiplier(cue.asymmetry, *_asym(rule))
    return min(size, 1.0) if cue.coin in stressed else size


def _is_out_of_step(cue: CueInput) -> bool:
    return cue.is_fitted and cue.entrain is not None and cue.entrain < OUT_OF_STEP


def _mean(values: Iterable[float]) -> tuple[bool, float]:
    """Return whether there is any, and the mean; 1 without."""
    ordered = sorted(values)
    return bool(ordered), math.fsum(ordered) / len(ordered) if ordered else 1.0


def _net(cues: dict[str, tuple[CueInput, ...]], rule: BudgetRule) -> tuple[float, bool]:
    """Return the multiplier of the net cap from the market's mean asymmetry, and whether enough coins measured it."""
    scores = [_mean(c.asymmetry for c in of_coin if c.asymmetry is not None) for of_coin in cues.values()]
    measured = sorted(score for is_measured, score in scores if is_measured)
    if len(measured) < rule.net_assets:
        return 1.0, False
    score = math.fsum(measured) / len(measured)
    return multiplier(score, 1.0 - rule.net_tilt, rule.asym_neutral, 1.0 + rule.net_tilt), True


def _kairos(rule: BudgetRule) -> tuple[float, float, float]:
    return rule.kairos_low, rule.kairos_neutral, rule.kairos_high


def _entrain(rule: BudgetRule) -> tuple[float, float, float]:
    return rule.entrain_low, rule.entrain_neutral, rule.entrain_high


def _asym(rule: BudgetRule) -> tuple[float, float, float]:
    return rule.asym_low, rule.asym_neutral, rule.asym_high
