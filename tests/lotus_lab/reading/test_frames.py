"""Ordered categoricals are ordinal by themselves, in memory and in Parquet; a second order is refused."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import lotus_lab as lab
from lotus.errors import SchemaError

LEVELS = ["poor", "fair", "good", "fine", "best"]


@pytest.fixture(scope="module")
def rated(events: pd.DataFrame) -> pd.DataFrame:
    """Return events of d0 whose `x_flow` is a rating: its true fifths, as words."""
    own = events[events["detector_id"] == "d0"]
    fifth = np.searchsorted(np.quantile(own["x_flow"], [0.2, 0.4, 0.6, 0.8]), own["x_flow"])
    rating = pd.Categorical(np.array(LEVELS)[fifth], categories=LEVELS, ordered=True)
    return own.drop(columns="x_flow").assign(x_rating=rating)


def test_an_ordered_categorical_is_read_by_its_order(rated: pd.DataFrame, tmp_path: Path) -> None:
    report = lab.learn(rated)
    assert list(report.lessons["rule"]) == ["x_rating in fine..best and x_regime = calm"]
    feature = next(f for f in report.facts["features"] if f["name"] == "x_rating")
    assert (feature["literals"], feature["categories"]) == ("range", LEVELS)
    foreign = pa.Table.from_pandas(rated, preserve_index=False)
    column = foreign.column("x_rating").combine_chunks()
    unsigned = pa.DictionaryArray.from_arrays(column.indices.cast(pa.uint8()), column.dictionary, ordered=True)
    at = foreign.column_names.index("x_rating")
    assert lab.learn(foreign.set_column(at, "x_rating", unsigned)).facts["lessons"] == report.facts["lessons"]
    rated.to_parquet(tmp_path / "a.parquet", row_group_size=1000)
    assert lab.learn(tmp_path).facts["lessons"] == report.facts["lessons"]
    texts = rated.assign(x_rating=rated["x_rating"].astype(str))
    rule = {"literals": "interval", "categories": LEVELS}
    features = {"x_gap": "monotone", "x_rating": rule, "x_regime": "category", "x_vol": "monotone"}
    assert (
        lab.learn(texts, {"features": features}).facts["lessons"][0]["uplift_bps"]
        == report.facts["lessons"][0]["uplift_bps"]
    )


def test_without_an_order_one_range_takes_one_lesson_for_each_category(rated: pd.DataFrame) -> None:
    loose = lab.learn(rated.assign(x_rating=rated["x_rating"].astype(str)))
    best = lab.learn(rated)
    assert all(".." not in rule for rule in loose.lessons["rule"])
    assert best.lessons["evidence_nats"].max() > max(loose.lessons["evidence_nats"], default=0.0)


def test_two_orders_are_refused(rated: pd.DataFrame, tmp_path: Path) -> None:
    rated.to_parquet(tmp_path / "a.parquet")
    other = rated.assign(x_rating=rated["x_rating"].cat.reorder_categories(LEVELS[::-1]))
    other.assign(ts=other["ts"] + pd.Timedelta(days=30)).to_parquet(tmp_path / "b.parquet")
    with pytest.raises(
        SchemaError, match=r"order of categories is poor, fair, good, fine, best, and in b.parquet best"
    ):
        lab.learn(tmp_path)


def test_numbers_in_order_and_unused_levels(rated: pd.DataFrame) -> None:
    numbers = rated["x_rating"].cat.rename_categories([1.0, 2.0, 3.0, 4.0, 5.0]).cat.add_categories([6.0])
    report = lab.learn(rated.assign(x_rating=numbers))
    feature = next(f for f in report.facts["features"] if f["name"] == "x_rating")
    assert feature["grouped_by"].startswith("their order")
    assert feature["categories"][-1] == "5..6"
    assert list(report.lessons["grade"]) == ["B"]


def test_a_misspelled_category_is_told(rated: pd.DataFrame) -> None:
    texts = rated.assign(x_rating=rated["x_rating"].astype(str))
    levels = {"x_rating": {"literals": "interval", "categories": ["poor", "fair", "good", "fime", "best"]}}
    with pytest.raises(SchemaError, match=r"no 'fime'.*but 'fine'"):
        lab.learn(texts, {"features": levels})
