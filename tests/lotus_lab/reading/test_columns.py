"""`lotus learn` on a desk's own export (lotus_lab/reading/columns.py): other names, many categories, known effects."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from click.testing import Result
from learn_runs import facts_of, learn, refused

COLUMNS = (
    "columns: {ts: time, asset: coin, detector_id: signal, horizon_s: hold, published: acted, propensity: prob, "
    "payoff_bps: pnl_bps, paper_payoff_bps: model_bps, x_vol: volatility, x_spread: 'spread, z', x_hour: hour, "
    "x_sector: sector}\n"
)
GROUPS = "groups: {x_hour: {asia: [0,1,2,3,4,5,6], eu: [7,8,9,10,11,12], us: [13,14,15,16,17,18,19,20]}}\n"
SECTORS = ["l1", "l2", "defi", "meme", "ai", "gaming", "privacy", "oracle", "rwa", "dex", "lst", "storage"]
DAYS, PER_DAY = 16, 120
SPREAD_EDGE, VOL_EDGE = -0.2533, {"BTC": 1.4, "DOGE": 4.2}  # of the lowest two fifths and of the highest fifth


def desk() -> pd.DataFrame:
    """Return three signals on two coins: one pays 6 bps more in a corner, one 5 bps less in another."""
    rng, n, frames = np.random.default_rng(11), DAYS * PER_DAY, []
    time = pd.date_range("2025-03-01", periods=n, freq="12min", tz="UTC")
    hour = time.hour.to_numpy()
    shares = np.array([22, 18, 15, 12, 8, 6, 5, 4, 4, 3, 2, 1]) / 100
    for coin, scale in (("BTC", 1.0), ("DOGE", 3.0)):
        for signal in ("mean_rev", "news_pop", "carry"):
            vol, spread = scale * np.exp(0.4 * rng.standard_normal(n)), rng.standard_normal(n)
            score = rng.standard_normal(n)
            prob = np.clip(1 / (1 + np.exp(-(score - 0.7))), 0.02, 0.98)
            acted = rng.random(n) < prob
            model = 3.0 * rng.standard_t(4, n) + 0.6 * score + np.repeat(rng.normal(0, 1.5, DAYS), PER_DAY)
            if signal == "mean_rev":
                model += 6.0 * ((spread < SPREAD_EDGE) & (hour >= 13) & (hour < 21))
            if signal == "news_pop":
                model -= 5.0 * (vol > VOL_EDGE[coin])
            columns = {
                "time": time, "coin": coin, "signal": signal, "hold": 300, "acted": acted, "prob": prob,
                "pnl_bps": np.where(acted, model - rng.exponential(0.5, n), np.nan), "model_bps": model,
                "volatility": vol, "spread, z": spread, "hour": hour, "sector": rng.choice(SECTORS, n, p=shares),
            }  # fmt: skip
            frames.append(pd.DataFrame(columns))
    return pd.concat(frames, ignore_index=True)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the desk's export, a file of every kind."""
    folder, whole = tmp_path_factory.mktemp("export"), desk()
    late = whole["time"] >= pd.Timestamp("2025-03-09", tz="UTC")
    whole[~late].to_csv(folder / "a.csv", index=False)
    whole[late].to_parquet(folder / "b.parquet", index=False)
    return folder


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the configuration that names its columns and groups its hours."""
    path = tmp_path_factory.mktemp("config") / "mine.yaml"
    path.write_text(COLUMNS + GROUPS)
    return path


@pytest.fixture(scope="module")
def run(export: Path, config: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Result, Path]:
    """Return one run with a report, and the folder of the report."""
    out = tmp_path_factory.mktemp("out")
    return learn("--events", export, "--config", config, "--out", out), out


@pytest.fixture(scope="module")
def told(run: tuple[Result, Path]) -> dict[str, Any]:
    """Return what the export tells."""
    found: dict[str, Any] = json.loads((run[1] / "result.json").read_text("utf-8"))
    return found


def test_both_effects_are_found_and_their_thresholds_told(told: dict[str, Any]) -> None:
    lessons = {x["detector_id"]: x for x in told["lessons"]}
    assert {d: x["rule"] for d, x in lessons.items()} == {
        "mean_rev": "x_hour = us and x_spread <= 1", "news_pop": "x_vol = 4"
    }  # fmt: skip
    hours, spread = lessons["mean_rev"]["edges"]
    assert hours["values"] == [str(hour) for hour in range(13, 21)]
    assert spread["words"] == "the lowest two fifths"
    assert spread["up_to"]["low"] <= SPREAD_EDGE <= spread["up_to"]["high"]
    assert spread["up_to"]["median"] == pytest.approx(SPREAD_EDGE, abs=0.08)
    assert spread["up_to"]["by_asset"] == {}
    above = lessons["news_pop"]["edges"][0]["above"]
    assert {coin: x["median"] for coin, x in above["by_asset"].items()} == pytest.approx(VOL_EDGE, rel=0.08)
    assert lessons["mean_rev"]["contrast_bps"] == pytest.approx(6.0, abs=1.0)
    assert lessons["news_pop"]["contrast_bps"] == pytest.approx(-5.0, abs=1.0)


def test_the_text_is_readable_without_the_code(run: tuple[Result, Path], told: dict[str, Any]) -> None:
    done = run[0]
    assert re.search(
        r"x_spread <= 1: the lowest two fifths, up to -0\.\d+ \(-0\.\d+ to -0\.\d+ over 15 days\)", done.stdout
    )
    assert re.search(r"x_vol = 4: the highest fifth, above 1\.\d+ \(.*\) for BTC, 4\.\d+ \(.*\) for DOGE", done.stdout)
    assert "x_hour = us: 13, 14, 15, 16, 17, 18, 19, 20" in done.stdout
    assert "x_hour: taken together by the configuration: asia, eu, us, other" in done.stderr
    first = told["lessons"][0]
    paragraph = " ".join(done.stdout.split())
    assert (
        f"How to take these sizes, by the lesson {first['rule']}: inside less outside, {first['contrast_bps']:+.2f}"
        in paragraph
    )
    assert f"{first['claim_bps']:+.2f} is the uplift shrunk for that" in paragraph


def test_the_rare_sectors_are_taken_together_by_the_first_day(told: dict[str, Any]) -> None:
    sector = next(f for f in told["features"] if f["name"] == "x_sector")
    assert sector["categories"][-1] == "other"
    assert sorted(v for values in sector["groups"].values() for v in values) == sorted(SECTORS)
    assert sector["grouped_by"].startswith("the first day, 2025-03-01")


def test_the_report_tells_edges_groups_and_names(run: tuple[Result, Path]) -> None:
    page = (run[1] / "report.html").read_text("utf-8")
    for part in (
        "the lowest two fifths, up to -0.", "x_hour = asia: 0, 1, 2, 3, 4, 5, 6", "How to take these sizes",
        "grouped by the first day, 2025-03-01", "columns ts = time, asset = coin", "<span>x_spread &lt;= 1</span>",
    ):  # fmt: skip
        assert part in page


def test_names_change_nothing_but_the_names(export: Path, config: Path, told: dict[str, Any], tmp_path: Path) -> None:
    ours = dict(re.findall(r"(\w+): ('[^']+'|\w+)", COLUMNS.removeprefix("columns: ")))
    renamed = desk().rename(columns={theirs.strip("'"): name for name, theirs in ours.items()})
    renamed.to_parquet(tmp_path / "a.parquet", index=False)
    plain = config.with_name("groups.yaml")
    plain.write_text(GROUPS)
    found = facts_of(tmp_path, "--config", plain)
    assert {**found, "files": [], "columns": {}} == {**told, "files": [], "columns": {}}
    assert told["columns"]["x_spread"] == "spread, z"


WRONG = {
    "": r"no column ts, asset, .*The file has time, coin, .*columns: \{ts: its name in the file, .*pensity: .*x_name",
    COLUMNS.replace("ts: time", "ts: tim"): r"takes tim for ts, and a.csv has no such column; .*'time' misspelled",
    COLUMNS.replace("ts: time", "ts: coin").replace("asset: coin", "asset: time"): r"column coin \(ts\), row 1: 'BTC'",
    COLUMNS.replace("propensity: prob, ", "propensity: volatility, ").replace("x_vol: volatility", "x_p: prob"): (
        r"column volatility \(propensity\), row \d+: .*a probability in"
    ),
    COLUMNS + "features: {x_hour: category, x_vol: up}": (
        r"column hour \(x_hour\) has 24 categories \(0, 1, 2, .*equally often.*groups: \{x_hour: \{0 to 5: \[0, 1, 2, 3"
    ),
    COLUMNS
    + "groups: {x_hour: {night: [23, 24]}, x_hours: {a: [1]}}": "names x_hours, which no file has.*'x_hour' miss",
}


@pytest.mark.parametrize("text", WRONG)
def test_a_wrong_mapping_is_explained(text: str, export: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(text or "seed: 7")
    said = refused(export, "--config", tmp_path / "c.yaml")
    assert re.search(WRONG[text], said), said


def test_a_name_that_the_files_use_for_another_column_is_refused(export: Path, tmp_path: Path) -> None:
    pd.read_csv(export / "a.csv").assign(ts=1, x_vol=2.0).to_csv(tmp_path / "a.csv", index=False)
    (tmp_path / "c.yaml").write_text(COLUMNS)
    assert "a.csv has ts as well as time, which `columns`" in refused(tmp_path, "--config", tmp_path / "c.yaml")


def test_a_table_as_configuration_is_told_to_be_one(export: Path, tmp_path: Path) -> None:
    for name in ("a.csv", "b.parquet"):
        said = refused(export, "--config", export / name)
        assert "looks like a table and not like a configuration" in said
        assert "the folder that --events names" in said
