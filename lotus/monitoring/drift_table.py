"""`drift_report`: what each series of a day was compared with, how far it was from it, and what that adds up to.

Rows carry the e-detectors from one committed day to the next: `r` before a reset, and the family's mean that causes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.monitoring.sketch_table import KEY, KEY_COLUMNS, SeriesName, key_columns, names_of

Columns = Mapping[str, NDArray[np.generic]]
Floats = NDArray[np.float64]


class Verdict(IntEnum):
    """What became of a series on a day: tested, or why not."""

    TESTED = 0
    YOUNG = 1  # compared; fewer than 20 compared days to rank it among
    ABSENT = 2  # no row of the day
    NULL = 3  # fewer than 100 values, or no number
    FEW_LIKE = 4  # fewer than 10 like days with enough of it
    UNLIKE = 5  # the nearest days differ by more than .15 in mean ln rv
    NO_SPREAD = 6  # the reference has IQR or MAD 0
    LEVEL = 7  # a level that walks for ever: shown only


DRIFT_REPORT: Final = TableSpec(
    "drift_report",
    KEY,
    (
        *KEY_COLUMNS,
        Column("verdict", "u1", "code", ", ".join(f"{v.value} {v.name.lower()}" for v in Verdict), low=0, high=7),
        Column("like_days", "i4", "days", "like days with enough of the series", low=0),
        Column("found", "f8", "as the series", "median, or number, of the day", True),
        Column("expected", "f8", "as the series", "the same of the like days", True),
        Column("x", "f8", "IQR or MAD", "distance to the like days", True, 0),
        Column(
            "p",
            "f8",
            "1",
            "randomised rank of what the days before do not foretell of x, among the last 90 tested days",
            True,
            0,
            1,
        ),
        Column("e", "f8", "1", "bet on the rank, mean 1 while nothing changes", True, 0),
        Column("r", "f8", "1", "sum of bets since the family's last alarm (Shiryaev-Roberts)", False, 0),
        Column("family_r", "f8", "1", "mean r of the family's series that were tested since; alarm from 365", False, 0),
        Column("is_named", "?", "", "in a family in alarm: one of the few series that carry it"),
        Column("psi", "f8", "1", "population stability index; shown, never tested", True, 0),
        Column("ks", "f8", "1", "Kolmogorov-Smirnov distance; shown, never tested", True, 0, 1),
    ),
)


@dataclass(frozen=True, slots=True)
class DriftReport:
    """One day's report as arrays over its series, in key order; columns as in `DRIFT_REPORT`."""

    names: tuple[SeriesName, ...]
    numbers: Mapping[str, NDArray[np.generic]]

    def columns(self) -> dict[str, NDArray[np.generic]]:
        """Return the columns of the table."""
        return key_columns(self.names) | dict(self.numbers)

    def floats(self, name: str) -> Floats:
        """Return a column of numbers."""
        return np.asarray(self.numbers[name], np.float64)


def report_of(columns: Columns) -> DriftReport:
    """Return the report that columns of `DRIFT_REPORT` hold."""
    return DriftReport(names_of(columns), {name: columns[name] for name in DRIFT_REPORT.names if name not in KEY})


def carrying(r: Floats, share: float = 0.9, most: int = 8) -> NDArray[np.int64]:
    """Return the rows, largest first, of the fewest series that carry `share` of the sum of r; at most `most`."""
    order = np.argsort(-r, kind="stable")[:most]
    before = np.cumsum(r[order]) - r[order]
    return np.asarray(order[(before < share * r.sum()) & (r[order] > 0.0)])


def counts_of(verdicts: Sequence[int]) -> dict[str, int]:
    """Return how many series had each verdict, by its name in small letters."""
    return {v.name.lower(): sum(found == v for found in verdicts) for v in Verdict}
