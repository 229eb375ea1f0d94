"""`lab.learn`: pandas, Arrow, whatever speaks Arrow, and files teach what `lotus learn` does; what is none is told."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from click.testing import CliRunner

import lotus_lab as lab
from lotus.errors import ConfigError, SchemaError
from lotus.own_signals.config import OwnConfig
from lotus_cli.main import main
from lotus_lab.learning import config_of
from lotus_store.json_values import plain

PLANTED = "x_flow >= 3 and x_regime = calm"


class Foreign:
    """A frame of another library: all that is asked of it is the Arrow stream."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.table.__arrow_c_stream__(requested_schema)


def coded(table: pa.Table, kind: pa.DataType) -> pa.Table:
    """Return a table whose texts are dictionaries without an order, unsigned as polars has them."""
    for place, field in enumerate(table.schema):
        if pa.types.is_large_string(field.type):
            whole = table.column(place).combine_chunks().dictionary_encode()
            parts = [whole.indices.cast(pa.uint32()), whole.dictionary.cast(kind)]
            table = table.set_column(place, field.name, pa.DictionaryArray.from_arrays(*parts))
    return table


def told(report: lab.Report) -> dict[str, Any]:
    """Return the facts without the names of files."""
    return {key: value for key, value in report.facts.items() if key != "files"}


def test_what_is_planted_is_found_and_the_frames_say_so(report: lab.Report) -> None:
    assert list(report.lessons["rule"]) == [PLANTED]
    lesson = report.lessons.iloc[0]
    assert lesson["ci95_low_bps"] < lesson["uplift_bps"] < lesson["ci95_high_bps"]
    assert set(report.refused["detector_id"]) == {"d0", "d1"}
    assert report.refused["reason"].str.len().min() > 0
    assert list(report.audits["detector_id"]) == ["d0", "d1"]
    assert not report.audits["alarm"].any()


def test_the_command_says_the_same_digit_for_digit(report: lab.Report, events: pd.DataFrame, tmp_path: Path) -> None:
    events.to_parquet(tmp_path / "a.parquet")
    done = CliRunner().invoke(main, ["learn", "--events", str(tmp_path), "--json"], catch_exceptions=False)
    said = json.loads(done.stdout)
    assert {**said, "files": []} == json.loads(json.dumps(plain({**report.facts, "files": []})))
    assert told(lab.learn(tmp_path / "a.parquet")) == told(report)


@pytest.mark.parametrize("kind", ["arrow", "batch", "foreign", "views", "coded", "coded views"])
def test_every_kind_of_table_teaches_the_same(kind: str, report: lab.Report, events: pd.DataFrame) -> None:
    table = pa.Table.from_pandas(events, preserve_index=False)
    views = [pa.field(f.name, pa.string_view() if pa.types.is_large_string(f.type) else f.type) for f in table.schema]
    made = {
        "arrow": table,
        "batch": table.combine_chunks().to_batches()[0],
        "foreign": Foreign(table),
        "views": table.cast(pa.schema(views)),
        "coded": coded(table, pa.large_string()),
        "coded views": coded(table, pa.string_view()),
    }
    assert told(lab.learn(made[kind])) == told(report)


def test_the_order_of_rows_and_an_index_mean_nothing(report: lab.Report, events: pd.DataFrame) -> None:
    shuffled = events.sample(frac=1.0, random_state=3).set_index("asset", drop=False)
    assert told(lab.learn(shuffled)) == told(report)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda f: f.drop(columns="published"), "the table has no column published"),
        (lambda f: f.assign(ts=f["ts"].dt.tz_localize(None)), "no time zone"),
        (lambda f: f.assign(payoff_bps="much"), "column payoff_bps, row 1: 'much'"),
        (lambda f: f.assign(x_flow=[1, "a"] * (len(f) // 2)), "cannot be taken"),
        (lambda f: f.iloc[:0], "no row"),
        (
            lambda f: pd.concat([f, f[["x_gap"]]], axis=1),
            "column x_gap 2 times; expected: each .* likely cause: tables",
        ),
        (lambda f: pa.table([f["ts"]] * 2, ["ts"] * 2), "column ts 2 times"),
        (lambda f: f.rename(columns={"x_gap": 7}), "a column named 7"),
        (lambda f: f.to_dict("list"), "events are a dict"),
        (lambda f: "nowhere/at_all", "is not there"),
        (lambda f: None, "events are a NoneType"),
    ],
)
def test_what_is_no_table_of_events_is_told(wrong: Any, words: str, events: pd.DataFrame) -> None:
    with pytest.raises(SchemaError, match=words):
        lab.learn(wrong(events.head(100)))


def test_a_configuration_is_a_mapping_a_file_or_nothing(tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text("cost_bps: 2.5\nfeatures: {x_flow: up}\n")
    given = {"cost_bps": np.float64(2.5), "features": {"x_flow": "up"}}
    assert config_of(given) == config_of(tmp_path / "c.yaml") == config_of(str(tmp_path / "c.yaml"))
    assert config_of(None) == config_of({}) == OwnConfig()
    for wrong, words in (
        ({"cost": 1}, "unknown key 'cost'"),
        ({"cost_bps": pd.Timestamp(0)}, "config.cost_bps is a Timestamp"),
        (tmp_path / "none.yaml", "No such file"),
        ({"seed": "1\nlast_days: 3"}, "config"),
    ):
        with pytest.raises(ConfigError, match=words):
            config_of(wrong)  # type: ignore[arg-type]


def test_nights_are_replayed(events: pd.DataFrame) -> None:
    nightly = lab.learn(events[events["detector_id"] == "d0"], nightly=True)
    assert nightly.facts["look"]["nightly"]
    assert PLANTED in set(nightly.lessons["rule"])
