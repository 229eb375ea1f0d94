"""Advice: the tilt that the weave would give, in the bins that a daemon would make, row by row."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import lotus_lab as lab
from lotus.errors import SchemaError
from lotus.manifest import Manifest
from lotus.priors.types import priors_0
from lotus.weave.admission import DetectorDay
from lotus.weave.night import NightInputs, weave_night
from lotus.weave.watchdog import Evidence
from lotus_lab.advice import CONFLICT, advised_lessons


def later(events: pd.DataFrame, days: int) -> pd.DataFrame:
    """Return the last day of the events some days later, as a bot would see it: without any outcome."""
    last = events[events["ts"] >= events["ts"].max().normalize()]
    moved = last.assign(ts=last["ts"] + pd.Timedelta(days=days))
    return moved[["ts", "asset", "detector_id", "x_flow", "x_vol", "x_gap", "x_regime"]].reset_index(drop=True)


def test_tomorrow_is_read_by_the_seven_days_before(report: lab.Report, events: pd.DataFrame) -> None:
    tomorrow = later(events, 1)
    advice = report.advice(tomorrow)
    lesson = report.facts["lessons"][0]
    past = events[events["ts"] >= tomorrow["ts"].min().normalize() - pd.Timedelta(days=7)]
    for asset, rows in tomorrow.groupby("asset"):
        edge = np.quantile(past.loc[past["asset"] == asset, "x_flow"], 0.6, method="inverted_cdf")
        inside = (rows["x_flow"] > edge) & (rows["x_regime"] == "calm") & (rows["detector_id"] == "d0")
        assert (advice.loc[rows.index, "tilt"] == np.where(inside, report.advised[0].tilt, 0.0)).all()
        assert (advice.loc[rows.index, "lesson_ids"] == inside.map({True: (lesson["lesson_id"],), False: ()})).all()
    assert set(advice["claim_bps"]) == {0.0, lesson["claim_bps"]}
    assert (advice[["ts", "asset", "detector_id"]] == tomorrow[["ts", "asset", "detector_id"]]).all().all()


def test_events_learned_from_have_the_bins_that_they_had(report: lab.Report, events: pd.DataFrame) -> None:
    advice = report.advice(events)
    inside = advice.index[advice["tilt"] > 0]
    assert 0 <= len(inside) - report.lessons["windows"][0] < 0.01 * len(inside)  # windows of the last day mature later
    first = events["ts"] < events["ts"].min().normalize() + pd.Timedelta(days=1)
    assert (advice.loc[first, "note"] != "").all()
    assert (advice.loc[~first, "note"] == "").all()


def test_what_nobody_knows_is_advised_nothing(report: lab.Report, events: pd.DataFrame) -> None:
    tomorrow = later(events, 1)
    strange = report.advice(tomorrow.assign(asset="NEW"))
    assert (strange["tilt"] == 0).all()
    assert (strange["note"] != "").all()
    stale = report.advice(later(events, 30))
    assert (stale["tilt"] == 0).all()
    assert (report.advice(tomorrow.assign(x_regime="odd"))["tilt"] == 0).all()
    assert (report.advice(tomorrow.assign(detector_id="other"))["tilt"] == 0).all()
    for wrong, words in (
        (tomorrow.drop(columns="x_flow"), "no column x_flow"),
        (tomorrow.assign(x_flow="high"), "x_flow holds text"),
        (tomorrow.drop(columns="asset"), "no column asset"),
        (tomorrow.iloc[:0], "no row"),
    ):
        with pytest.raises(SchemaError, match=words):
            report.advice(wrong)


def test_the_tilt_is_the_one_that_the_weave_ends_at(report: lab.Report) -> None:
    lesson, manifest = report.study.findings[0].lesson, Manifest()
    bins = np.zeros((50, 13), dtype=np.uint8)
    bins[:, 1:] = 255
    bins[:, [x.feature for x in lesson.rule.literals]] = [x.low for x in lesson.rule.literals]
    day = DetectorDay(bins, np.full(50, 0.5), manifest.score.temperature)
    board, version = (), priors_0("own")
    for night in range(1, 40):
        given = NightInputs(Evidence(day=f"2025-02-{1 + night % 25:02d}"))
        woven = weave_night(version, board, [lesson], {lesson.detector_id: day}, night * 1000, manifest, given)
        board, version = woven.braids, woven.priors
    acting = [b for b in board if b.in_force]
    assert [b.lesson_id for b in acting] == [lesson.lesson_id]
    assert acting[0].delta_realised[1] == pytest.approx(report.advised[0].tilt, abs=1e-6)
    assert acting[0].claim_bps == report.advised[0].claim_bps


def test_of_two_names_for_one_corner_the_better_acts(report: lab.Report) -> None:
    finding = report.study.findings[0]
    weaker = replace(finding, lesson=replace(finding.lesson, claim_bps=0.5 * finding.lesson.claim_bps).named())
    both = SimpleNamespace(
        findings=(weaker, finding), settings=report.study.settings, vocabulary=report.study.vocabulary
    )
    advised = advised_lessons(both, report.scores)  # type: ignore[arg-type]
    assert [(x.tilt > 0, x.reason) for x in advised] == [(False, CONFLICT), (True, "")]
