"""The credit of experts against a plain pandas table, its sums, and what it says of an expert that knows the payoff."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from lotus.errors import SchemaError
from lotus.experts.attribution import DETECTOR_DSI_ATTRIB, AttributedWindows, attribution

EXPERTS = ("sweep", "absorb", "lean")


def windows(seed: int, n: int = 400) -> AttributedWindows:
    rng = np.random.default_rng(seed)
    z = rng.normal(0.0, 1.0, (n, 3)) * (rng.random((n, 3)) < 0.6)
    z[rng.random((n, 3)) < 0.1] = np.nan
    z[:5] = 0.0
    side = rng.choice([-1.0, 1.0], n)
    weights = np.where(np.arange(n)[:, None] < n // 2, [0.5, 0.2, 0.0], [0.7, 0.3, 0.1])
    payoff = 3.0 * side * np.nan_to_num(z[:, 0]) + rng.normal(-1.0, 4.0, n)
    detector = rng.choice(np.array(["b", "a"], dtype=object), n)
    return AttributedWindows(detector, side, payoff, rng.integers(80, 85, n), z, weights)


def by_table(w: AttributedWindows) -> pd.DataFrame:
    """The rows by pandas, from one line per window and expert."""
    lines = [
        {"w": i, "detector_id": w.detector[i], "expert_id": name, "block": w.block[i], "P": w.payoff[i],
         "weight": w.weights[i, j], "c": (0.0 if np.isnan(w.z[i, j]) else w.z[i, j]) * w.weights[i, j] * w.side[i]}
        for i in range(len(w.side)) for j, name in enumerate(EXPERTS)
    ]  # fmt: skip
    table = pd.DataFrame(lines)
    table["total"] = table.c.abs().groupby([table.w]).transform("sum")
    table["centred"] = table.P - table.groupby(["detector_id", "expert_id"]).P.transform("mean")
    found = {}
    for key, rows in table.groupby(["detector_id", "expert_id"]):
        heard, spoke = rows[rows.total > 0], rows[rows.c != 0]
        credit = rows.c.cov(rows.P, ddof=0)
        sums = (rows.c * rows.centred - credit).groupby(rows.block).sum()
        error = np.sqrt(len(sums) / (len(sums) - 1) * (sums**2).sum()) / len(rows)
        reach = stats.t.ppf(0.975, len(sums) - 1) * error
        found[key] = {
            "weight": rows.weight.mean(), "windows": len(rows), "spoke": len(spoke),
            "share": (heard.c.abs() / heard.total).mean(), "agreement": np.sign(spoke.c).mean(),
            "contribution": rows.c.mean(), "credit": credit, "credit_low": credit - reach,
            "credit_high": credit + reach, "blocks": len(sums),
        }  # fmt: skip
    return pd.DataFrame(found).T


@pytest.mark.parametrize("seed", range(3))
def test_rows_are_those_of_a_plain_table(seed: int) -> None:
    w = windows(seed)
    rows, wanted = attribution(w, EXPERTS), by_table(w)
    assert list(zip(rows["detector_id"], rows["expert_id"], strict=True)) == list(wanted.index)
    for name in wanted.columns:
        np.testing.assert_allclose(rows[name].astype(float), wanted[name].astype(float), rtol=1e-7, atol=1e-12)
    assert {name: values.dtype for name, values in rows.items()} == {
        c.name: DETECTOR_DSI_ATTRIB.numpy_dtype(c.name) for c in DETECTOR_DSI_ATTRIB.columns
    }


def test_shares_and_credits_add_up_and_the_one_that_knows_is_credited() -> None:
    w = windows(9, 4_000)
    rows = attribution(w, EXPERTS)
    llr = np.nansum(w.z * w.weights, axis=1)
    for detector in ("a", "b"):
        mine = rows["detector_id"] == detector
        at = w.detector == detector
        assert rows["share"][mine].sum() == pytest.approx(1.0)
        joint = np.cov(llr[at] * w.side[at], w.payoff[at], ddof=0)[0, 1]
        assert rows["credit"][mine].sum() == pytest.approx(joint)
        low = dict(zip(rows["expert_id"][mine], rows["credit_low"][mine], strict=True))
        high = dict(zip(rows["expert_id"][mine], rows["credit_high"][mine], strict=True))
        assert low["sweep"] > 0.0
        assert low["absorb"] < 0.0 < high["absorb"]


def test_few_windows_and_silence_are_null() -> None:
    one = AttributedWindows(np.array(["a"], dtype=object), np.ones(1), np.ones(1), np.zeros(1, np.int64),
                            np.zeros((1, 3)), np.ones((1, 3)))  # fmt: skip
    rows = attribution(one, EXPERTS)
    for name in ("share", "agreement", "credit_low", "credit_high"):
        assert np.isnan(rows[name]).all()
    assert rows["spoke"].tolist() == [0, 0, 0]
    none = AttributedWindows(*(x[:0] for x in (one.detector, one.side, one.payoff, one.block, one.z, one.weights)))
    assert all(len(values) == 0 for values in attribution(none, EXPERTS).values())
    with pytest.raises(SchemaError):
        attribution(
            AttributedWindows(one.detector, one.side, np.array([np.nan]), one.block, one.z, one.weights), EXPERTS
        )
