"""What terms of a plan would have gained in a source's windows: a take-profit, a cut, a better entry, no waiting.

Each window tells what a term at a level would have changed, from its move m and its largest moves with it (MFE) and
against it (MAE) while open, before costs and in bps:

    take_profit   (L - m) 1[MFE >= L]                       exit_when   (max(MAE, -1.4 L) - m) 1[MAE <= -L]
    entry_when    (m + L) 1[MAE <= -L], mean of m or 0 less   urgency   m in the first wait - what a maker saves

A cut is executed beyond its level, so that a path that jumps gains nothing by it; nor does a better entry gain by what
is left alone. A path without drift gains nothing by any of them. A night takes the level that gained most before its
day and settles it on the day: evidence out of sample, by day. A term is in force from E >= 20 on, E = mean over lambda
of prod exp(lambda z - lambda^2 z^2 / 2), z the day's gain over the mean size of earlier ones, and until the same of its
losses reaches 20. (Literature: e-process, self-normalised; walk-forward evaluation; maximum favourable and adverse
excursion, Sweeney 1996.)
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

import numpy as np

from lotus.decision.knowledge.evidence import (
    KEY,
    Columns,
    Floats,
    has_direction,
    matched,
    only,
    sources_of,
    uniqueness,
)
from lotus.detectors.entry_style import wait_ms
from lotus.outcomes.signal_eval import OK

LEVELS_BPS: Final = tuple(2.0 ** (k / 2) for k in range(4, 17))  # 4 to 256
BEYOND: Final = 1.4  # of its level: where a cut is executed at worst
LAMBDAS: Final = (0.1, 0.2, 0.4, 0.8)
ENOUGH: Final = 20.0
SCALE_DAYS: Final = 5  # that tell how large a day's gain is, and nothing else
LEAST_WEIGHT: Final = 50.0  # of windows behind a level before it is tried
LEAST_DAY: Final = 3.0  # of windows behind a day's gain
KEPT: Final = 0.5 ** (1 / 30)  # of what was fitted stays a day later
SAVED_BPS: Final = 3.0  # a maker's fee and half a spread against a taker's, at the base tier


class Term(StrEnum):
    """A term of a plan; the value is its key in a ticket."""

    TAKE_PROFIT = "take_profit"
    CUT = "exit_when"
    BETTER_ENTRY = "entry_when"
    URGENCY = "urgency"


@dataclass(frozen=True, slots=True)
class TermSums:
    """A day's weights of windows and weighted gains (bps) of one term, by level: f8 [13], of urgency [1]."""

    weights: tuple[float, ...]
    gains: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class TermAccount:
    """The account of one term of one source and horizon.

    `weights` and `gains` are what levels are fitted on, decayed. `days`, `total_bps` and `size_bps` (of magnitudes) are
    settled out of sample, `up` and `down` the logarithms of the products by lambda.
    """

    source: str
    horizon_s: int
    term: Term
    weights: tuple[float, ...]
    gains: tuple[float, ...]
    days: int = 0
    total_bps: float = 0.0
    size_bps: float = 0.0
    up: tuple[float, ...] = (0.0,) * len(LAMBDAS)
    down: tuple[float, ...] = (0.0,) * len(LAMBDAS)
    in_force: bool = False

    @property
    def level(self) -> int:
        """Number of the level that gained most so far; -1 without one that gained and has windows enough."""
        means = [g / w if w >= LEAST_WEIGHT else -math.inf for w, g in zip(self.weights, self.gains, strict=True)]
        best = max(range(len(means)), key=means.__getitem__)
        return best if means[best] > 0.0 else -1

    @property
    def evidence(self) -> float:
        """E of its gains since it was last out of force."""
        return _mean_exp(self.up)


@dataclass(frozen=True, slots=True)
class PlanTerm:
    """A term in force and its evidence: days out of sample, their mean gain in bps, E."""

    term: Term
    level_bps: float
    source: str
    horizon_s: int
    days: int
    gain_bps: float
    evidence: float


Key = tuple[str, int, Term]


def excursion_columns(horizons_s: Sequence[int]) -> tuple[str, ...]:
    """Return the columns of SIGNAL_EVAL that the sums are made of."""
    by_horizon = (f"{name}_{h}" for name in ("fwd_ret_bps", "mfe", "mae") for h in horizons_s)
    return (*KEY, "status", "horizon_s", *by_horizon)


def term_sums(events: Columns, evaluated: Columns, horizons_s: Sequence[int]) -> dict[Key, TermSums]:
    """Return a day's sums by source, horizon and term, from its rows of SIGNAL_EVAL and their SIGNAL_EVENTS."""
    spoken, whole = only(events, has_direction(events)), only(evaluated, evaluated["status"] == OK)
    chosen, rows = matched(spoken, whole)
    if not len(chosen):
        return {}
    own, done, weight = only(spoken, chosen), only(whole, rows), uniqueness(spoken)[chosen]
    sources, source = sources_of(own)
    side = np.where(own["s"].astype(np.float64) > 0.0, 1.0, -1.0)
    horizons, first = done["horizon_s"].astype(np.int64), min(horizons_s)
    sums: dict[Key, TermSums] = {}
    for number, name in enumerate(sources):
        for horizon in sorted(set(horizons[source == number].tolist()) & set(horizons_s)):
            picked = (source == number) & (horizons == horizon)
            move = side * done[f"fwd_ret_bps_{horizon}"].astype(np.float64)
            share = min(1.0, wait_ms(1000 * horizon) / (1000 * first))
            early = share * side * done[f"fwd_ret_bps_{first}"].astype(np.float64)
            mfe, mae = (done[f"{what}_{horizon}"].astype(np.float64) for what in ("mfe", "mae"))
            picked &= np.isfinite(move) & np.isfinite(early) & np.isfinite(mfe) & np.isfinite(mae)
            w = weight[picked]
            for term, gains in _gains(move[picked], mfe[picked], mae[picked], early[picked]):
                less = max(0.0, float(move[picked] @ w)) if term is Term.BETTER_ENTRY else 0.0
                sums[name, horizon, term] = TermSums((float(w.sum()),) * len(gains), tuple((gains @ w - less).tolist()))
    return sums


def _gains(move: Floats, mfe: Floats, mae: Floats, early: Floats) -> Iterator[tuple[Term, Floats]]:
    """Yield what each term would have changed in each window, f8 [levels, n]."""
    level = np.array(LEVELS_BPS)[:, None]
    yield Term.TAKE_PROFIT, np.where(mfe >= level, level - move, 0.0)
    yield Term.CUT, np.where(mae <= -level, np.maximum(mae, -BEYOND * level) - move, 0.0)
    yield Term.BETTER_ENTRY, np.where(mae <= -level, move + level, 0.0)
    yield Term.URGENCY, (early - SAVED_BPS)[None, :]


def settled(accounts: Sequence[TermAccount], sums: Mapping[Key, TermSums]) -> tuple[TermAccount, ...]:
    """Return the accounts after a day, by source, horizon and term; those of a source that was silent stay."""
    before = {(a.source, a.horizon_s, a.term): a for a in accounts}
    after = dict(before)
    for key, day in sums.items():
        account = before.get(key) or TermAccount(*key, (0.0,) * len(day.gains), (0.0,) * len(day.gains))
        after[key] = _fitted(_settled(account, day), day)
    return tuple(after[key] for key in sorted(after))


def in_force(accounts: Sequence[TermAccount]) -> tuple[PlanTerm, ...]:
    """Return the terms in force at their levels of now."""
    return tuple(
        PlanTerm(
            term=a.term,
            level_bps=0.0 if a.term is Term.URGENCY else LEVELS_BPS[a.level],
            source=a.source,
            horizon_s=a.horizon_s,
            days=a.days,
            gain_bps=a.total_bps / a.days,
            evidence=a.evidence,
        )
        for a in accounts
        if a.in_force and a.level >= 0
    )


def _settled(account: TermAccount, day: TermSums) -> TermAccount:
    """Return the account with the day's gain at the level that was best before it."""
    level = account.level
    if level < 0 or day.weights[level] < LEAST_DAY:
        return account
    gain = day.gains[level] / day.weights[level]
    up, down = account.up, account.down
    if account.days >= SCALE_DAYS and account.size_bps > 0.0:
        z = gain * account.days / account.size_bps
        up, down = _multiplied(up, z), _multiplied(down, -z)
    holds = account.in_force
    if not holds and _mean_exp(up) >= ENOUGH:
        holds, down = True, (0.0,) * len(LAMBDAS)
    elif holds and _mean_exp(down) >= ENOUGH:
        holds, up = False, (0.0,) * len(LAMBDAS)
    return replace(
        account,
        days=account.days + 1,
        total_bps=account.total_bps + gain,
        size_bps=account.size_bps + abs(gain),
        up=up,
        down=down,
        in_force=holds,
    )


def _fitted(account: TermAccount, day: TermSums) -> TermAccount:
    weights = tuple(KEPT * a + b for a, b in zip(account.weights, day.weights, strict=True))
    gains = tuple(KEPT * a + b for a, b in zip(account.gains, day.gains, strict=True))
    return replace(account, weights=weights, gains=gains)


def _multiplied(logs: tuple[float, ...], z: float) -> tuple[float, ...]:
    return tuple(log + lam * z - (lam * z) ** 2 / 2 for log, lam in zip(logs, LAMBDAS, strict=True))


def _mean_exp(logs: tuple[float, ...]) -> float:
    """Return the mean of the products; capped far beyond any threshold, so that it stays a number."""
    return sum(math.exp(min(log, 700.0)) for log in logs) / len(logs)
