"""Days go through the monitors one after the other: quiet, moved, interrupted, repeated."""

from collections.abc import Sequence

import numpy as np
import pytest

from lotus.monitoring.drift import drift_report
from lotus.monitoring.drift_table import DRIFT_REPORT, DriftReport, Verdict, report_of
from lotus.monitoring.e_detector import ALARM
from lotus.monitoring.sketch_table import (
    DATA,
    DAY_SKETCHES,
    LN_RV,
    DaySketches,
    SeriesName,
    columns_of,
    numbered,
    sketches_of,
    together,
)

from .sketched_days import ASSETS, SERIES, days_of

SPREAD = SeriesName(DATA, "ETH", "", "spread_bps")


def walk(
    days: Sequence[tuple[str, DaySketches]], reports: Sequence[DriftReport] = (), first: int = 0
) -> list[DriftReport]:
    """Report days from `first` on, each after the reports before it."""
    out = list(reports)
    for k in range(first, len(days)):
        out.append(drift_report(days[k][0], days[k][1], days[:k], out[-180:], seed=7))
    return out[len(reports) :]


def family_r(report: DriftReport, family: str = DATA) -> float:
    """The mean r of a family."""
    return next(r for name, r in zip(report.names, report.floats("family_r"), strict=True) if name.family == family)


def test_a_moved_series_is_told_and_named_and_the_others_begin_anew() -> None:
    days = days_of(1, 170, [SPREAD], from_day=140)
    reports = walk(days)
    alarms = [k for k, report in enumerate(reports) if family_r(report) >= ALARM]
    assert 140 <= alarms[0] <= 154
    report = reports[alarms[0]]
    assert [n for n, named in zip(report.names, report.numbers["is_named"], strict=True) if named] == [SPREAD]
    assert (report.floats("family_r") >= ALARM).sum() == 8, "the family of data, and not that of diversity"
    after = reports[alarms[0] + 1]
    data = np.array([name.family == DATA for name in after.names])
    assert after.floats("r")[data].max() < 20.0
    row = report.names.index(SPREAD)
    assert report.floats("found")[row] - report.floats("expected")[row] > 0.5
    assert report.floats("p")[row] < 0.2 < report.floats("psi")[row]
    assert set(report.numbers["verdict"][[n.series == LN_RV for n in report.names]]) == {Verdict.LEVEL}


def test_a_young_history_says_why_it_tests_nothing() -> None:
    reports = walk(days_of(2, 110))
    verdicts = [Verdict(int(report.numbers["verdict"][report.names.index(SPREAD)])) for report in reports]
    assert verdicts[:12] == [Verdict.FEW_LIKE] * 12
    assert Verdict.YOUNG in verdicts
    first = verdicts.index(Verdict.TESTED)
    assert sum(np.isfinite(r.floats("x")[r.names.index(SPREAD)]) for r in reports[:first]) == 20
    assert all(not np.isfinite(r.floats("x")).any() or (r.floats("r") >= 0.0).all() for r in reports)


def test_what_is_stored_goes_on_as_what_is_in_memory_and_a_day_repeated_is_the_same() -> None:
    days = days_of(3, 90)
    stored = [(day, sketches_of(columns_of(one))) for day, one in days]
    reports = walk(days)
    half = [report_of(report.columns()) for report in reports[:70]]
    for report, again in zip(reports[70:], walk(stored, half, 70), strict=True):
        assert report.names == again.names
        for name in DRIFT_REPORT.names:
            np.testing.assert_array_equal(report.columns()[name], again.columns()[name])
    assert set(columns_of(days[0][1])) == set(DAY_SKETCHES.names)


def test_another_series_or_a_lost_one_changes_no_rank_of_the_others() -> None:
    days = days_of(4, 80)
    strange = SeriesName(DATA, "DOGE", "", "spread_bps")
    other = [(day, together([one, numbered({strange: float(k)})])) for k, (day, one) in enumerate(days)]
    for plain, mixed in zip(walk(days), walk(other), strict=True):
        rows = [mixed.names.index(name) for name in plain.names]
        for column in ("x", "p", "e", "r"):
            np.testing.assert_array_equal(plain.floats(column), mixed.floats(column)[rows])


def test_a_series_that_is_gone_keeps_its_sum_until_the_alarm_and_a_dead_feed_is_null() -> None:
    days = days_of(5, 80)
    reports = walk(days)
    day, last = days[-1]
    keep = [k for k, name in enumerate(last.names) if name.asset != "ETH"]
    gone = DaySketches(
        tuple(last.names[k] for k in keep), last.count[keep], last.null_share[keep], last.number[keep],
        last.quantiles[keep], {},
    )  # fmt: skip
    report = drift_report(day, gone, days[:-1], reports[:-1], seed=7)
    row, before = report.names.index(SPREAD), reports[-2].names.index(SPREAD)
    assert report.numbers["verdict"][row] == Verdict.ABSENT
    assert report.floats("r")[row] == reports[-2].floats("r")[before] > 0.0
    thin = DaySketches(last.names, np.minimum(last.count, 99), last.null_share, last.number, last.quantiles, {})
    found = drift_report(day, thin, days[:-1], reports[:-1], seed=7)
    laws = [k for k, name in enumerate(found.names) if name.family == DATA]
    assert set(found.numbers["verdict"][laws]) == {Verdict.NULL}


@pytest.mark.parametrize("constant", [0.0, 7.5])
def test_a_constant_series_is_not_tested_until_days_differ(constant: float) -> None:
    flat = SeriesName(DATA, "BTC", "", "late_share")
    days = [(day, together([one, numbered({flat: constant})])) for day, one in days_of(6, 60)]
    report = walk(days)[-1]
    assert report.numbers["verdict"][report.names.index(flat)] in (Verdict.NO_SPREAD, Verdict.UNLIKE)
    assert not np.isfinite(report.floats("x")[report.names.index(flat)])
    assert len(report.names) == len(ASSETS) * (len(SERIES) + 1) + 2
