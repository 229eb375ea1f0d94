"""What is watched of a day: its frames and their quality, its context, its scores, how different the detectors are.

Frames are taken once a window, which loses nothing of their law. Prices and open interest are sketched like all
columns but walk for ever, so `sketch_table.LEVELS` names them as not to be tested: their changes are.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.daily.history import MAX_ASSETS, DayHistory
from lotus.detectors.spec import DetectorSpec
from lotus.manifest import Asset
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import FLOAT_NAMES, I_ASSET, I_END, I_QUALITY, I_RECV, LATE
from lotus.monitoring.diversity import effective_number, hourly_payoffs
from lotus.monitoring.novelty import as_text, novel_share, pair_cells, seen_in
from lotus.monitoring.sketch_table import (
    DATA,
    DIVERSITY,
    LN_RV,
    SCORE,
    DaySketches,
    SeriesName,
    numbered,
    sketched,
)
from lotus.priors.vocabulary import VALUE_COLUMNS
from lotus.timebase import HOUR_MS, NS_PER_MS

Columns = Mapping[str, NDArray[np.generic]]
Floats = NDArray[np.float64]

SCORES: Final = ("ln_sigma_0", "u0", "mx_evidence")
PENALTY: Final = "kr_theta"  # made from the publications of 20 days, so beliefs move it
DAILY: Final = (PENALTY, "tau_pub")
SCORE_COLUMNS: Final = ("detector_id", "asset", "s", "published", "fired", "pi", *SCORES, *DAILY)
NOVEL: Final = "novel_share"


def frame_series(frames: FrameBatch, rows: "slice | NDArray[np.bool_]", per_window: int) -> list[DaySketches]:
    """Return the sketches of the frames in `rows` (those of the day), every `per_window`-th of each asset, and quality.

    `skew_ms`: receive time of the message that closed a frame less the frame's end, ms.
    """
    ints, floats, out = frames.ints[rows], frames.floats[rows], []
    for index, asset in enumerate(frames.universe):
        own = np.flatnonzero(ints[:, I_ASSET] == index)
        taken = own[::per_window]
        skew = ints[taken, I_RECV] / NS_PER_MS - ints[taken, I_END]
        values = np.vstack([floats[taken].T, skew])
        names = [SeriesName(DATA, asset.name, "", name) for name in (*FLOAT_NAMES, "skew_ms")]
        one = sketched(names, values)
        quality = ints[own, I_QUALITY]
        numbers = {
            "null_share": float(one.null_share[:-1].mean()),
            "late_share": float(((quality & LATE) != 0).mean()) if len(own) else np.nan,
            "skew_p99_ms": float(np.quantile(skew, 0.99)) if len(skew) else np.nan,
        }
        out += [one, numbered({SeriesName(DATA, asset.name, "", name): x for name, x in numbers.items()})]
    return out


def gap_series(minutes: Columns, universe: Sequence[Asset]) -> DaySketches:
    """Return the share of each asset's expected seconds that no message covers, from TAPE_COMPLETENESS."""
    count = len(universe)
    asset = np.asarray(minutes["asset"], np.int64)
    covered, expected = (
        np.bincount(asset, weights=np.asarray(minutes[name], np.float64), minlength=count)
        for name in ("covered_s", "expected_s")
    )
    share = 1.0 - covered / np.where(expected > 0.0, expected, np.nan)
    names = [SeriesName(DATA, one.name, "", "gap_share") for one in universe]
    return numbered(dict(zip(names, np.maximum(share, 0.0).tolist(), strict=True)))


def tape_series(duplicates: int, late_share: float, lines: int) -> DaySketches:
    """Return the shares of double and late lines of the whole tape."""
    shares = {"duplicate_share": duplicates / lines if lines else np.nan, "late_share": late_share}
    return numbered({SeriesName(DATA, "", "", name): share for name, share in shares.items()})


def context_series(
    day: DayHistory, universe: Sequence[Asset], seen_before: Mapping[str, NDArray[np.bool_]]
) -> list[DaySketches]:
    """Return the sketches of the windows' raw context and ln rv by asset, and `novel_share` of its signals.

    `seen_before`: the pairs of bins that the 28 days before saw, by asset; without an asset's there is no share.
    """
    asset, spoke = day.key % MAX_ASSETS, day.signal_key % MAX_ASSETS
    out = []
    with np.errstate(divide="ignore", invalid="ignore"):
        ln_rv = np.where(day.rv > 0.0, np.log(day.rv), np.nan)
    for index, one in enumerate(universe):
        own, signals = asset == index, pair_cells(day.bins[spoke == index])
        names = [SeriesName(DATA, one.name, "", name) for name in (*VALUE_COLUMNS, LN_RV)]
        out.append(sketched(names, np.vstack([day.x[own].T, ln_rv[own]])))
        before = seen_before.get(one.name)
        share = novel_share(signals, before) if before is not None else np.nan
        name = SeriesName(DATA, one.name, "", NOVEL)
        out.append(numbered({name: share}, {name: as_text(seen_in(signals))} if len(signals) else None))
    return out


def score_series(
    events: Columns, detectors: Sequence[DetectorSpec], universe: Sequence[Asset], believed: Collection[str] = ()
) -> list[DaySketches]:
    """Return the sketches of the scores of each detector's signals by asset, and its numbers of the day.

    What the platform learned is not what is watched for: the share published is the one without beliefs, by the weight
    p0 / pi of a publication, and there is no context penalty of the `believed`, detectors on which beliefs acted of
    late.
    """
    detector = _codes(events["detector_id"], [d.detector_id for d in detectors])
    asset = _codes(events["asset"], [a.name for a in universe])
    speaks = np.asarray(events["s"], np.float64) != 0.0
    scores = np.stack([np.asarray(events[name], np.float64) for name in SCORES])
    published = _without_beliefs(events)
    out = []
    for d, spec in enumerate(detectors):
        rows = speaks & (detector == d)
        numbers = {name: _median(np.asarray(events[name], np.float64)[rows]) for name in DAILY}
        if spec.detector_id in believed:
            numbers[PENALTY] = np.nan
        numbers["publish_share"] = float(published[rows].mean()) if rows.any() else np.nan
        out.append(numbered({SeriesName(SCORE, "", spec.detector_id, name): x for name, x in numbers.items()}))
        for a, one in enumerate(universe):
            names = [SeriesName(SCORE, one.name, spec.detector_id, name) for name in SCORES]
            out.append(sketched(names, scores[:, rows & (asset == a)]))
    return out


def _without_beliefs(events: Columns) -> Floats:
    """Return each publication weighed by p0 / pi, logit p0 = u0: their mean is the share without beliefs."""
    published, pi = (np.asarray(events[name], np.float64) for name in ("published", "pi"))
    plain = 1.0 / (1.0 + np.exp(-np.asarray(events["u0"], np.float64)))
    weight = np.ones(len(pi))
    np.divide(plain, pi, out=weight, where=(np.asarray(events["fired"]) != 0) & (pi > 0.0))
    return published * weight


def diversity_series(days: Sequence[DayHistory], detectors: int, window_ms: int) -> DaySketches:
    """Return N_eff and the spectral gap of the detectors' payoffs over `days`, the day's own last."""
    found = effective_number(hourly_payoffs(days, detectors, max(1, HOUR_MS // window_ms)))
    return numbered({SeriesName(DIVERSITY, "", "", name): x for name, x in zip(("n_eff", "gap"), found, strict=True)})


def _codes(names: NDArray[np.generic], order: Sequence[str]) -> NDArray[np.int64]:
    """Return the place of each name in `order`, -1 for one that is not in it."""
    place = {name: k for k, name in enumerate(order)}
    return np.fromiter((place.get(name, -1) for name in names.tolist()), np.int64, len(names))


def _median(values: Floats) -> float:
    finite = values[np.isfinite(values)]
    return float(np.median(finite)) if len(finite) else float("nan")
