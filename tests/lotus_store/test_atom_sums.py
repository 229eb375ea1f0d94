"""Coarser atoms: sums over parts are the sums of their rows, and name what they hold."""

import numpy as np

from lotus.learning.cube import SUMS
from lotus_store.atom_sums import summed
from lotus_store.columns import Columns


def atoms(rng: np.random.Generator, rows: int) -> Columns:
    cells = rng.choice(40, rows, replace=False)
    return {
        "detector_id": np.array([f"d{k % 3}" for k in range(rows)], object),
        "triple": np.full(rows, 7, np.int16),
        "cell": cells.astype(np.int16),
        **{name: rng.normal(size=rows) for name in SUMS},
        "n": rng.integers(1, 9, rows),
    }


def by_cell(table: Columns, name: str) -> dict[tuple[str, int], float]:
    out: dict[tuple[str, int], float] = {}
    for detector, cell, value in zip(table["detector_id"], table["cell"], table[name], strict=True):
        out[detector, int(cell)] = out.get((detector, int(cell)), 0.0) + float(value)
    return out


def test_sums_are_those_of_the_rows() -> None:
    rng = np.random.default_rng(3)
    parts = [atoms(rng, 20), atoms(rng, 15), atoms(rng, 30)]
    whole = summed(parts, "a=1 b=2")
    assert set(whole["made_of"].tolist()) == {"a=1 b=2"}
    for name in ("n", *SUMS):
        wanted: dict[tuple[str, int], float] = {}
        for part in parts:
            for key, value in by_cell(part, name).items():
                wanted[key] = wanted.get(key, 0.0) + value
        found = by_cell(whole, name)
        assert found.keys() == wanted.keys()
        assert all(abs(found[key] - wanted[key]) < 1e-9 for key in wanted)


def test_a_column_that_an_old_part_lacks_is_no_number_where_it_counts() -> None:
    rng = np.random.default_rng(4)
    old = {name: values for name, values in atoms(rng, 10).items() if name != "rest_h"}
    assert np.isnan(summed([old], "a=1")["rest_h"]).all()
