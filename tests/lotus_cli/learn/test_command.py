"""`lotus learn`: the same from CSV and Parquet, in whatever files and order; every wrong file is explained."""

import json
import re
import sys
import threading
from functools import partial
from html.parser import HTMLParser
from http.server import HTTPServer, SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from browser import browser
from learn_runs import facts_of, learn, refused
from result_keys import (
    ACCEPTED,
    AUDIT,
    EDGE,
    FEATURE,
    HORIZON,
    LESSON,
    MOVES,
    REASONED,
    SUPPORT,
    TOP,
)

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "lotus_own_signals"))
from own_world import arrow, own_world, rows_of, write_csv, write_parquet

World = dict[str, np.ndarray[Any, Any]]
PLANTED = "x_flow >= 3 and x_regime = calm"


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
    assert lesson["ci95"][0] < lesson["uplift_bps"] < lesson["ci95"][1]
    assert all({"rule", "evidence_nats", "uplift_bps"} == set(n) for n in lesson["near_ties"])
    assert all(x["reason"] for x in told["refused"])
    assert isinstance(told["trials"], int)
    assert told["trials"] > 0


def test_a_negative_lesson_has_a_negative_bound_and_days_are_those_of_the_files(tmp_path: Path) -> None:
    world = own_world(seed=1, effect=-6.0, days=14)
    write_parquet(world, tmp_path / "a.parquet")
    told = facts_of(tmp_path)
    lesson = told["lessons"][0]
    assert lesson["uplift_bps"] < -lesson["lcb_bps"] == lesson["bound_bps"] < 0.0
    assert told["days"] == {"first": "2025-01-06", "last": "2025-01-19", "count": 14, "learning": 15}
    text = learn("--events", tmp_path).stdout
    assert f"bound {lesson['bound_bps']:.2f}" in text
    assert "14 days from 2025-01-06 to 2025-01-19" in text


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


@pytest.mark.process("`lotus learn` on forty days, with its report")
def test_the_report_stands_alone(planted: World, tmp_path: Path) -> None:
    events, out = tmp_path / "events", tmp_path / "out"
    events.mkdir()
    write_parquet(planted, events / "a.parquet")
    found = facts_of(events, "--out", out)
    assert found["report"] == str(out / "report.html")
    assert json.loads((out / "result.json").read_text())["trials"] == found["trials"]
    page = (out / "report.html").read_text("utf-8")
    assert outside_links(page) == []
    assert page.count("<svg") >= 1 + 2 * len(found["lessons"]) + 2
    assert "x_flow &gt;= 3 and x_regime = calm" in page
    assert all(str(x["detector_id"]) in page for x in found["refused"])
    assert "does not\nsay that there is money in it" in page
    first = page
    learn("--events", events, "--out", out)
    assert (out / "report.html").read_text("utf-8") == first


@pytest.mark.process("a browser looks at the page, and keeps a picture for the site")
def test_the_report_is_seen_in_a_browser(planted: World, tmp_path: Path) -> None:
    events, out = tmp_path / "events", tmp_path / "out"
    events.mkdir()
    write_parquet(planted, events / "a.parquet")
    facts_of(events, "--out", out)
    answers = partial(SimpleHTTPRequestHandler, directory=str(out))
    with HTTPServer(("127.0.0.1", 0), answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with browser(f"http://127.0.0.1:{server.server_port}", "") as opened:
            asked = []
            opened.page.on("request", lambda request: asked.append(request.url))
            seen = opened.shown("/report.html", "report", "x_flow >= 3 and x_regime = calm")
            opened.keep("lab-report")
        server.shutdown()
    assert "lesson" in seen
    assert [url for url in asked if not url.startswith("http://127.0.0.1:")] == []


class Links(HTMLParser):
    """Collects every attribute and style of a page that could make a browser ask somebody for something."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take up a tag."""
        if tag in ("script", "link", "iframe", "object", "embed", "img", "image", "base", "form"):
            self.found.append(f"<{tag}>")
        for name, value in attrs:
            local = (value or "").startswith("#")
            if name.endswith(("href", "src", "srcset", "action", "data", "poster")) and not local:
                self.found.append(f"{name}={value}")
            if "://" in (value or "") and not name.startswith("xmlns"):
                self.found.append(f"{name}={value}")
            self.found += re.findall(r"url\((?!['\"]?#)[^)]*\)", value or "")

    def handle_data(self, data: str) -> None:
        """Take up a text, which may be a style."""
        self.found += re.findall(r"url\((?!['\"]?#)[^)]*\)|@import.*|https?://\S*", data)


def outside_links(page: str) -> list[str]:
    """Return what of a page points outside of it."""
    reader = Links()
    reader.feed(page)
    return reader.found


def test_a_link_to_the_outside_would_be_found() -> None:
    for wrong in (
        "<a href='https://x.y'>",
        "<img src=a.png>",
        "<p style='background:url(a.png)'>",
        "<style>@import a;</style>",
    ):
        assert outside_links(f"<html>{wrong}</html>")
    assert outside_links("<a href='#b'><p style='clip-path:url(#c)'>") == []


def test_every_table_has_a_caption_and_every_picture_a_name(planted: World, tmp_path: Path) -> None:
    write_parquet(planted, tmp_path / "a.parquet")
    learn("--events", tmp_path, "--out", tmp_path / "out")
    page = (tmp_path / "out" / "report.html").read_text("utf-8")
    assert page.count("<table") == page.count("<caption") >= 6
    assert page.count('<svg role="img" aria-label=') == page.count("<svg") == page.count("<figcaption")
    assert "name='viewport'" in page
    assert "prefers-color-scheme:dark" in page
    assert sorted(p.name for p in (tmp_path / "out").iterdir()) == ["report.html", "result.json"]


def keys_of(rows: list[dict[str, Any]]) -> set[str]:
    """Return the keys that the rows have in common; none may have others."""
    assert rows
    assert all(set(row) == set(rows[0]) for row in rows)
    return set(rows[0])


def test_the_object_has_the_keys_that_are_documented_and_no_other(told: dict[str, Any], tmp_path: Path) -> None:
    assert set(told) == set(TOP) - {"report"}
    assert list(told)[:5] == ["lessons", "proposals", "refused", "audits", "trials"]
    assert keys_of(told["lessons"]) == set(LESSON | ACCEPTED)
    assert keys_of([x for x in told["refused"] if x["rule"]]) == set(LESSON | REASONED)
    assert keys_of([x["support"] for x in told["lessons"]]) == set(SUPPORT)
    assert keys_of([h for x in told["lessons"] for h in x["horizons"]]) == set(HORIZON)
    edges = [e for x in told["lessons"] for e in x["edges"]]
    assert keys_of(edges) == set(EDGE)
    assert (
        keys_of([e["above"] for e in edges]) == keys_of([e for f in told["features"] for e in f["edges"]]) == set(MOVES)
    )
    assert keys_of(told["features"]) == set(FEATURE)
    assert keys_of(told["audits"]) == set(AUDIT)
    bare = {k: v for k, v in own_world(seed=3, n=120).items() if k != "propensity"}
    write_csv(bare, tmp_path / "a.csv")
    assert keys_of([x for x in facts_of(tmp_path)["refused"] if not x["rule"]]) < set(LESSON | REASONED)


def test_the_bytes_of_two_runs_are_the_same(planted: World, tmp_path: Path) -> None:
    write_parquet(planted, tmp_path / "a.parquet")
    one, two = (learn("--events", tmp_path, "--json").stdout for _ in range(2))
    assert one == two


def test_the_example_is_written_and_its_lesson_found(tmp_path: Path) -> None:
    planted = json.loads(learn("--example", tmp_path / "ex", "--json").stdout)["planted"]
    found = facts_of(tmp_path / "ex")
    assert [(x["detector_id"], x["rule"]) for x in found["lessons"]] == [(planted["detector_id"], planted["rule"])]
    assert all(found["lessons"][0]["horizons"][0][k] is not None for k in ("mfe_bps", "mae_bps", "brier", "log_score"))
    page = (Path(__file__).parents[3] / "docs" / "reference" / "own_signals.md").read_text("utf-8")
    assert learn("--events", tmp_path / "ex").stdout in page
    assert "is not empty" in learn("--example", tmp_path / "ex", code=3).stderr


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
    page = (out / "report.html").read_text("utf-8")
    assert "log the probability of every draw" in page
    text = learn("--events", events).stdout
    assert "Nothing was tried, so nothing is known" in page
    assert "LESSONS   none. Nothing was tried, so nothing is known; the reasons stand under" in text


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
    assert "3 rows of 1 day; expected: 20 rows" in refused(tmp_path)
    (tmp_path / "c.yaml").write_text(CONFIG_EXAMPLE)
    assert "takes time for ts, and a.csv has no such column" in refused(tmp_path, "--config", tmp_path / "c.yaml")
    (tmp_path / "a.csv").write_text(FIRST_ROWS.replace("ts,", "time,").replace("payoff_bps", "pnl_bps", 1))
    (tmp_path / "c.yaml").write_text(CONFIG_EXAMPLE.replace("  x_momentum: mom_5m ", "  #"))
    assert "x_momentum, which no file has" in refused(tmp_path, "--config", tmp_path / "c.yaml")


def test_no_folder_is_wrong_usage(tmp_path: Path) -> None:
    assert "--events DIR" in learn(code=2).stderr
    learn("--events", tmp_path / "nowhere", code=2)


def test_a_wrong_configuration_is_explained(tmp_path: Path) -> None:
    write_parquet(own_world(days=2, n=20), tmp_path / "a.parquet")
    (tmp_path / "c.yaml").write_text("costs: 3\n")
    assert re.search(
        "line 1, column 8: .*c.yaml, costs: unknown key", refused(tmp_path, "--config", tmp_path / "c.yaml")
    )
