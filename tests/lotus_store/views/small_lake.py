"""A lake of a few rows for the tests of views: two branches, one of them of an odd name, split and unsplit tables."""

from pathlib import Path

import numpy as np

from lotus.columns import Column, TableSpec
from lotus_store.lake import Lake

ODD = "a b%/ü['x]"
DAYS = "2026-01-05", "2026-01-06", "2026-01-07"
SMALL = TableSpec(
    "small",
    ("n",),
    (
        Column("n", "i8", "", "number"),
        Column("x", "f8", "", "value", nullable=True),
        Column("word", "text", "", "text"),
        Column("flag", "?", "", "flag"),
    ),
)
OTHER = TableSpec("small", ("n",), (*SMALL.columns, Column("y", "f8", "", "of one branch only", nullable=True)))
SPLIT = TableSpec("split", ("n",), (Column("n", "i8", "", "number"), Column("day", "text", "", "as in the path")))


def fill(root: Path) -> Lake:
    """Write three days of `small` on two branches and of `split` on one, and return the lake."""
    lake = Lake(root)
    for k, day in enumerate(DAYS):
        n = np.arange(k * 4, k * 4 + 4)
        rows = {
            "n": n,
            "x": np.where(n % 2, np.nan, n / 4),
            "word": [f"w{i}" for i in n],
            "flag": n % 3 == 0,
        }
        lake.write(SMALL, "main", day, rows)
        lake.write(OTHER, ODD, day, rows | {"y": n + 0.5})
        for symbol in ("BTC", "PURR/USDC"):
            lake.write(SPLIT, "main", day, {"n": n, "day": [day] * 4}, symbol)
    lake.write_document("no_table", "main", DAYS[0], "{}")
    return lake
