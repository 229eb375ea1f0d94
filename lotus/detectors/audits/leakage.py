"""Leakage audits: four ways in which a signal that knows the future gives itself away.

truncation      scored on a tape cut at a point, a signal has the bits it has on the whole stretch
rolling_origin  windows whose return is open at a cut predict no better with hindsight than as scored at the cut
label_bleed     no signal of windows explains most of the return that begins at their close, which none honestly does
label_shuffle   on a stretch whose price moves are exchanged and signed at random, signals predict nothing

A planted column, equal to the future return, must be caught by all four (`planted`). Scoring again is what costs, so
one of `ORIGINS` cuts is made a day, and prices are shuffled on one day of `SHUFFLE_DAYS`; both are drawn from seed and
day. Of a signal that differs behind the cut in a share f of its windows, a day finds f and a week 1 - (1 - f)^7; the
shuffle falls on a day with probability 1 / `SHUFFLE_DAYS` and in every week at least once. Where a veto stands, nothing
is left out. Pure functions; what scores is the caller's. (Literature: target leakage, purged walk-forward evaluation,
permutation test, canary, stratified sampling.)
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.audits.sample import (
    MIN_INDEPENDENT,
    SHORT_FRAMES,
    Columns,
    Mids,
    Score,
    asset_index,
    correlation,
    horizons_ms,
    independent,
    rows_of,
    uniforms,
)
from lotus.detectors.daemon_log import match_rows, same_bits
from lotus.detectors.spec import DetectorSpec
from lotus.hashing import key64
from lotus.microtape.frames.batch import FrameBatch
from lotus.microtape.frames.spec import C_MID, C_RET, I_ASSET, I_END, I_MID2

PLANTED = "planted"
ORIGINS = 3
PLACES = 32  # looked at for each cut: that at which most detectors signal is taken
SHUFFLE_DAYS = 3
PLANTED_HORIZON_S = 60
BLEED_BOUND = 0.7  # of the lower end of |correlation|: nobody explains half of the variance of a return to come
GAP_BOUND = 0.05  # of the difference of two correlations; a causal signal has exactly 0
SHUFFLE_SIGMAS = 5.0
SHUFFLE_FLOOR = 0.10
OWN = (
    "s",
    "uncert",
    "kairos",
)  # columns that a detector alone decides; the others also depend on other detectors (crowding)
AUDITS = ("truncation", "rolling_origin", "label_bleed", "label_shuffle")


@dataclass(frozen=True, slots=True)
class LeakageFinding:
    """One audit of one detector: the value, the bound it must not pass, and the rows it rests on."""

    detector_id: str
    audit: str
    value: float
    bound: float
    rows: int

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return self.value <= self.bound


def leakage_audits(
    frames: FrameBatch,
    scored: Columns,
    score: Score,
    detectors: Sequence[DetectorSpec],
    seed: int,
    day: str,
    suspected: bool = False,
) -> list[LeakageFinding]:
    """Return the findings of every detector and of the planted column on one stretch of frames, `scored` as it is.

    With `suspected` every audit is made whole; else the day's share of what scores again (see above). Empty when the
    stretch has too few windows to say anything, even of what is planted.
    """
    planted_spec = replace(detectors[0], detector_id=PLANTED, horizon_s=PLANTED_HORIZON_S)
    detectors = [*detectors, planted_spec]
    leaking = planted(score, planted_spec)
    whole = with_planted(frames, scored, planted_spec)
    if not _enough(frames, whole):
        return []
    parts = [(part, leaking(part)) for part in _origins(frames, whole, seed, day, suspected)]
    findings = truncation(whole, [scored for _, scored in parts], detectors)
    findings += rolling_origin(frames, whole, parts, detectors)
    findings += label_bleed(frames, whole, detectors)
    if suspected or is_shuffled(seed, day):
        findings += label_shuffle(frames, leaking, detectors, seed, day)
    return findings


def is_shuffled(seed: int, day: str) -> bool:
    """Tell whether prices are shuffled on a day: one day, drawn from `seed`, of each `SHUFFLE_DAYS` in a row."""
    block, place = divmod(date.fromisoformat(day).toordinal(), SHUFFLE_DAYS)
    return key64("shuffled day", seed, block) % SHUFFLE_DAYS == place


def share_seen(seed: int, day: str, suspected: bool) -> float:
    """Return the share of all cuts and shuffles that a day's audits make."""
    cuts, shuffles = (ORIGINS, 1) if suspected else (1, int(is_shuffled(seed, day)))
    return (cuts + shuffles) / (ORIGINS + 1)


def planted(score: Score, spec: DetectorSpec) -> Score:
    """Return a score that also gives what `with_planted` adds."""
    return lambda frames: with_planted(frames, score(frames), spec)


def with_planted(frames: FrameBatch, events: Columns, spec: DetectorSpec) -> Columns:
    """Return scored windows and, as detector `spec`, the return that begins at each window's close."""
    first = events["detector_id"] == events["detector_id"][0] if len(events["s"]) else slice(0)
    own = {name: values[first].copy() for name, values in events.items()}
    end = own["window_end_ms"].astype(np.int64)
    ahead = Mids.of(frames).returns(asset_index(frames, own), end, end + horizons_ms([spec])[spec.detector_id])
    ahead = np.where(np.isfinite(ahead), ahead, 0.0)
    own["s"] = ahead / max(float(np.max(np.abs(ahead), initial=0.0)), 1e-9)
    own["detector_id"][:] = spec.detector_id
    return {name: np.concatenate([values, own[name]]) for name, values in events.items()}


def _enough(frames: FrameBatch, whole: Columns) -> bool:
    own_rows = _planted_rows(whole)
    asset = asset_index(frames, {"asset": whole["asset"][own_rows]})
    end = whole["window_end_ms"][own_rows].astype(np.int64)
    return independent(asset, end, PLANTED_HORIZON_S * 1000) >= MIN_INDEPENDENT


def _origins(frames: FrameBatch, whole: Columns, seed: int, day: str, suspected: bool) -> list[FrameBatch]:
    """Return the stretch cut at one place (`suspected`: at ORIGINS) in its first SHORT_FRAMES, behind a window's end.

    There a signal that looks a single frame ahead has nothing to look at. Windows with a return to come, so that the
    cut takes something away; behind the first quarter, so that something was scored; of the places drawn, that at which
    most detectors signal. Causality is a property of the code, not of the hour, so the places lie early and the parts
    are cheap.
    """
    closes = np.flatnonzero(np.isin(frames.ints[:, I_END], whole["window_end_ms"][_planted_rows(whole)]))
    reach = max(min(len(frames), SHORT_FRAMES), int(closes[0]) + 1)
    closes = closes[closes < reach]
    closes = closes[closes >= min(reach // 4, closes[-1])]
    signals = _signals_at(frames, whole, closes)
    cuts = set()
    for k in range(ORIGINS if suspected else 1):
        drawn = [key64("origin", seed, day, k, place) % len(closes) for place in range(PLACES)]
        cuts.add(int(closes[max(drawn, key=lambda at: signals[at])]))
    return [rows_of(frames, slice(0, row + 1)) for row in sorted(cuts)]


def _signals_at(frames: FrameBatch, whole: Columns, closes: NDArray[np.int64]) -> list[int]:
    """Return how many detectors signal in the window that each of the frames `closes` ends."""
    fires = whole["s"] != 0.0
    asset = asset_index(frames, {"asset": whole["asset"][fires]})
    windows, counts = np.unique(asset << 48 | whole["window_end_ms"][fires].astype(np.int64), return_counts=True)
    number = dict(zip(windows.tolist(), counts.tolist(), strict=True))
    return [number.get(key, 0) for key in (frames.ints[closes, I_ASSET] << 48 | frames.ints[closes, I_END]).tolist()]


def _planted_rows(whole: Columns) -> NDArray[np.bool_]:
    planted_rows: NDArray[np.bool_] = (whole["detector_id"] == PLANTED) & (whole["s"] != 0.0)
    return planted_rows


def truncation(whole: Columns, parts: Sequence[Columns], detectors: Sequence[DetectorSpec]) -> list[LeakageFinding]:
    """Count the windows of `parts` (the stretch cut short) whose signal does not have the bits of the whole stretch.

    Of every column together the stage's look-ahead check says the same, without naming a detector.
    """
    different = dict.fromkeys((d.detector_id for d in detectors), 0)
    rows = dict(different)
    for part in parts:
        matched = match_rows(part, whole)
        wrong = np.zeros(len(part["s"]), np.bool_)
        wrong[matched.ours_only] = True
        for name in OWN:
            wrong[matched.ours] |= ~same_bits(part[name][matched.ours], whole[name][matched.theirs])
        for detector in different:
            own_rows = part["detector_id"] == detector
            different[detector] += int(np.count_nonzero(wrong & own_rows))
            rows[detector] += int(np.count_nonzero(own_rows))
    return [LeakageFinding(d, "truncation", float(n), 0.0, rows[d]) for d, n in different.items()]


def rolling_origin(
    frames: FrameBatch,
    whole: Columns,
    parts: Sequence[tuple[FrameBatch, Columns]],
    detectors: Sequence[DetectorSpec],
) -> list[LeakageFinding]:
    """Compare, for windows whose return was not known yet at a cut, the skill with hindsight and as of the cut.

    value = max(0, |corr(s of the whole stretch, r)| - |corr(s at the cut, r)|), windows of all cuts together.
    """
    horizons = horizons_ms(detectors)
    then, hindsight, returns = ({d: list[NDArray[np.float64]]() for d in horizons} for _ in range(3))
    mids = Mids.of(frames)
    for cut, part in parts:
        matched = match_rows(part, whole)
        shared = {name: part[name][matched.ours] for name in ("asset", "detector_id", "window_end_ms", "s")}
        end, asset = shared["window_end_ms"].astype(np.int64), asset_index(frames, shared)
        for detector, horizon in horizons.items():
            waits = (shared["detector_id"] == detector) & (end + horizon > int(cut.ints[:, I_END].max()))
            then[detector].append(shared["s"][waits].astype(np.float64))
            hindsight[detector].append(whole["s"][matched.theirs][waits].astype(np.float64))
            returns[detector].append(mids.returns(asset[waits], end[waits], end[waits] + horizon))
    findings = []
    for detector in horizons:
        r = np.concatenate(returns[detector])
        as_of_cut = abs(correlation(np.concatenate(then[detector]), r))
        gap = abs(correlation(np.concatenate(hindsight[detector]), r)) - as_of_cut
        rows = int(np.count_nonzero(np.isfinite(r)))
        findings.append(LeakageFinding(detector, "rolling_origin", max(gap, 0.0), GAP_BOUND, rows))
    return findings


def label_bleed(frames: FrameBatch, whole: Columns, detectors: Sequence[DetectorSpec]) -> list[LeakageFinding]:
    """Return the lower end of |corr(s, r)| over windows with a signal, r = the return that begins at the close.

    99.9 % interval by Fisher's z over returns that do not overlap. What a signal shares with returns that end before
    the close is its own business; half of the variance of what is still to come is not to be had honestly.
    """
    findings, mids = [], Mids.of(frames)
    for detector, horizon, rows, asset, end in _signals(frames, whole, detectors):
        s = whole["s"][rows].astype(np.float64)
        ahead = mids.returns(asset, end, end + horizon)
        finite = np.isfinite(ahead)
        n = independent(asset[finite], end[finite], horizon)
        size = min(abs(correlation(s, ahead)), 1.0 - 1e-9)
        low = float(np.tanh(max(np.arctanh(size) - 3.29 / np.sqrt(max(n - 3, 1)), 0.0)))
        findings.append(LeakageFinding(detector, "label_bleed", low, BLEED_BOUND, int(np.count_nonzero(finite))))
    return findings


def label_shuffle(
    frames: FrameBatch, score: Score, detectors: Sequence[DetectorSpec], seed: int, day: str
) -> list[LeakageFinding]:
    """Return |corr(s, r)| on the stretch with shuffled prices, scored again: who still predicts has cheated."""
    shuffled = shuffled_prices(frames, seed, day)
    events, mids = score(shuffled), Mids.of(shuffled)
    findings = []
    for detector, horizon, rows, asset, end in _signals(shuffled, events, detectors):
        ahead = mids.returns(asset, end, end + horizon)
        finite = np.isfinite(ahead)
        n = independent(asset[finite], end[finite], horizon)
        bound = max(SHUFFLE_FLOOR, SHUFFLE_SIGMAS / float(np.sqrt(max(n, 1))))
        value = abs(correlation(events["s"][rows].astype(np.float64), ahead))
        findings.append(LeakageFinding(detector, "label_shuffle", value, bound, int(np.count_nonzero(finite))))
    return findings


def shuffled_prices(frames: FrameBatch, seed: int, day: str) -> FrameBatch:
    """Return the frames with each asset's price moves in another order and under random signs.

    Moves of `mid2` are exchanged among the frames of the asset that have a mid, so no past of the new path says
    anything about its future; columns that are no prices keep their places.
    """
    ints, floats = frames.ints.copy(), frames.floats.copy()
    for index in range(len(frames.universe)):
        rows = np.flatnonzero((ints[:, I_ASSET] == index) & (ints[:, I_MID2] > 0))
        if len(rows) < 2:
            continue
        moves = np.diff(ints[rows, I_MID2])
        order = np.argsort(uniforms(len(moves), "shuffle order", seed, day, index), kind="stable")
        signs = np.where(uniforms(len(moves), "shuffle sign", seed, day, index) < 0.5, -1, 1)
        path = np.concatenate([ints[rows[:1], I_MID2], signs * moves[order]]).cumsum()
        path = np.maximum(path, ints[rows[0], I_MID2] // 10)
        before = np.concatenate([path[:1], path[:-1]])
        ints[rows, I_MID2] = path
        floats[rows, C_MID] = path / 2.0
        had = np.isfinite(floats[rows, C_RET])
        floats[rows, C_RET] = np.where(had, 1e4 * (path - before) / before, np.nan)
    return replace(frames, ints=ints, floats=floats)


def _signals(
    frames: FrameBatch, events: Columns, detectors: Sequence[DetectorSpec]
) -> Iterator[tuple[str, int, NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]]:
    """Yield for each detector its horizon in ms and the rows, assets and window ends of its signals."""
    for detector, horizon in horizons_ms(detectors).items():
        rows = np.flatnonzero((events["detector_id"] == detector) & (events["s"].astype(np.float64) != 0.0))
        asset = asset_index(frames, {"asset": events["asset"][rows]})
        yield detector, horizon, rows, asset, events["window_end_ms"][rows].astype(np.int64)
