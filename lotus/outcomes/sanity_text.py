"""The sanity table for people: a header and rows of text, every series of the chosen asset, losers included."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

HEADER = (
    "kind", "series", "horizon", "spoken", "n_eff", "correlation", "rank corr.", "signed move, bps", "hit", "cost, bps",
    "verdict",
)  # fmt: skip
READING = (
    "Mid to mid, overlapping moves; 95 % intervals over blocks of time, each row by itself: of forty rows that know "
    "nothing, one is expected to look right and one wrong by chance. A series earns its cost when the lower end of its "
    "signed move lies above spread and two taker fees."
)


def sanity_rows(table: Mapping[str, NDArray[np.generic]], asset: str, horizon_s: int | None = None) -> list[list[str]]:
    """Return the rows of SANITY_TABLE of one asset (`all`: the pooled ones), at one horizon or at every one."""
    chosen = table["asset"] == asset
    if horizon_s is not None:
        chosen &= table["horizon_s"] == horizon_s
    rows = []
    for k in np.flatnonzero(chosen):
        row = {name: values[k] for name, values in table.items()}
        rows.append([
            str(row["kind"]),
            str(row["series"]),
            f"{row['horizon_s']} s",
            f"{row['spoken']}",
            _number(row["n_eff"], ".0f"),
            _interval(row, "pearson", "pearson_low", "pearson_high", "+.3f"),
            _number(row["spearman"], "+.3f"),
            _interval(row, "mean_bps", "mean_low_bps", "mean_high_bps", "+.2f"),
            _interval(row, "hit", "hit_low", "hit_high", ".3f"),
            _number(row["cost_bps"], ".2f"),
            str(row["verdict"]),
        ])  # fmt: skip
    return rows


def _interval(row: Mapping[str, object], value: str, low: str, high: str, form: str) -> str:
    if np.isnan(float(str(row[value]))):
        return "-"
    ends = f" [{_number(row[low], form)}, {_number(row[high], form)}]"
    return _number(row[value], form) + ("" if np.isnan(float(str(row[low]))) else ends)


def _number(value: object, form: str) -> str:
    number = float(str(value))
    return "-" if np.isnan(number) else format(number, form)
