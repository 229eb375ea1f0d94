"""`python -m benchmarks.breeding.gate_years`: how often the gate shows what adds nothing, how soon what adds something.

A year without an edge has 40 entrants, all in shadow for 120 days from the first on; it is false when any is shown.
`normal`, `heavy` (t with 3 degrees) and `waves` (noise whose size changes slowly, shared by all) are as likely up as
down; `carry-N` earns a little each day and loses it all about once in N days, `luck-N` the other way round: both add
nothing, and the gate does not promise to see it. The variance is that of 20 days before, drawn alike.
"""

import argparse
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from benchmarks.lessons.claims import interval
from lotus.coprocessor.gate import ENTRANTS_A_YEAR, LEAST_DAYS, MOST_DAYS, RATES, SETTLE_AT

Floats = NDArray[np.float64]
SPAN = 20
NULLS = ("normal", "heavy", "waves", "carry-60", "carry-30", "luck-30")
EDGES = (0.5, 0.7, 1.0, 2.0)  # daily signal to noise


def shown_on(days: Floats) -> NDArray[np.int64]:
    """Return the forward day (from 1 on) on which each row f8[n, 20 + forward] of daily sums is shown, 0 for never."""
    y = days[:, SPAN:] / np.sqrt(np.mean(days[:, :SPAN] ** 2, axis=1))[:, None]
    e = np.zeros(y.shape)
    for rate in RATES:
        e += np.exp(np.minimum(np.cumsum(rate * y - 0.5 * rate * rate * y * y, axis=1), 700.0)) / len(RATES)
    reached = np.maximum.accumulate(e, axis=1) >= SETTLE_AT
    reached[:, : LEAST_DAYS - 1] = False
    return np.where(reached.any(axis=1), reached.argmax(axis=1) + 1, 0)


def null_days(kind: str, rng: np.random.Generator, n: int, days: int) -> Floats:
    """Return daily sums of n candidates that add nothing, f8[n, days]."""
    if kind == "normal":
        return rng.standard_normal((n, days))
    if kind == "heavy":
        return rng.standard_t(3, (n, days))
    if kind == "waves":
        size = np.exp(np.cumsum(rng.standard_normal(days) * 0.15))
        return rng.standard_normal((n, days)) * size
    name, every = kind.split("-")
    rare, sign = rng.random((n, days)) < 1.0 / int(every), 1.0 if name == "carry" else -1.0
    return sign * np.where(rare, 1.0 - int(every), 1.0) * 0.5 + rng.standard_normal((n, days))


def false_years(kind: str, years: int, seed: int) -> int:
    """Return in how many years something is shown."""
    rng = np.random.default_rng([seed, NULLS.index(kind)])
    return sum(bool(shown_on(null_days(kind, rng, ENTRANTS_A_YEAR, SPAN + MOST_DAYS)).any()) for _ in range(years))


def lines(years: int, hostile: int, lives: int, seed: int) -> Iterator[str]:
    """Yield what the study says, a line a world."""
    for kind in NULLS:
        many = years if "-" not in kind else hostile
        found = false_years(kind, many, seed)
        low, high = interval(found, many)
        share = f"{100 * found / many:.2f} %, {100 * low:.2f} to {100 * high:.2f}"
        yield f"{kind}: {found} of {many} years have a false one ({share})"
    for edge in EDGES:
        days = np.random.default_rng([seed, 99]).standard_normal((lives, SPAN + 400)) + edge
        on = shown_on(days)
        on = np.where(on == 0, 400, on)
        within = " and ".join(f"{100 * float(np.mean(on <= d)):.1f} % within {d}" for d in (60, MOST_DAYS))
        yield f"edge {edge:g}: shown after {np.median(on):.0f} days (median); {within}"


def main() -> None:
    """Print the study."""
    reader = argparse.ArgumentParser()
    reader.add_argument("--years", type=int, default=20_000)
    reader.add_argument("--hostile", type=int, default=400, help="years of worlds with days not as likely up as down")
    reader.add_argument("--lives", type=int, default=4_000)
    reader.add_argument("--seed", type=int, default=1)
    asked = reader.parse_args()
    for line in lines(asked.years, asked.hostile, asked.lives, asked.seed):
        print(line, flush=True)


if __name__ == "__main__":
    main()
