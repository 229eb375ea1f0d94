"""META_SIGNALS: budget cues `ms_*` of every window and asset. They scale a budget and never carry direction.

Timing is that of the detectors that spoke in the window: means of det_kairos and det_uncert, and det_entrain_r.
Asymmetry says how one-sided payoffs may be now, in five components of size 0 to 5, each read from the window's context:

z(x) = clip((x - m) / s, 0, 5), m and s from the edges of the asset's context bins, frozen at day start: a normal law
       with the same 20 and 80 % points; of |x|, for features whose edges are symmetric, the folded law
Z_OI = z(open interest) |trend| / (1 + |trend|): crowded positions times the way that the last 5 minutes went, in units
       of volatility. Liquidation bands are not in the public feed; the distance travelled stands for being near them
Z_F  = z(|funding|) when funding and trend have one sign, else 0: the crowded side pays while the price runs its way
Z_B  = z(|basis|): stress between the perpetual and the oracle
Z_D  = (z(depth slope) + z(spread)) / 2: little size near the touch, and a wide touch
Z_W  = 1 at the weekend, else 0
Z_C, Z_U: on-chain flow and token unlocks have no feed: they are 0, and always named as absent

ms_asym_score = logistic(sum w Z - 2), null while none of the first four is measured. The weights are starting values of
0.5 until the weekly refit takes up others (`asymmetry_fit`), which stand in the tables of the day. The market's own:
the mean score of the window before, and the share of its measured components at or above 2 (breadth), over at least 3
assets.

Which rows exist is decided by SIGNAL_EVENTS, in scoring order; nothing is scored here, and nothing feeds back.
"""

from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.detectors.daily.tables import DayTables
from lotus.detectors.meta_signals_step import (
    CAP,
    META_STATE_DTYPE,
    N_SCALES,
    O_OI,
    O_SCORE,
    O_W,
    OUT,
    RAW,
    WEIGHT,
    components,
    run_meta,
)
from lotus.errors import SchemaError
from lotus.priors.vocabulary import ALIGNED, VALUE_COLUMNS

Columns = Mapping[str, NDArray[np.generic]]
MEASURED: Final = ("Z_OI", "Z_F", "Z_B", "Z_D", "Z_W")
NO_FEED: Final = ("Z_C", "Z_U")
NORMAL_80: Final = 0.8416212335729143
FOLDED_MEAN: Final = 0.7978845608028654
FOLDED_DEVIATION: Final = 0.6028102749890869
COMPONENTS: Final = MEASURED + NO_FEED  # in the order of the bits of ms_absent

META_SIGNALS: Final = TableSpec(
    "meta_signals",
    ("window_end_ms", "asset"),
    (
        Column("window_end_ms", "i8", "ms UTC", "end of the window, venue time"),
        Column("asset", "text", "", "venue name of the perpetual"),
        Column("close_seq", "i8", "line", "line number of the closing message"),
        Column("ms_kairos", "f8", "1", "mean det_kairos of the detectors that spoke; null when none did", True, 0, 1),
        Column("ms_entrain_r", "f8", "1", "det_entrain_r: synchrony of the window before", True, 0, 1),
        Column("ms_uncert", "f8", "1", "mean det_uncert of the detectors that spoke; null when none did", True, 0, 1),
        Column("z_oi", "f8", "sd", "open interest times the way travelled; 0 when absent", False, 0, CAP),
        Column("z_f", "f8", "sd", "funding on the side of the trend; 0 when absent", False, 0, CAP),
        Column("z_b", "f8", "sd", "basis; 0 when absent", False, 0, CAP),
        Column("z_d", "f8", "sd", "depth vacuum; 0 when absent", False, 0, CAP),
        Column("z_w", "f8", "0/1", "weekend; 0 when absent", False, 0, 1),
        Column("ms_absent", "u1", "bits", ", ".join(f"{1 << k} {n}" for k, n in enumerate(COMPONENTS)), False, 96, 127),
        Column("ms_asym_score", "f8", "1", "asymmetry of the asset; null when no component is measured", True, 0, 1),
        Column("ms_asym_market", "f8", "1", "mean score of the window before; null below 3 assets", True, 0, 1),
        Column("ms_asym_breadth", "f8", "1", "share of its components at or above 2; null below 3 assets", True, 0, 1),
    ),
)  # fmt: skip
EVENT_COLUMNS: Final = ("asset", "window_end_ms", "close_seq", "s", "kairos", "uncert", *RAW)


def asymmetry_scales(tables: DayTables) -> NDArray[np.float64]:
    """Return f8 [A, N_SCALES, 2]: centre and deviation per asset of what the components measure; NaN without edges.

    With q = 0.8416, the 80 % point of the normal law: (e2 + e3) / 2 and (e4 - e1) / 2q from rising edges e1 .. e4 of a
    plain feature; of |x|, with sigma = e4 / q of symmetric edges, sigma sqrt(2 / pi) and sigma sqrt(1 - 2 / pi).
    """
    edges = tables.edge_array()[:, [VALUE_COLUMNS.index(name) for name in RAW[:N_SCALES]]]
    centre = (edges[:, :, 1] + edges[:, :, 2]) / 2.0
    spread = (edges[:, :, 3] - edges[:, :, 0]) / (2.0 * NORMAL_80)
    folded = np.array([ALIGNED[VALUE_COLUMNS.index(name)] for name in RAW[:N_SCALES]])
    sigma = edges[:, :, 3] / NORMAL_80
    centre = np.where(folded, FOLDED_MEAN * sigma, centre)
    return np.stack([centre, np.where(folded, FOLDED_DEVIATION * sigma, spread)], axis=2)


def asymmetry_weights(tables: DayTables) -> NDArray[np.float64]:
    """Return f8 [5]: the weights of the measured components on the day of the tables."""
    return np.array(tables.asymmetry_weights or (WEIGHT,) * len(MEASURED), np.float64)


def asymmetry_of(row: Mapping[str, Any], tables: DayTables) -> tuple[dict[str, float], float | None]:
    """Return the measured components by name and the score of one row of SIGNAL_EVENTS, under the tables it names.

    Equal to the asset's part of `MetaSignals`; raises `SchemaError` for an asset that the tables do not know.
    """
    if row["asset"] not in tables.assets:
        raise SchemaError(f"asset {row['asset']}", f"one of {', '.join(tables.assets)}", "tables of another universe")
    out = np.zeros(len(OUT))
    raw = np.array([row[name] for name in RAW], dtype=np.float64)
    components(raw, asymmetry_scales(tables)[tables.assets.index(row["asset"])], asymmetry_weights(tables), out)
    measured = {name: float(x) for name, x in zip(MEASURED, out[O_OI : O_W + 1], strict=True) if x == x}
    return measured, float(out[O_SCORE]) if out[O_SCORE] == out[O_SCORE] else None


class MetaSignals:
    """Streaming cues of one branch and day; feed events in the order in which their windows closed.

    The first window has no window before: its market is null.
    """

    def __init__(self, window_ms: int, tables: DayTables) -> None:
        """Start blank with the tables of the day; their assets and detectors are those of the events."""
        self._index = {name: k for k, name in enumerate(tables.assets)}
        self._width, self._scales = len(tables.detector_ids), asymmetry_scales(tables)
        self._weights = asymmetry_weights(tables)
        self._window_ms = window_ms
        self._state = np.zeros(len(tables.assets), META_STATE_DTYPE)

    def feed(self, events: Columns) -> dict[str, NDArray[np.generic]]:
        """Return META_SIGNALS rows of the windows in `events`, in closing order.

        `events`: `EVENT_COLUMNS` of SIGNAL_EVENTS, all detectors of a window together; raises `SchemaError` when not.
        """
        ends = np.asarray(events["window_end_ms"], dtype=np.int64)
        names = np.asarray(events["asset"])
        lead = slice(None, None, self._width)
        if len(ends) % self._width or not _together(ends, self._width) or not _together(names, self._width):
            raise SchemaError(f"{len(ends)} events", f"whole windows of {self._width} detectors, in scoring order")
        asset = np.array([self._index[name] for name in names[lead].tolist()], dtype=np.int64)
        raw = np.stack([np.asarray(events[name], dtype=np.float64)[lead] for name in RAW], axis=1)
        s, kairos, uncert = (self._by_window(events[name]) for name in ("s", "kairos", "uncert"))
        out = np.zeros((len(asset), len(OUT)))
        run_meta(
            self._state, self._scales, self._weights, self._window_ms, asset, ends[lead].copy(), raw, s, kairos, uncert,
            out,
        )  # fmt: skip
        return _table(events, lead, out)

    def _by_window(self, values: NDArray[np.generic]) -> NDArray[np.float64]:
        return np.ascontiguousarray(np.asarray(values, dtype=np.float64).reshape(-1, self._width))


def in_scoring_order(events: Columns, tables: DayTables) -> dict[str, NDArray[np.generic]]:
    """Return events in key order (end, asset, detector) as the scorer gave them: by closing line, asset and window.

    `events`: `EVENT_COLUMNS` and `close_recv_ns`. Windows without exactly one row per detector, or of an
    asset that is not known, are left out: what only a daemon's log holds.
    """
    width = len(tables.detector_ids)
    index = {name: k for k, name in enumerate(tables.assets)}
    asset = np.array([index.get(name, -1) for name in events["asset"].tolist()], dtype=np.int64)
    end, seq, recv = (np.asarray(events[n], np.int64) for n in ("window_end_ms", "close_seq", "close_recv_ns"))
    begins = np.flatnonzero(np.diff(end, prepend=-1) | np.diff(asset, prepend=-2))
    whole = begins[(np.diff(begins, append=len(end)) == width) & (asset[begins] >= 0)]
    order = whole[np.lexsort((end[whole], asset[whole], seq[whole], recv[whole]))]
    rows = (order[:, None] + np.arange(width)).ravel()
    return {name: np.asarray(values)[rows] for name, values in events.items()}


def _together(values: NDArray[np.generic], width: int) -> bool:
    rows = values.reshape(-1, width)
    return bool(np.all(rows == rows[:, :1]))


def _table(events: Columns, lead: slice, out: NDArray[np.float64]) -> dict[str, NDArray[np.generic]]:
    absent = np.full(len(out), sum(1 << COMPONENTS.index(name) for name in NO_FEED), dtype=np.uint8)
    for k in range(len(MEASURED)):
        absent |= np.isnan(out[:, O_OI + k]).astype(np.uint8) << np.uint8(k)
    made: dict[str, NDArray[np.generic]] = {name: np.ascontiguousarray(out[:, k]) for k, name in enumerate(OUT)}
    made |= {OUT[k]: np.nan_to_num(out[:, k]) for k in range(O_OI, O_W + 1)}
    made |= {name: np.asarray(events[name])[lead].copy() for name in ("window_end_ms", "asset", "close_seq")}
    made["ms_absent"] = absent
    return {name: made[name] for name in META_SIGNALS.names}
