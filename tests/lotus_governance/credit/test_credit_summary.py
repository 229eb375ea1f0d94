"""The week summed up: totals over coins and detectors, and who is shown to be worth a vote."""

import numpy as np
import pytest

from lotus.governance.credit.credit_summary import credits_of, keepers
from lotus.governance.credit.expert_credit import EXPERT_CREDIT, daily, joined

DAYS = [f"2026-01-{d:02d}" for d in range(1, 29)]


def rows_of(lines):
    columns = list(zip(*sorted(lines), strict=True))
    return {
        n: np.array(v, dtype=EXPERT_CREDIT.numpy_dtype(n)) for n, v in zip(EXPERT_CREDIT.names, columns, strict=True)
    }


def line(day, detector, asset, expert, value, votes=True, windows=10):
    shapley = (value, 0.1) if votes else (np.nan, np.nan)
    return (day, detector, asset, expert, 1, 0.25, votes, 1.0, windows, 0.01, value, *shapley)


def test_values_are_of_the_day_and_add_up() -> None:
    rows = rows_of([line(d, "m", a, "e", 1.0) for d in DAYS[:7] for a in ("BTC", "ETH")])
    by_key = {(c.detector_id, c.asset): c for c in credits_of(rows, DAYS[:7])}
    assert by_key["m", "BTC"].delta_value == 4.0
    assert by_key["m", ""].delta_value == by_key["", ""].delta_value == by_key["", ""].shapley == 8.0
    assert by_key["", ""].windows == 140
    assert daily(rows, DAYS[:7], ("expert_id",))[("e",)].tolist() == [8.0] * 7


def test_below_five_days_there_is_no_interval() -> None:
    (one, *_) = credits_of(rows_of([line(d, "m", "BTC", "e", 1.0) for d in DAYS[:4]]), DAYS[:4])
    assert (one.low, one.pooled) == (None, None)
    assert keepers(rows_of([line(DAYS[0], "m", "BTC", "e", 1.0)]), DAYS[:4]) == frozenset()


def test_who_is_shown_in_two_detectors_keeps_the_vote() -> None:
    rng = np.random.default_rng(1)
    lines = []
    for d in DAYS:
        for detector in ("m1", "m2", "m3"):
            lines.append(line(d, detector, "BTC", "good", rng.normal(2.0, 1.0)))
            lines.append(line(d, detector, "BTC", "idle", rng.normal(0.0, 1.0)))
            lines.append(line(d, detector, "BTC", "once", rng.normal(2.0 if detector == "m1" else 0.0, 1.0)))
    assert keepers(rows_of(lines), DAYS) == {"good"}


@pytest.mark.parametrize("seed", range(3))
def test_among_worthless_experts_hardly_one_is_kept(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kept = 0
    for _ in range(60):
        lines = [line(d, m, "BTC", f"e{k}", rng.normal()) for d in DAYS for m in ("a", "b", "c") for k in range(5)]
        kept += len(keepers(rows_of(lines), DAYS))
    assert kept <= 1


def test_two_sets_of_one_day_are_added_up() -> None:
    first, second = (rows_of([line(DAYS[0], "m", "BTC", "e", v, windows=w)]) for v, w in ((1.0, 10), (2.0, 30)))
    whole = joined([first, second])
    assert (whole["value_bps"][0], whole["windows"][0], whole["shapley_bps"][0]) == (3.0, 40, 3.0)
    assert len(joined([])["day"]) == 0
