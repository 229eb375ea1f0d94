"""`lotus learn`: the same from CSV and Parquet, in whatever files and order; every wrong file is explained."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from lotus_cli.main import main

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "lotus_own_signals"))
from own_world import arrow, own_world, rows_of, write_csv, write_parquet

World = dict[str, np.ndarray[Any, Any]]
PLANTED = "x_flow >= 3 and x_regime = calm"
LESSON_KEYS = {"rule", "uplift_bps", "ci95", "lcb_bps", "grade", "status", "support", "n_eff", "near_ties"}


def learn(*words: object, code: int = 0) -> Result:
    """Run the command; what is not explained is the test's failure."""
    done = CliRunner().invoke(main, ["learn", *(str(w) for w in words)], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


def facts_of(folder: Path, *words: object) -> dict[str, Any]:
    """Return the one JSON object of a run."""
    text = learn("--events", folder, "--json", *words).stdout
    assert text.count("\n") == 1
    found: dict[str, Any] = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    return found


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


def refused(folder: Path, *words: object) -> str:
    """Run a command that must end with 3 and return its explanation."""
    done = learn("--events", folder, *words, code=3)
    assert done.stdout == ""
    text = done.stderr.splitlines()[-1]
    assert text.startswith("lotus: ")
    assert "; expected: " in text
    return text


def csv_lines(world: World) -> list[str]:
    """Return header and rows of a small file."""
    names = list(world)
    rows = zip(*(world[n].tolist() for n in names), strict=True)
    return [",".join(names), *(",".join("" if x != x else str(x) for x in row) for row in rows)]


def small() -> World:
    """Return a small world whose times are texts."""
    world: World = own_world(seed=5, days=2, n=20)
    texts = [str(np.datetime64(int(t), "us")) + "Z" for t in world["ts"]]
    return {**world, "ts": np.array(texts, dtype=object)}


def cell(column: str, row: int, value: str) -> Callable[[list[str]], list[str]]:
    """Return an edit that writes a cell."""

    def edit(lines: list[str]) -> list[str]:
        at = lines[0].split(",").index(column)
        cells = lines[row].split(",")
        cells[at] = value
        return [*lines[:row], ",".join(cells), *lines[row + 1 :]]

    return edit


def renamed(old: str, new: str) -> Callable[[list[str]], list[str]]:
    """Return an edit that renames a column."""
    return lambda lines: [lines[0].replace(old, new, 1), *lines[1:]]


WRONG: dict[str, tuple[Callable[[list[str]], list[str]], str]] = {
    "a column missing": (renamed("asset", "coin"), "a.csv has no column asset"),
    "a column misspelled": (renamed("propensity", "propensty"), "a column propensty; expected: propensity"),
    "a required one misspelled": (renamed("horizon_s", "horizon"), "no column horizon_s.*'horizon' misspelled"),
    "a column twice": (renamed("x_vol", "x_flow"), "column x_flow 2 times"),
    "no feature": (lambda lines: [re.sub("x_", "y_", lines[0]), *lines[1:]], r"no column x_\*"),
    "no row": (lambda lines: lines[:1], "a.csv has no row"),
    "a time that is none": (cell("ts", 3, "yesterday"), "a.csv, column ts, row 3: 'yesterday'"),
    "a naive time": (cell("ts", 4, "2025-01-06T01:00:00"), "row 4: 2025-01-06T01:00:00 has no time zone"),
    "no time": (cell("ts", 2, ""), "column ts, row 2: null"),
    "no asset": (cell("asset", 7, ""), "column asset, row 7: null"),
    "a broken horizon": (cell("horizon_s", 5, "2.5"), "column horizon_s, row 5: 2.5; expected: whole seconds"),
    "a horizon of text": (cell("horizon_s", 5, "5m"), "column horizon_s, row 5: '5m'"),
    "published in words": (cell("published", 6, "perhaps"), "column published, row 6: 'perhaps'"),
    "a propensity of text": (cell("propensity", 8, "high"), "column propensity, row 8: 'high'"),
    "a propensity in per cent": (cell("propensity", 9, "31"), r"propensity, row 9: 31\.0.*per cent"),
    "a payoff of text": (cell("payoff_bps", 9, "n.a."), "column payoff_bps, row 9: 'n.a.'.*mixed types"),
    "mixed types in a feature": (cell("x_flow", 12, "up"), "column x_flow, row 12: 'up' among numbers.*mixed types"),
    "an infinite feature": (cell("x_flow", 12, "inf"), "column x_flow, row 12: inf"),
    "a row too short": (lambda lines: [*lines[:5], "1,2", *lines[5:]], "a.csv cannot be read: .*Expected"),
    "a row twice": (lambda lines: [*lines, lines[1]], r"column ts, row 41: the same \(ts, asset"),
    "two horizons": (
        lambda lines: [*lines, lines[1].replace(",300,", ",900,", 1)],
        "2 horizons on one draw: 300 s, 900 s; expected: decision_horizon_s",
    ),
    "too few days": (lambda lines: lines, "2 days of windows that could be published; expected: 11 or more"),
}


@pytest.mark.parametrize("which", WRONG)
def test_a_wrong_file_is_explained(which: str, tmp_path: Path) -> None:
    edit, said = WRONG[which]
    world = small()
    world = {name: values[: 41 - 1] for name, values in world.items()}
    (tmp_path / "a.csv").write_text("\n".join(edit(csv_lines(world))) + "\n")
    text = refused(tmp_path)
    assert re.search(said, text), text


def test_an_empty_folder_and_unreadable_files_are_explained(tmp_path: Path) -> None:
    assert "no file in" in refused(tmp_path)
    (tmp_path / "a.parquet").write_bytes(b"PAR1 and nothing more")
    assert "a.parquet cannot be read" in refused(tmp_path)
    (tmp_path / "a.parquet").unlink()
    (tmp_path / "a.csv").write_text("")
    assert "a.csv cannot be read" in refused(tmp_path)
    (tmp_path / "a.csv").write_bytes(b"\xff\xfe\x00ts,asset\n\x80,\x81\n")
    assert "a.csv" in refused(tmp_path)


def parquet_with(name: str, values: pa.Array) -> Callable[[pa.Table], pa.Table]:
    """Return an edit that replaces a column."""
    return lambda t: t.set_column(t.column_names.index(name), name, values)


N = 40
WRONG_PARQUET: dict[str, tuple[str, pa.Array, str]] = {
    "naive stamps": ("ts", pa.array([0] * N, pa.timestamp("us")), "has no time zone"),
    "seconds": ("ts", pa.array([1_736_121_600] * N), "row 1: 1736121600.*seconds or nanoseconds"),
    "dates": ("ts", pa.array([20000] * N, pa.date32()), r"column ts, row 1: .*date32"),
    "lists": ("x_flow", pa.array([[1.0]] * N), r"column x_flow, row 1: .*list"),
    "a null stamp": ("ts", pa.array([None] * N, pa.timestamp("us", "UTC")), "column ts, row 1: null"),
    "payoffs of text": ("payoff_bps", pa.array(["x"] * N), "column payoff_bps, row 1: 'x'"),
    "names that are numbers with a fraction": ("asset", pa.array([1.5] * N), "column asset, row 1: 1.5"),
}


@pytest.mark.parametrize("which", WRONG_PARQUET)
def test_a_wrong_parquet_file_is_explained(which: str, tmp_path: Path) -> None:
    name, values, said = WRONG_PARQUET[which]
    table = arrow(rows_of(own_world(seed=5, days=1, n=20), slice(0, N)))
    pq.write_table(parquet_with(name, values)(table), tmp_path / "a.parquet")
    text = refused(tmp_path)
    assert re.search(said, text), text


def test_a_wrong_configuration_is_explained(tmp_path: Path) -> None:
    write_parquet(own_world(days=2, n=20), tmp_path / "a.parquet")
    (tmp_path / "c.yaml").write_text("costs: 3\n")
    assert re.search(
        "line 1, column 8: .*c.yaml, costs: unknown key", refused(tmp_path, "--config", tmp_path / "c.yaml")
    )
