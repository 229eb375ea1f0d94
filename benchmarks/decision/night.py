"""What a night of the decision-maker costs: a day's windows to sums, and months of sums to what is known.

`python -m benchmarks.decision.night [--detectors 10] [--windows 200000] [--days 90] [--json]`. Windows are simulated
without an edge: only their number matters. The reference, measured in the same run, is summing one day of windows: a
night that read its history again would pay it once for each of its days. Seconds are those of the processor.
"""

import argparse
import json
import time
from collections.abc import Callable
from typing import TypeVar

import numpy as np

from lotus.decision.knowledge.calibration import ScoreCalibration
from lotus.decision.knowledge.evidence import KEY, Table
from lotus.decision.knowledge.nightly import DaySums, Mids, evidence_of, learn
from lotus.decision.policy.policy import shipped_policy
from lotus.timebase import DAY_MS, day_start_ms, next_day

FIRST = "2025-01-01"
HORIZONS = (30, 300, 3600)
COINS = ("BTC", "ETH", "SOL", "DOGE", "ARB")
T = TypeVar("T")


def windows(day: str, detectors: int, each: int, seed: int) -> tuple[Table, Table]:
    """Return SIGNAL_EVENTS and SIGNAL_EVAL of a day of `detectors` detectors with `each` windows."""
    rng, n = np.random.default_rng(seed), detectors * each
    step = max(DAY_MS * len(COINS) // each, 1)
    horizon = np.array(HORIZONS, dtype=np.int32)[np.arange(n) % detectors % len(HORIZONS)]
    events: Table = {
        "detector_id": np.array([f"detector_{k}" for k in range(detectors)], dtype=object)[np.arange(n) % detectors],
        "asset": np.array(COINS, dtype=object)[np.arange(n) // detectors % len(COINS)],
        "spec_version": np.ones(n, np.int32),
        "horizon_s": horizon,
        "window_end_ms": day_start_ms(day) + step * (np.arange(n) // (detectors * len(COINS))),
        "s": rng.uniform(-1.0, 1.0, n),
        "ln_sigma_tilde": np.log(rng.uniform(0.1, 1.0, n)),
        "eligible": np.ones(n, np.bool_),
        "b_vol": rng.integers(0, 5, n).astype(np.uint8),
    }
    evaluated: Table = {name: events[name] for name in (*KEY, "horizon_s")}
    evaluated["status"] = np.array(["ok"], dtype=object).repeat(n)
    evaluated |= {f"fwd_ret_bps_{h}": rng.normal(size=n) * np.sqrt(h) for h in HORIZONS}
    return events, evaluated


def timed(work: Callable[[], T]) -> tuple[T, float]:
    """Return what some work gives and the processor's seconds it took."""
    began = time.process_time()
    return work(), time.process_time() - began


def measure(detectors: int, each: int, days: int) -> dict[str, float]:
    """Return the seconds of one day's sums and of a night over `days` of them, and how much cheaper that is."""
    policy, day = shipped_policy(), next_day(FIRST, days - 1)
    ends = day_start_ms(day) + np.arange(200, DAY_MS + 1, 200, dtype=np.int64)
    mids: Mids = {coin: (ends, np.full(len(ends), 1e5)) for coin in COINS}
    fitted: dict[str, ScoreCalibration] = {}
    events, evaluated = windows(day, detectors, each, 1)
    first, _ = timed(lambda: evidence_of(day, events, evaluated, HORIZONS, fitted, mids, {}))
    fitted[day] = learn(day, {day: first}, (), policy).calibration
    whole, summing = timed(lambda: evidence_of(day, events, evaluated, HORIZONS, fitted, mids, {}))
    past: dict[str, DaySums] = {next_day(FIRST, k): whole for k in range(days)}
    _, learning = timed(lambda: learn(day, past, (), policy))
    rows = sum(len(t["n"]) for t in (whole.outcomes, whole.promises, whole.likeness))
    return {
        "windows_a_day": float(detectors * each), "days": float(days), "rows_kept_a_day": float(rows),
        "sums_of_a_day_s": summing, "night_s": learning, "days_read_again_s": summing * days,
        "times_cheaper": summing * days / (summing + learning),
    }  # fmt: skip


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--detectors", type=int, default=10)
    parser.add_argument("--windows", type=int, default=200_000)
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--json", action="store_true", help="one JSON object instead of lines")
    given = parser.parse_args()
    found = measure(given.detectors, given.windows, given.days)
    if given.json:
        print(json.dumps(found))
        return
    size = f"{found['windows_a_day']:,.0f} windows a day, {found['rows_kept_a_day']:,.0f} rows kept of each"
    print(f"{size}, {given.days} days")
    print(f"sums of a day {found['sums_of_a_day_s']:.2f} s, night over their history {found['night_s']:.2f} s")
    again, times = found["days_read_again_s"], found["times_cheaper"]
    print(f"reading the history again would be {again:.0f} s: {times:.0f} times more")


if __name__ == "__main__":
    main()
