"""The report in a notebook: frames, pictures and a page; hostile names stay text, wrong questions are answered."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import lotus_lab as lab
from lotus.errors import ConfigError, SchemaError


def test_pictures_are_drawn_and_saved(report: lab.Report, tmp_path: Path) -> None:
    for picture in (report.forest(), report.heat_map("x_vol", "x_regime"), report.life_line(report.lessons.iloc[0])):
        assert picture._repr_svg_().startswith("<svg")
        assert picture.save(tmp_path / "a.png").read_bytes()[1:4] == b"PNG"
    assert report.life_line(0).figure is not None
    assert report.life_line(report.lessons["lesson_id"][0][:8]).caption
    with pytest.raises(ConfigError, match="nowhere"):
        report.forest().save(tmp_path / "nowhere" / "a.svg")
    with pytest.raises(ConfigError, match="ending in"):
        report.forest().save(tmp_path / "a.what")


@pytest.mark.parametrize("lesson", [7, -1, "", "zz", None, pd.Series({"rule": "x"}), {"lesson_id": 3}])
def test_a_lesson_that_is_not_there_is_told(lesson: object, report: lab.Report) -> None:
    with pytest.raises(SchemaError, match="no lesson"):
        report.life_line(lesson)


def test_a_map_of_what_is_not_there_is_told(report: lab.Report) -> None:
    for words, expected in ((("x_flo", "x_vol"), "'x_flow' misspelled"), (("x_vol", "x_vol"), "two different"),
                            (("x_vol", "x_gap", "d9"), "no detector")):  # fmt: skip
        with pytest.raises(SchemaError, match=expected):
            report.heat_map(*words)


def test_four_times_the_days_see_half_the_effect(report: lab.Report) -> None:
    here, more = report.mde(), report.mde(4 * len(report.study.days))
    both = here["uplift_bps"].notna() & more["uplift_bps"].notna()
    assert both.any()
    assert np.allclose(here["uplift_bps"][both], 2.0 * more["uplift_bps"][both])
    stated = report.facts["detectable"][0]["uplift_bps"]["1"]
    assert here.query("detector_id == 'd0' and conditions == 1")["uplift_bps"].tolist() == stated
    assert report.mde(0.3)["uplift_bps"].isna().all()
    for wrong in (-1, float("nan"), float("inf")):
        with pytest.raises(ConfigError, match="days"):
            report.mde(wrong)


def test_the_page_is_one_file_and_the_verdict_stands_in_the_notebook(report: lab.Report, tmp_path: Path) -> None:
    written = report.to_html(tmp_path / "new" / "r.html")
    assert [p.name for p in written.parent.iterdir()] == ["r.html"]
    assert report.facts["lessons"][0]["rule"].replace(">", "&gt;").split(" and ")[0] in written.read_text()
    assert "1 lesson passed." in report._repr_html_()
    with pytest.raises(ConfigError, match="a folder that can be written to"):
        report.to_html(written / "below" / "a_file.html")


def test_hostile_names_are_text_everywhere(events: pd.DataFrame) -> None:
    bad = "<script>alert(1)</script>"
    report = lab.learn(events.query("detector_id == 'd0'").assign(detector_id=bad, x_regime=events["x_regime"] + "<b>"))
    assert "<script>" not in report._repr_html_()
    assert "&lt;script&gt;" in report._repr_html_()
    assert "<script>" not in report.forest()._repr_svg_()


def test_nothing_found_is_a_report(events: pd.DataFrame) -> None:
    few = events[events["ts"] < events["ts"].min() + pd.Timedelta(days=12)].drop(columns="propensity")
    report = lab.learn(few)
    assert report.lessons.empty
    assert "uplift_bps" in report.lessons.columns
    assert report.audits.empty
    assert report.mde().empty
    assert report.refused["reason"].str.contains("no propensity was logged").any()
    assert (report.advice(few)["tilt"] == 0).all()
    assert "No lesson passed" in report._repr_html_()
