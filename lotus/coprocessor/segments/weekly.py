"""The list of segments that a Monday puts in force: the distilled states of a model, or else the shipped list.

A list distilled from the states stands where it gives back at least eight in ten of them; else the shipped one does,
volatility by thirds and the spread by halves (the calm third whole, because a list has five labels). Windows are
sampled, one a minute, the days before and with the Monday; which columns are looked at is fixed. Labels rise with
volatility. Nothing here labels a row: `lotus.detectors.daily.segment_list` does.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.coprocessor.segments.distilled import ColumnScale, both, compared, flags_of, leaves_of
from lotus.coprocessor.segments.proposal import propose
from lotus.detectors.daily.segment_list import STORED_COLUMNS, Texts, context_values, labels_of, segment_program
from lotus.detectors.daily.segment_set import DISTILLED, SHIPPED, SegmentSet
from lotus.hashing import round_learned
from lotus.priors.vocabulary import NULL_BIN
from lotus.tape_machine.printer import text_of

SPAN_DAYS: Final[int] = 20
SAMPLED_MS: Final[int] = 60_000
LEAST_ROWS: Final[int] = 500  # sampled windows of a coin
LEAST_AGREEMENT: Final[float] = 0.8
LOOKED_AT: Final = (("vol", True), ("spread", True), ("depth_slope", False))  # with whether its logarithm is looked at
STORED: Final = {name.removeprefix("x_"): name for name in STORED_COLUMNS}
Floats = NDArray[np.float64]
Columns = Mapping[str, NDArray[np.generic]]


@dataclass(frozen=True, slots=True)
class _Sample:
    """Sampled windows of the coins that were seen: their columns, coin, whose sequences, standardised rows."""

    windows: Columns
    coin: NDArray[np.int64]
    lengths: tuple[int, ...]
    rows: Floats
    scales: Mapping[int, tuple[ColumnScale, ...]]


def weekly_segments(
    days: Sequence[Columns], assets: Sequence[str], judged_day: str, from_day: str
) -> SegmentSet | None:  # fmt: skip
    """Return the list made of some days' windows, None where no coin was seen in 500 sampled ones.

    `days`, oldest first and none after `judged_day`: columns asset, window_end_ms and the stored context.
    """
    sample = _sampled(days, assets)
    if sample is None:
        return None
    proposal = propose(sample.rows, sample.lengths)
    leaves = leaves_of(sample.rows, proposal.states)
    texts = tuple(flags_of(leaves, sample.scales[a]) if a in sample.scales else () for a in range(len(assets)))
    labels = _labels(sample, texts)
    states = np.array([*leaves, NULL_BIN])[np.where(labels == NULL_BIN, len(leaves), labels)]
    agreement = float(round_learned(np.array([np.mean(states == proposal.states)]))[0])
    origin = DISTILLED if agreement >= LEAST_AGREEMENT and len(leaves) > 1 else SHIPPED
    if origin == SHIPPED:
        texts = tuple(_shipped(sample, a) if a in sample.scales else () for a in range(len(assets)))
        labels = _labels(sample, texts)
    found = [np.mean(labels == k) for k in range(max(map(len, texts)))]
    shares = tuple(round_learned(np.array(found)).tolist())
    return SegmentSet(
        from_day, judged_day, tuple(assets), texts, agreement, origin, proposal.many, proposal.bic, shares
    )  # fmt: skip


def _sampled(days: Sequence[Columns], assets: Sequence[str]) -> _Sample | None:
    looked_at = [STORED[name] for name, _ in LOOKED_AT]
    parts: list[dict[str, NDArray[np.generic]]] = []
    coins: list[int] = []
    for a, name in enumerate(assets):
        own = [_of_coin(day, name, looked_at) for day in days]
        if sum(len(part["window_end_ms"]) for part in own) >= LEAST_ROWS:
            held = [part for part in own if len(part["window_end_ms"])]
            parts, coins = [*parts, *held], [*coins, *[a] * len(held)]
    if not parts:
        return None
    windows = {name: np.concatenate([part[name] for part in parts]) for name in STORED_COLUMNS}
    lengths = tuple(len(part["window_end_ms"]) for part in parts)
    coin = np.repeat(np.array(coins, np.int64), lengths)
    scales = {a: _scales(windows, coin == a) for a in sorted(set(coins))}
    rows = np.empty((len(coin), len(LOOKED_AT)))
    for a, own_scales in scales.items():
        for k, scale in enumerate(own_scales):
            rows[coin == a, k] = scale.standardised(windows[STORED[scale.name]][coin == a].astype(np.float64))
    return _Sample(windows, coin, lengths, rows, scales)


def _of_coin(day: Columns, name: str, looked_at: Sequence[str]) -> dict[str, NDArray[np.generic]]:
    """Return one window a minute of a coin in the order of time, those whose columns have values."""
    ends = np.asarray(day["window_end_ms"], np.int64)
    wanted = (day["asset"] == name) & (ends % SAMPLED_MS == 0)
    for column, (_, is_log) in zip(looked_at, LOOKED_AT, strict=True):
        values = np.asarray(day[column], np.float64)
        wanted &= np.isfinite(values) & ((values > 0.0) | (not is_log))
    rows = np.flatnonzero(wanted)
    _, first = np.unique(ends[rows], return_index=True)
    return {name: np.asarray(day[name])[rows[first]] for name in ("window_end_ms", *STORED_COLUMNS)}


def _scales(windows: Columns, own: NDArray[np.bool_]) -> tuple[ColumnScale, ...]:
    out = []
    for name, is_log in LOOKED_AT:
        values = windows[STORED[name]][own].astype(np.float64)
        values = np.log(values) if is_log else values
        mean, deviation = round_learned(np.array([values.mean(), values.std()])).tolist()
        out.append(ColumnScale(name, mean, deviation if deviation > 0.0 else 1.0, is_log))
    return tuple(out)


def _labels(sample: _Sample, texts: Texts) -> NDArray[np.int64]:
    return labels_of(segment_program(texts), sample.coin, context_values(sample.windows, len(sample.coin)))


def _shipped(sample: _Sample, coin: int) -> tuple[str, ...]:
    """Return volatility by thirds and, above the calm one, the spread by halves, at the coin's own quantiles."""
    own = sample.coin == coin
    vol, spread = (sample.windows[STORED[name]][own].astype(np.float64) for name in ("vol", "spread"))
    calm, wild = (float(f"{x:.4g}") for x in np.quantile(vol, (1 / 3, 2 / 3)))
    middle = float(f"{np.median(spread):.4g}")
    narrow, wide = compared("spread", False, middle), compared("spread", True, middle)
    some = both(compared("vol", True, calm), compared("vol", False, wild))
    most = compared("vol", True, wild)
    trees = (compared("vol", False, calm), both(some, narrow), both(some, wide), both(most, narrow), both(most, wide))
    return tuple(map(text_of, trees))
