"""One earlier day, digested to the arrays that day tables are made of.

From SIGNAL_EVENTS: one row per window (raw context, volatility, mid) and one per signal (s != 0); from SIGNAL_EVAL of
the same day: payoffs that matured on it. Nothing is estimated here, and nothing of the day in question may enter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.tables import NEUTRAL
from lotus.detectors.spec import DetectorSpec
from lotus.manifest import Asset, Manifest
from lotus.priors.vocabulary import ALIGNED, BIN_COLUMNS, FEATURE_NAMES, VALUE_COLUMNS

Columns = Mapping[str, NDArray[np.generic]]
SLOW_TERMS = ("sq_score", "kr_coherence", "kr_phi", "kr_novelty", "kr_theta", "kr_rho")
EVENT_COLUMNS: tuple[str, ...] = (
    "detector_id", "spec_version", "asset", "window_end_ms", "s", "veto", "published", "kr_hbar", "mx_evidence",
    "crowd_share", "mid2", "rv_bps", *SLOW_TERMS, *VALUE_COLUMNS, *BIN_COLUMNS,
)  # fmt: skip
_MX = FEATURE_NAMES.index("mx")
MAX_ASSETS = 4096


@dataclass(frozen=True, slots=True)
class DayHistory:
    """Arrays of one day; `key` = window index * MAX_ASSETS + asset, window index = window_end_ms // window_ms.

    Windows, sorted by key: `x` f8 [n, 12] raw (not aligned), `rv`, `mid2`. Signals, sorted by (detector, key):
    `detector`, `signal_key`, `s`, `veto` (bits of SIGNAL_EVENTS), `published`, `mx` (aligned evidence), `crowd`,
    `bins` u1 [m, 12]. Payoffs, sorted by (detector, key): `paid_detector`, `paid_key`, `ret`, modelled `payoff` P and
    `executed` Y (NaN when not published) in bps at the decision horizon. `due` and `dropped` i8 [D]: windows that
    matured on the day, and those of them that a gap took away.
    `median_sigma` f8 [D]: daily median of sigma before priors, evidence, crowding and emergence; NaN without signals
    and while sq_score stood at its neutral 0.5 (leaving it would look like a trend).
    """

    day: str
    key: NDArray[np.int64]
    x: NDArray[np.float64]
    rv: NDArray[np.float64]
    mid2: NDArray[np.int64]
    detector: NDArray[np.int64]
    signal_key: NDArray[np.int64]
    s: NDArray[np.float64]
    veto: NDArray[np.uint32]
    published: NDArray[np.bool_]
    mx: NDArray[np.float64]
    crowd: NDArray[np.float64]
    bins: NDArray[np.uint8]
    paid_detector: NDArray[np.int64]
    paid_key: NDArray[np.int64]
    ret: NDArray[np.float64]
    payoff: NDArray[np.float64]
    executed: NDArray[np.float64]
    due: NDArray[np.int64]
    dropped: NDArray[np.int64]
    median_sigma: NDArray[np.float64]

    @property
    def eligible(self) -> NDArray[np.bool_]:
        """Signals without a veto, bool [m]."""
        out: NDArray[np.bool_] = self.veto == 0
        return out


@dataclass(frozen=True, slots=True)
class _Paid:
    detector: NDArray[np.int64]
    key: NDArray[np.int64]
    ret: NDArray[np.float64]
    payoff: NDArray[np.float64]
    executed: NDArray[np.float64]
    due: NDArray[np.int64]
    dropped: NDArray[np.int64]


def eval_columns(detectors: Sequence[DetectorSpec]) -> tuple[str, ...]:
    """Return the columns of SIGNAL_EVAL that a digest reads."""
    horizons = sorted({d.horizon_s for d in detectors})
    base = ("detector_id", "asset", "window_end_ms", "payoff_p", "payoff_y", "status")
    return (*base, *(f"fwd_ret_bps_{h}" for h in horizons))


def digest_day(
    day: str,
    events: Columns,
    outcomes: Columns | None,
    manifest: Manifest,
    universe: Sequence[Asset],
    detectors: Sequence[DetectorSpec],
) -> DayHistory:
    """Digest one day's `EVENT_COLUMNS` of SIGNAL_EVENTS and `eval_columns` of SIGNAL_EVAL (None before any matured).

    Rows of detectors or assets that are no longer known are left out, and signals of another version of a detector:
    a new version begins without history.
    """
    detector, key = _keys(events, manifest, universe, detectors)
    order = np.lexsort((key, detector))
    order = order[detector[order] >= 0]
    detector, key = detector[order], key[order]
    s = np.asarray(events["s"], dtype=np.float64)[order]
    lead = detector == (detector.min() if len(detector) else 0)
    version = np.array([d.version for d in detectors], dtype=np.int64)[detector]
    fires = (s != 0.0) & (np.asarray(events["spec_version"], dtype=np.int64)[order] == version)

    def column(name: str) -> NDArray[np.float64]:
        return np.asarray(events[name], dtype=np.float64)[order]

    bins = np.stack([np.asarray(events[name], dtype=np.uint8)[order][fires] for name in BIN_COLUMNS], axis=1)
    terms = {name: column(name)[fires] for name in (*SLOW_TERMS, "kr_hbar")}
    paid = _payoffs(outcomes, manifest, universe, detectors)
    return DayHistory(
        day=day,
        key=key[lead],
        x=_raw_context(events, order[lead], s[lead]),
        rv=column("rv_bps")[lead],
        mid2=np.asarray(events["mid2"], dtype=np.int64)[order][lead],
        detector=detector[fires],
        signal_key=key[fires],
        s=s[fires],
        veto=np.asarray(events["veto"], dtype=np.uint32)[order][fires],
        published=np.asarray(events["published"], dtype=np.bool_)[order][fires],
        mx=column("mx_evidence")[fires],
        crowd=column("crowd_share")[fires],
        bins=bins,
        paid_detector=paid.detector,
        paid_key=paid.key,
        ret=paid.ret,
        payoff=paid.payoff,
        executed=paid.executed,
        due=paid.due,
        dropped=paid.dropped,
        median_sigma=_median_sigma(terms, detector[fires], manifest, len(detectors)),
    )


def _keys(
    table: Columns, manifest: Manifest, universe: Sequence[Asset], detectors: Sequence[DetectorSpec]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    detector_at = {d.detector_id: k for k, d in enumerate(detectors)}
    asset_at = {a.name: k for k, a in enumerate(universe)}
    detector = np.array([detector_at.get(x, -1) for x in table["detector_id"].tolist()], dtype=np.int64)
    asset = np.array([asset_at.get(x, -1) for x in table["asset"].tolist()], dtype=np.int64)
    window = np.asarray(table["window_end_ms"], dtype=np.int64) // manifest.kernel.window_ms
    return np.where(asset < 0, -1, detector), window * MAX_ASSETS + asset


def _raw_context(events: Columns, rows: NDArray[np.int64], s: NDArray[np.float64]) -> NDArray[np.float64]:
    out = np.stack([np.asarray(events[name], dtype=np.float64)[rows] for name in VALUE_COLUMNS], axis=1)
    down = s < 0.0
    for f, aligned in enumerate(ALIGNED):
        if aligned:
            out[down, f] *= -1.0
    out[down, _MX] = 1.0 - out[down, _MX]
    return out


def _payoffs(
    outcomes: Columns | None, manifest: Manifest, universe: Sequence[Asset], detectors: Sequence[DetectorSpec]
) -> _Paid:
    if outcomes is None or not len(outcomes["payoff_p"]):
        none, count = np.zeros(0), np.zeros(len(detectors), np.int64)
        return _Paid(
            detector=none.astype(np.int64),
            key=none.astype(np.int64),
            ret=none,
            payoff=none,
            executed=none,
            due=count,
            dropped=count,
        )
    detector, key = _keys(outcomes, manifest, universe, detectors)
    payoff = np.asarray(outcomes["payoff_p"], dtype=np.float64)
    ret = np.full(len(payoff), np.nan)
    for d, spec in enumerate(detectors):
        own_rows = detector == d
        ret[own_rows] = np.asarray(outcomes[f"fwd_ret_bps_{spec.horizon_s}"], dtype=np.float64)[own_rows]
    scored, whole = detector >= 0, np.asarray(outcomes["status"] == "ok", dtype=np.bool_)
    rows = np.flatnonzero(scored & whole & np.isfinite(payoff) & np.isfinite(ret))
    rows = rows[np.lexsort((key[rows], detector[rows]))]
    return _Paid(
        detector=detector[rows],
        key=key[rows],
        ret=ret[rows],
        payoff=payoff[rows],
        executed=np.asarray(outcomes["payoff_y"], dtype=np.float64)[rows],
        due=np.bincount(detector[scored], minlength=len(detectors)),
        dropped=np.bincount(detector[scored & ~whole], minlength=len(detectors)),
    )


def _median_sigma(
    terms: Mapping[str, NDArray[np.float64]], detector: NDArray[np.int64], manifest: Manifest, count: int
) -> NDArray[np.float64]:
    score = manifest.score
    gain = np.zeros(len(detector))
    for name, weight in (("kr_hbar", 1.0), ("kr_coherence", 1.0), ("kr_phi", 1.0), ("kr_novelty", 0.8)):
        gain += weight / 3.8 * np.log(0.05 + 0.95 * terms[name])
    penalty = score.penalty_a * np.log(1.0 - terms["kr_theta"]) + score.penalty_b * np.log(1.0 - terms["kr_rho"])
    ln_sigma = score.sq_share * np.log(np.maximum(terms["sq_score"], 1e-3))
    ln_sigma += (1.0 - score.sq_share) * np.maximum(gain + penalty, np.log(1e-3))
    out = np.full(count, np.nan)
    for d in range(count):
        own_rows = (detector == d) & (terms["sq_score"] != NEUTRAL)
        if np.any(own_rows):
            out[d] = np.median(np.exp(ln_sigma[own_rows]))
    return out
