"""Hundreds of strategies on pure noise: the best one looks great, and the learner promotes none.

`python -m benchmarks.lessons.noise [--strategies 300] [--seed 7] [--json]`. A detector with no edge at all: every
window pays a return that nothing known beforehand predicts, less one basis point of slippage that averages out. Each
strategy trades the published windows of one random condition of the vocabulary, for or against. Its Sharpe ratio, its
hit rate and its t are what a backtest shows. Then the product's own night looks at the same windows, and at all rules.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np

from benchmarks.lessons.worlds import ONE_LOOK, manifest_of
from lotus.learning.axes import axes
from lotus.learning.night import learn_night
from lotus.learning.rows import rows_by_detector
from lotus.priors.types import Rule
from lotus.priors.vocabulary import describe_rule
from lotus.simulation.learning_world import market, scores_of, stream, track

MIN_TRADES = 200
DAYS_A_YEAR = 365


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demonstration prints."""

    days: int
    strategies: int
    best: str
    side: str
    trades: int
    mean_bps: float
    hit_rate: float
    sharpe_a_year: float
    t: float
    p_value: float
    t_by_day: float
    significant: int
    significant_by_day: int
    rules_searched: int
    best_evidence_nats: float
    needed_nats: float
    promoted: int


def demonstration(strategies: int, seed: int, days: int = 40) -> Shown:
    """Return the best of many strategies on noise, beside what the night makes of the same windows."""
    from scipy.stats import norm

    place = market(seed, days, day_sd_bps=0.0)
    one = track(place, "null")
    edge = one.mean.copy()
    one.mean[:] = 0.0
    for payoff in (one.modelled, one.executed):
        payoff -= edge
    scores = scores_of(place, one)
    rows = rows_by_detector(scores, days)["d0"]
    space, rng = axes(), stream(seed, "strategies")
    found: list[tuple[float, float, float, Rule, float, float, float, int]] = []
    while len(found) < strategies:
        rule = space.rule(int(rng.integers(space.n_rules)))
        taken = rows.covered(rule) & rows.published
        if taken.sum() < MIN_TRADES:
            continue
        y, side = rows.payoff_y[taken], 1.0 if rng.random() < 0.5 else -1.0
        daily = np.bincount(rows.day[taken], weights=side * y, minlength=days)
        t = side * float(y.mean() / (y.std(ddof=1) / np.sqrt(len(y))))
        by_day = float(daily.mean() / daily.std(ddof=1)) * np.sqrt(days)
        hits = float((side * y > 0).mean())
        found.append((by_day, t, norm.sf(t), rule, side, side * float(y.mean()), hits, int(taken.sum())))
    by_day, t, p_value, rule, side, mean, hits, trades = max(found, key=lambda x: x[0])
    result = learn_night(scores, manifest_of(ONE_LOOK))
    return Shown(
        days, strategies, describe_rule(rule), "with the signal" if side > 0 else "against it", trades, mean, hits,
        by_day * float(np.sqrt(DAYS_A_YEAR / days)), t, float(p_value), by_day, sum(x[1] > 1.645 for x in found),
        sum(x[0] > 1.645 for x in found), result.trials,
        result.real_maximum.day, result.critical.day, len(result.lessons),
    )  # fmt: skip


def words(shown: Shown) -> str:
    """Return the demonstration as a person reads it."""
    s = shown
    return "\n".join(
        (
            f"{s.strategies} strategies on {s.days} days of pure noise.",
            f"The best: {s.best}, {s.side}: {s.trades} trades, {s.mean_bps:+.2f} bps a trade, {s.hit_rate:.1%} hits,",
            f"  Sharpe ratio {s.sharpe_a_year:.1f} a year, t = {s.t:.1f}, p = {s.p_value:.1g}.",
            f"{s.significant} of {s.strategies} strategies are significant at 5 % by the usual test on trades.",
            f"{s.significant_by_day} are by a test on days, where the best has t = {s.t_by_day:.1f}.",
            f"The night looked at {s.rules_searched:,} rules. Best evidence {s.best_evidence_nats:.2f} nats, needed "
            f"{s.needed_nats:.2f}. Lessons promoted: {s.promoted}.",
        )
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the demonstration."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--strategies", type=int, default=300)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    shown = demonstration(options.strategies, options.seed)
    print(json.dumps(asdict(shown), indent=1) if options.json else words(shown))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
