"""METRIC_DAY: quality, kernel terms and sigma of each detector version on a day, and which of them moved.

A number of a version, under the same experts and beliefs, on the same raw tape, may not move when the day is made
again: what moves it is a change of code, and that wants another version. (Literature: regression test, golden master.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.hashing import natural_id, round_learned

Columns = Mapping[str, NDArray[np.generic]]
RELATIVE: Final = 1e-6
METRICS: Final = (
    "sq_score", "kr_hbar", "kr_coherence", "kr_phi", "kr_theta", "kr_rho", "kr_emergence", "kr_novelty", "kr_delta_phi",
    "det_sigma",
)  # fmt: skip
READ: Final = ("detector_id", "s", "priors_ver", *METRICS)  # of SIGNAL_EVENTS

METRIC_DAY: Final = TableSpec(
    "metric_day",
    ("detector_id", "metric"),
    (
        Column("detector_id", "text", "", "detector"),
        Column("metric", "text", "", "column of SIGNAL_EVENTS"),
        Column("spec_id", "text", "", "hash of its specification"),
        Column("under", "text", "", "hash of the experts, of the beliefs and of the raw tape of the day"),
        Column("windows", "i8", "windows", "windows with a signal", low=0),
        Column("value", "f8", "1", "mean over them", True),
    ),
)


@dataclass(frozen=True, slots=True)
class MovedMetric:
    """A number that is another than it was under the same version."""

    detector_id: str
    metric: str
    before: float
    after: float

    @property
    def words(self) -> str:
        """What moved, from where to where."""
        return f"{self.metric} of {self.detector_id} is {self.after:.9g}, was {self.before:.9g}"


def metric_day(events: Columns, spec_ids: Mapping[str, str], experts: str, raw: str) -> dict[str, NDArray[np.generic]]:
    """Return the rows of a day in key order; `spec_ids` by detector, `experts` and `raw` hashes."""
    names, signals = np.asarray(events["detector_id"], dtype=object), np.asarray(events["s"], np.float64) != 0.0
    rows: list[tuple[str, str, str, str, int, float]] = []
    for detector in sorted(spec_ids):
        own = signals & (names == detector)
        count = int(np.count_nonzero(own))
        under = natural_id(experts, raw, *sorted(set(events["priors_ver"][own].tolist())))
        for metric in sorted(METRICS):
            value = float(np.mean(np.asarray(events[metric], np.float64)[own])) if count else float("nan")
            rows.append(
                (detector, metric, spec_ids[detector], under, count, float(round_learned(np.array([value]))[0]))
            )
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(METRIC_DAY.names)
    keys = METRIC_DAY.names
    return {n: np.array(list(v), METRIC_DAY.numpy_dtype(n)) for n, v in zip(keys, columns, strict=True)}


def moved_metrics(before: Columns, after: Columns) -> list[MovedMetric]:
    """Return what moved by more than 1e-6 of itself between two tables of a day, under the same version."""
    then = {row[:4]: row[5] for row in _rows(before)}
    out = []
    for row in _rows(after):
        was = then.get(row[:4])
        if was is None or (was != was and row[5] != row[5]):
            continue
        if not abs(row[5] - was) <= RELATIVE * max(abs(row[5]), abs(was)):
            out.append(MovedMetric(row[0], row[1], was, row[5]))
    return out


def as_first_measured(before: Columns, after: Columns, moved: Sequence[MovedMetric]) -> dict[str, NDArray[np.generic]]:
    """Return the new rows, those that moved as they were: they are told again until the version is another."""
    then = {row[:2]: row for row in _rows(before)}
    names = {(one.detector_id, one.metric) for one in moved}
    rows = [then[row[:2]] if row[:2] in names else row for row in _rows(after)]
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(METRIC_DAY.names)
    keys = METRIC_DAY.names
    return {n: np.array(list(v), METRIC_DAY.numpy_dtype(n)) for n, v in zip(keys, columns, strict=True)}


def _rows(table: Columns) -> list[tuple[str, str, str, str, int, float]]:
    return list(zip(*(table[name].tolist() for name in METRIC_DAY.names), strict=True))
