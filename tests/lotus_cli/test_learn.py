"""`lotus learn`: the same from CSV and Parquet, in whatever files and order; every wrong file is explained."""

import json
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from learn_runs import facts_of, learn, refused

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lotus_own_signals"))
from own_world import arrow, own_world, rows_of, write_csv, write_parquet

World = dict[str, np.ndarray[Any, Any]]
PLANTED = "x_flow >= 3 and x_regime = calm"
LESSON_KEYS = {"rule", "uplift_bps", "ci95", "lcb_bps", "grade", "status", "support", "n_eff", "near_ties"}


@pytest.fixture(scope="module")
def planted() -> World:
    """Return a world with a planted rule."""
    world: World = own_world(seed=1, effect=6.0, detectors=2)
    return world


@pytest.fixture(scope="module")
def told(planted: World, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Return what the planted world tells from one CSV file."""
    folder = tmp_path_factory.mktemp("events")
    write_csv(planted, folder / "all.csv")
    return facts_of(folder)


def same(one: dict[str, Any], two: dict[str, Any]) -> bool:
    """Whether two results differ in the names of their files only."""
    return {**one, "files": []} == {**two, "files": []}


def test_the_object_has_its_shape_and_the_planted_rule(told: dict[str, Any]) -> None:
    assert {"lessons", "refused", "audits", "trials"} <= set(told)
    assert [(x["detector_id"], x["rule"], x["grade"]) for x in told["lessons"]] == [("d0", PLANTED, "B")]
    lesson = told["lessons"][0]
    assert set(lesson) >= LESSON_KEYS
    assert lesson["ci95"][0] < lesson["uplift_bps"] < lesson["ci95"][1]
    assert set(lesson["support"]) == {"windows", "published", "ess", "coverage", "days", "blocks"}
    assert all({"rule", "evidence_nats", "uplift_bps"} == set(n) for n in lesson["near_ties"])
    assert all(x["reason"] for x in told["refused"])
    assert isinstance(told["trials"], int)
    assert told["trials"] > 0


def test_csv_parquet_order_and_split_give_the_same(planted: World, told: dict[str, Any], tmp_path: Path) -> None:
    one, many = tmp_path / "one", tmp_path / "many"
    one.mkdir()
    (many / "deeper").mkdir(parents=True)
    write_parquet(planted, one / "all.parquet")
    assert same(facts_of(one), told)
    rng = np.random.default_rng(0)
    part = rng.integers(0, 3, len(planted["ts"]))
    write_csv(rows_of(planted, np.flatnonzero(part == 0)[::-1]), many / "z.csv")
    write_parquet(rows_of(planted, part == 1), many / "a.parquet")
    write_csv(rows_of(planted, part == 2), many / "deeper" / "m.csv")
    assert same(facts_of(many), told)


def test_times_and_flags_may_be_written_otherwise(planted: World, told: dict[str, Any], tmp_path: Path) -> None:
    table = arrow(planted)
    table = table.set_column(0, "ts", pa.array(planted["ts"] // 1000))
    table = table.set_column(4, "published", pa.array(planted["published"].astype(int)))
    table = table.set_column(1, "asset", table["asset"].dictionary_encode())
    pq.write_table(table, tmp_path / "a.parquet")
    found = facts_of(tmp_path)
    assert [x["rule"] for x in found["lessons"]] == [x["rule"] for x in told["lessons"]]
    assert found["trials"] == told["trials"]


def test_noise_teaches_nothing(tmp_path: Path) -> None:
    write_parquet(own_world(seed=2, detectors=2), tmp_path / "a.parquet")
    assert facts_of(tmp_path)["lessons"] == []
    text = learn("--events", tmp_path).stdout
    assert "LESSONS   none" in text
    assert "WHAT THIS SAMPLE COULD SHOW" in text


def test_the_report_stands_alone(planted: World, tmp_path: Path) -> None:
    events, out = tmp_path / "events", tmp_path / "out"
    events.mkdir()
    write_parquet(planted, events / "a.parquet")
    found = facts_of(events, "--out", out)
    assert found["report"] == str(out / "report.html")
    assert json.loads((out / "result.json").read_text())["trials"] == found["trials"]
    page = (out / "report.html").read_text("utf-8")
    targets = re.findall(r"(?:src|href|data|action)=[\"']([^\"']*)", page)
    assert targets
    assert all(target.startswith("#") for target in targets)
    assert not re.search(r"url\((?!#)|@import|<script|<link|<iframe", page)
    assert set(re.findall(r"https?://[^\"' <]*", page)) == {
        "http://www.w3.org/2000/svg",
        "http://www.w3.org/1999/xlink",
    }
    assert page.count("<svg") >= 1 + 2 * len(found["lessons"]) + 2
    assert "x_flow &gt;= 3 and x_regime = calm" in page
    assert all(str(x["detector_id"]) in page for x in found["refused"])
    assert "does not\nsay that there is money in it" in page
    first = page
    learn("--events", events, "--out", out)
    assert (out / "report.html").read_text("utf-8") == first


def test_odd_names_and_many_detectors_are_reported(tmp_path: Path) -> None:
    world = own_world(seed=6, n=60, days=12)
    names = np.array([f"<b>{k}$x$ é&" for k in range(9)])
    world["detector_id"] = names[np.arange(len(world["ts"])) % 9]
    events, out = tmp_path / "events", tmp_path / "out"
    events.mkdir()
    write_csv(world, events / "a.csv")
    assert len(facts_of(events, "--out", out)["detectors"]) == 9
    page = (out / "report.html").read_text("utf-8")
    assert "<b>0" not in page
    assert "&lt;b&gt;0$x$ é&amp;" in page
    assert "The 8 furthest of 9 detectors" in page


def test_a_report_that_cannot_be_written_is_explained(planted: World, tmp_path: Path) -> None:
    write_parquet(planted, tmp_path / "a.parquet")
    (tmp_path / "taken").write_text("a file")
    assert "a folder that can be written to" in refused(tmp_path, "--out", tmp_path / "taken" / "out")


def test_a_report_of_refusals_only_is_a_report(tmp_path: Path) -> None:
    bare = {k: v for k, v in own_world(seed=3, n=120).items() if k != "propensity"}
    events, out = tmp_path / "events", tmp_path / "out"
    events.mkdir()
    write_csv(bare, events / "a.csv")
    facts_of(events, "--out", out)
    assert "log the probability of every draw" in (out / "report.html").read_text("utf-8")


def test_the_configuration_is_used(planted: World, tmp_path: Path) -> None:
    write_parquet(planted, tmp_path / "a.parquet")
    (tmp_path / "mine.yaml").write_text(
        "fill_source: venue\ncost_bps: 100\nmax_literals: 2\nfeatures: {x_flow: up, x_regime: category}\n"
    )
    found = facts_of(tmp_path, "--config", tmp_path / "mine.yaml")
    assert found["look"]["rules_possible"] == [6, 8, 0]
    assert [(x["rule"], x["grade"]) for x in found["lessons"]] == [(PLANTED, "A")]
    assert found["lessons"][0]["net_mean_bps"] < -80.0
    assert found["lessons"][0]["advice"].startswith("none")


def test_nights_are_replayed(planted: World, tmp_path: Path) -> None:
    write_parquet(planted, tmp_path / "a.parquet")
    found = facts_of(tmp_path, "--nightly")
    assert found["look"]["nightly"]
    assert found["look"]["looks"] >= 1
    assert "d0" in {x["detector_id"] for x in found["lessons"]}


def test_the_format_is_explained_without_files() -> None:
    text = learn("--explain-columns").stdout
    for name in (
        "ts",
        "asset",
        "detector_id",
        "horizon_s",
        "published",
        "propensity",
        "payoff_bps",
        "paper_payoff_bps",
    ):
        assert f"\n{name}   " in text
    assert "x_*   feature" in text
    columns = json.loads(learn("--explain-columns", "--json").stdout)["columns"]
    assert all({"name", "type", "required", "unit", "null", "meaning", "example"} == set(c) for c in columns)


def test_the_example_of_the_format_is_read(tmp_path: Path) -> None:
    from lotus.own_signals.columns import CONFIG_EXAMPLE, FIRST_ROWS

    (tmp_path / "a.csv").write_text(FIRST_ROWS)
    (tmp_path / "c.yaml").write_text(CONFIG_EXAMPLE)
    assert "x_momentum, which no file has" in refused(tmp_path, "--config", tmp_path / "c.yaml")
    assert "1 days of windows that could be published" in refused(tmp_path)


def test_no_folder_is_wrong_usage(tmp_path: Path) -> None:
    assert "--events DIR" in learn(code=2).stderr
    learn("--events", tmp_path / "nowhere", code=2)


def test_a_wrong_configuration_is_explained(tmp_path: Path) -> None:
    write_parquet(own_world(days=2, n=20), tmp_path / "a.parquet")
    (tmp_path / "c.yaml").write_text("costs: 3\n")
    assert re.search(
        "line 1, column 8: .*c.yaml, costs: unknown key", refused(tmp_path, "--config", tmp_path / "c.yaml")
    )
