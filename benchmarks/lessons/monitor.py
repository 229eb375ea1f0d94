"""The monitor of active lessons on simulated lives: false reverts, and how long a dead lesson stays.

`python -m benchmarks.lessons.monitor --seeds 200 --json`. Blocks have t4 noise under day-wise volatility; daily SNR is
the true effect over the standard error of one day. `claim` lives have a true effect equal to the claim, `bound` lives
rho times it, `dead` lives lose theirs on `alive` days. Beside the e-process stand the rolling 20-day t test that is
looked at every day, and the e-process since activation. No lesson is searched here.
"""

import argparse
import json
import math
import time
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from lotus.learning.monitor import RATES, REVERT_AT, RHO, WARNING_T, Blocks, observe, watch

SNRS = (1.5, 3.0, 6.0)
BLOCKS = 4  # of six hours, a day
FALSE_DAYS = 210


def life(seed: int, snr: float, effect: float, alive: int, days: int) -> tuple[Blocks, float]:
    """Return the blocks of one life and its variance rate; claim 1 bps, the effect in its units until day `alive`."""
    rng = np.random.default_rng([20250106, seed, round(10 * snr)])
    n = days * BLOCKS
    weight = rng.uniform(15.0, 25.0, n)
    rate = 20.0 * BLOCKS / snr**2
    volatility = np.repeat(np.exp(0.3 * rng.normal(size=days) - 0.045), BLOCKS)
    noise = rng.standard_t(4, n) / math.sqrt(2.0) * volatility * np.sqrt(rate * weight)
    gain = np.where(np.arange(n) < BLOCKS * alive, effect, 0.0) * weight + noise
    return Blocks(tuple(f"{i // BLOCKS:06d}" for i in range(n)), gain, weight), rate


def reverted_on(blocks: Blocks, rate: float, budget_days: int) -> int | None:
    """Return the day (from 0) on which the monitor reverts, or None."""
    state = watch(1, 1.0, rate, budget_days)
    for i in range(0, len(blocks.day), BLOCKS):
        some = slice(i, i + BLOCKS)
        state = observe(state, Blocks(blocks.day[some], blocks.gain[some], blocks.weight[some]))
        if state.dead:
            return i // BLOCKS
    return None


def shortfalls(blocks: Blocks, rate: float) -> NDArray[np.float64]:
    """Return y of every block."""
    out: NDArray[np.float64] = (RHO * blocks.weight - blocks.gain) / np.sqrt(rate * blocks.weight)
    return out


def since_activation(blocks: Blocks, rate: float) -> int | None:
    """Return the day on which the e-process with one starting point, the activation, reaches 20."""
    y = shortfalls(blocks, rate)
    logs = np.array([np.cumsum(r * y - 0.5 * r * r * y * y) for r in RATES])
    crossed = np.flatnonzero(np.exp(np.minimum(logs, 600.0)).mean(axis=0) >= REVERT_AT)
    return int(crossed[0]) // BLOCKS if len(crossed) else None


def rolling_t(blocks: Blocks, rate: float) -> int | None:
    """Return the first day on which the t of the last 20 days exceeds 2, looked at every day from day 20 on."""
    y = shortfalls(blocks, rate)
    total, square = (np.cumsum(np.concatenate([[0.0], x]))[::BLOCKS] for x in (y, y * y))
    t = (total[20:] - total[:-20]) / np.sqrt(square[20:] - square[:-20])
    late = np.flatnonzero(t > WARNING_T)
    return int(late[0]) + 19 if len(late) else None


ARMS = ("delayed_e", "since_activation", "rolling_t")


def days_of(arm: str, blocks: Blocks, rate: float, budget_days: int) -> int | None:
    """Return the day on which an arm reverts."""
    if arm == "delayed_e":
        return reverted_on(blocks, rate, budget_days)
    return since_activation(blocks, rate) if arm == "since_activation" else rolling_t(blocks, rate)


def false_reverts(seeds: Sequence[int], snr: float, effect: float, budget_days: int) -> dict[str, float]:
    """Return the share of lives reverted within 210 days although the effect holds, by arm."""
    lives = [life(seed, snr, effect, FALSE_DAYS, FALSE_DAYS) for seed in seeds]
    return {arm: float(np.mean([days_of(arm, *one, budget_days) is not None for one in lives])) for arm in ARMS}


def delays(seeds: Sequence[int], snr: float, alive: int, budget_days: int) -> dict[str, dict[str, float]]:
    """Return median and 90 % quantile of the days from death to revert by arm, with early and missing ones."""
    horizon = alive + 190
    lives = [life(seed, snr, 1.0, alive, horizon) for seed in seeds]
    out = {}
    for arm in ARMS:
        found = [days_of(arm, *one, budget_days) for one in lives]
        kept = [math.inf if d is None else d + 1 - alive for d in found if d is None or d >= alive]
        early = sum(d is not None and d < alive for d in found)
        median, p90 = (float(np.quantile(kept, q, method="higher")) if kept else math.nan for q in (0.5, 0.9))
        out[arm] = {"median": median, "p90": p90, "early": early / len(lives)}
    return out


def report(seeds: Sequence[int], alive: int, budget_days: int) -> dict[str, object]:
    """Return every figure of the table."""
    started = time.process_time()
    table: dict[str, object] = {
        "seeds": len(seeds),
        "budget_days": budget_days,
        "false_210d_claim": {str(s): false_reverts(seeds, s, 1.0, budget_days) for s in SNRS},
        "false_210d_bound": {str(s): false_reverts(seeds, s, RHO, budget_days) for s in SNRS},
        "delay_days": {str(s): delays(seeds, s, alive, budget_days) for s in SNRS},
    }
    return {**table, "alive_days": alive, "cpu_s": round(time.process_time() - started, 2)}


def main() -> None:
    """Print the figures for the seeds asked."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="number of lives")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--alive", type=int, default=60, help="days before the death")
    parser.add_argument("--budget-days", type=int, default=60, help="W / 4; 60 = TTL with extension, 250 = section 5")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    told = report(range(given.first_seed, given.first_seed + given.seeds), given.alive, given.budget_days)
    print(json.dumps(told) if given.json else json.dumps(told, indent=2))


if __name__ == "__main__":
    main()
