"""Outcomes of scored windows from what the lake keeps (SIGNAL_EVENTS, SIGNAL_EVAL), and their daily sums.

Of every window that could have been published and matured whole: what the market moved in the signal's direction,
before costs. Windows of one source and coin that follow each other within a horizon share most of their payoff; each
counts by the part of its horizon that is its own, w = min(1, gap to the window before / horizon). A day is kept as sums
per source, horizon, regime and bin of the score (32 an octave: scores in one bin differ by 3 % at most), so that months
of days cost the same whatever they held. Reading files belongs to the store. In the literature: average uniqueness of
overlapping labels (Lopez de Prado 2018), sufficient statistics.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.decision.alphas import ANY_REGIME
from lotus.decision.knowledge.regime import REGIMES, VOLATILITY_BIN, regime_of
from lotus.outcomes.signal_eval import OK
from lotus.priors.claims import NO_LEVEL

Columns = Mapping[str, NDArray[np.generic]]
Table = dict[str, NDArray[np.generic]]
Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
PER_OCTAVE: Final = 32
NO_SCORE: Final = -(2**16)  # bin of a score of zero, below all others
REGIME_NAMES: Final = (ANY_REGIME, *dict.fromkeys(REGIMES))
KEY: Final = ("window_end_ms", "asset", "detector_id")  # of both tables
CLAIM, LEVEL = CLAIM_COLUMNS = ("claim_bps", "claim_level")
EVENT_COLUMNS: Final = (*KEY, "spec_version", "horizon_s", "s", "ln_sigma_tilde", "eligible", VOLATILITY_BIN)


@dataclass(frozen=True, slots=True)
class Outcomes:
    """Outcomes in columns of n rows, in the order of the events.

    `source` i8 [n] numbers `sources` (`det:<detector>@<version>`, rising names), `regime` i8 [n] `REGIME_NAMES`.
    `moves_bps` f8 [n, h] is what was paid at each of `horizons_s`, in the direction of the signal and before costs; NaN
    beyond the own horizon. `score` and `weight` in [0, 1]; `end_ms` i8 [n] of the window. `claim_bps` f8 [n] and
    `claim_level` i8 [n] are those of the braids that fired (0 and -1 where none did).
    """

    sources: tuple[str, ...]
    horizons_s: tuple[int, ...]
    source: Ints
    horizon_s: Ints
    regime: Ints
    end_ms: Ints
    score: Floats
    weight: Floats
    moves_bps: Floats
    claim_bps: Floats
    claim_level: Ints

    @property
    def realised_bps(self) -> Floats:
        """What was paid at the own horizon, f8 [n]."""
        own = np.searchsorted(np.array(self.horizons_s, dtype=np.int64), self.horizon_s)
        realised: Floats = self.moves_bps[np.arange(len(own)), own]
        return realised

    def __len__(self) -> int:
        """Return the number of outcomes."""
        return len(self.score)


def evaluated_columns(horizons_s: Sequence[int]) -> tuple[str, ...]:
    """Return the columns of SIGNAL_EVAL that outcomes are made of."""
    return (*KEY, "status", "horizon_s", *(f"fwd_ret_bps_{h}" for h in horizons_s))


def outcomes_of(events: Columns, evaluated: Columns, horizons_s: Sequence[int]) -> Outcomes:
    """Return the outcomes of rows of SIGNAL_EVENTS that have an `ok` row in SIGNAL_EVAL, in the order of the events.

    Rows are matched by their key. Only eligible windows with a direction count. SIGNAL_EVAL is written when the longest
    of `horizons_s` has ended, so that its rows are never early. Without the columns CLAIM_COLUMNS no braid fired.
    """
    spoken = only(events, has_direction(events))
    chosen, row = matched(spoken, only(evaluated, evaluated["status"] == OK))
    done = only(evaluated, np.flatnonzero(evaluated["status"] == OK)[row])
    horizons = tuple(sorted(horizons_s))
    horizon = done["horizon_s"].astype(np.int64)
    side = np.where(spoken["s"][chosen].astype(np.float64) > 0.0, 1.0, -1.0)
    moves = np.stack([side * done[f"fwd_ret_bps_{h}"].astype(np.float64) for h in horizons], axis=1)
    beyond = np.array(horizons) > horizon[:, None]
    whole = (np.isfinite(moves) | beyond).all(axis=1) & np.isin(horizon, horizons)
    moves[beyond] = np.nan
    own = only(spoken, chosen[whole])
    count = int(whole.sum())
    sources, source = sources_of(own)
    return Outcomes(
        sources=sources,
        horizons_s=horizons,
        source=source,
        horizon_s=horizon[whole],
        regime=_regimes(own[VOLATILITY_BIN]),
        end_ms=own["window_end_ms"].astype(np.int64),
        score=np.abs(signed_score(own)),
        weight=uniqueness(spoken)[chosen[whole]],
        moves_bps=moves[whole],
        claim_bps=own[CLAIM].astype(np.float64) if CLAIM in own else np.zeros(count),
        claim_level=own[LEVEL].astype(np.int64) if LEVEL in own else np.full(count, NO_LEVEL),
    )


def only(columns: Columns, rows: NDArray[np.generic]) -> Table:
    """Return some rows of columns, by number or by bool."""
    return {name: values[rows] for name, values in columns.items()}


def has_direction(events: Columns) -> NDArray[np.bool_]:
    """Return which rows of SIGNAL_EVENTS could have been published with a direction, bool [n]."""
    spoken: NDArray[np.bool_] = (events["s"].astype(np.float64) != 0.0) & events["eligible"].astype(np.bool_)
    return spoken


def signed_score(events: Columns) -> Floats:
    """Return strength times curated sigma of each row of SIGNAL_EVENTS in the direction of its signal, f8 [n]."""
    scored: Floats = events["s"].astype(np.float64) * np.minimum(
        np.exp(events["ln_sigma_tilde"].astype(np.float64)), 1.0
    )
    return scored


def sources_of(events: Columns) -> tuple[tuple[str, ...], Ints]:
    """Return the sources of rows of SIGNAL_EVENTS by rising name, and the number of each row's among them, i8 [n]."""
    detectors, detector = coded(events["detector_id"])
    pairs = placed((detector, events["spec_version"].astype(np.int64)))
    _, first, which = np.unique(pairs, return_index=True, return_inverse=True)
    words = [f"det:{detectors[detector[k]]}@{int(events['spec_version'][k])}" for k in first.tolist()]
    names = tuple(sorted(words))
    rank = np.array([names.index(word) for word in words], dtype=np.int64)
    return names, rank[which]


def uniqueness(events: Columns) -> Floats:
    """Return the weight of windows of SIGNAL_EVENTS that could have been published with a direction, f8 [n].

    The gap is to the one before of the same detector and coin; the first of the rows counts whole.
    """
    detector, asset = (coded(events[name])[1] for name in ("detector_id", "asset"))
    ends, line = events["window_end_ms"].astype(np.int64), placed((detector, asset))
    order = np.lexsort((ends, line))
    gap_s = np.diff(ends[order], prepend=0) / 1000.0
    gap_s[np.diff(line[order], prepend=-1) != 0] = np.inf
    weights = np.zeros(len(order))
    weights[order] = np.minimum(1.0, gap_s / events["horizon_s"][order].astype(np.float64))
    return weights


def coded(words: NDArray[np.generic]) -> tuple[tuple[str, ...], Ints]:
    """Return the distinct words by rising name, and the number of each word among them, i8 [n]."""
    texts = words.tolist()
    names = tuple(sorted(set(texts)))
    number = {name: k for k, name in enumerate(names)}
    return names, np.fromiter(map(number.__getitem__, texts), dtype=np.int64, count=len(texts))


def placed(keys: Sequence[Ints]) -> Ints:
    """Return one number for each row of keys, rising as they do, i8 [n]; their spans multiply to less than 2^63."""
    places = np.zeros(len(keys[0]), dtype=np.int64)
    for key in keys:
        low, high = (int(key.min()), int(key.max())) if len(key) else (0, 0)
        places = places * (high - low + 1) + (key - low)
    return places


def outcome_sums_spec(horizons_s: Sequence[int]) -> TableSpec:
    """Return the table of a day's outcomes as sums, for the evaluated horizons of a manifest."""
    moves = (Column(f"bps_{h}", "f8", "bps", f"sum of moves over {h} s; 0 beyond the horizon") for h in horizons_s)
    return TableSpec("dm_evidence", ("source", "horizon_s", "regime", "score_bin"), (*_SUMS, *moves))


def outcome_sums(outcomes: Outcomes) -> Table:
    """Return the sums of a day's outcomes per source, horizon, regime and bin of the score, in key order."""
    x, y, w = outcomes.score, outcomes.realised_bps, outcomes.weight
    values = {"n": np.ones(len(x)), "w": w, "wx": w * x, "wy": w * y, "wyy": w * y * y}
    moves = {f"bps_{h}": np.nan_to_num(outcomes.moves_bps[:, k]) for k, h in enumerate(outcomes.horizons_s)}
    by_name = np.argsort(np.argsort(REGIME_NAMES))  # regimes by rising name
    keys = (outcomes.source, outcomes.horizon_s, by_name[outcomes.regime], score_bin(x))
    (source, horizon, regime, score), summed = grouped(keys, {**values, **moves})
    return {
        "source": np.array(outcomes.sources, dtype=object)[source],
        "horizon_s": horizon.astype(np.int32),
        "regime": np.array(sorted(REGIME_NAMES), dtype=object)[regime],
        "score_bin": score.astype(np.int32),
        **summed,
        "n": summed["n"].astype(np.int64),
    }


def score_bin(score: Floats) -> Ints:
    """Return the bin of each score, i8 [n]: 32 of equal width an octave, exact in binary.

    >>> score_bin(np.array([0.5, 0.51, 0.52, 1.0])).tolist()
    [0, 0, 1, 32]
    """
    part, octave = np.frexp(score)
    bins = octave.astype(np.int64) * PER_OCTAVE + ((part - 0.5) * 2 * PER_OCTAVE).astype(np.int64)
    return np.where(score > 0.0, bins, NO_SCORE)


def grouped(keys: Sequence[Ints], values: Mapping[str, Floats]) -> tuple[tuple[Ints, ...], Table]:
    """Return the distinct rows of the keys in rising order, and the sums of the values of each."""
    _, first, group = np.unique(placed(keys), return_index=True, return_inverse=True)
    summed: Table = {name: np.bincount(group, v, len(first)).astype(np.float64) for name, v in values.items()}
    return tuple(key[first] for key in keys), summed


def joined(tables: Iterable[Columns]) -> Table:
    """Return tables of one form (at least one) one after the other."""
    parts = list(tables)
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def matched(events: Columns, evaluated: Columns) -> tuple[Ints, Ints]:
    """Return the rows of events that were evaluated, and where in `evaluated`, i8 each."""
    n = len(events["window_end_ms"])
    both = joined({name: table[name] for name in KEY} for table in (events, evaluated))
    keys = (both["window_end_ms"].astype(np.int64), coded(both["asset"])[1], coded(both["detector_id"])[1])
    place = placed(keys)
    ours, theirs = place[:n], place[n:]
    order = np.argsort(theirs, kind="stable")
    places = np.searchsorted(theirs, ours, sorter=order)
    places[places == len(theirs)] = 0
    matched = np.flatnonzero(theirs[order][places] == ours) if len(theirs) else np.zeros(0, dtype=np.int64)
    return matched, order[places[matched]]


def _regimes(bins: NDArray[np.generic]) -> Ints:
    number = {name: k for k, name in enumerate(REGIME_NAMES)}
    by_bin = np.array([number[regime_of(k)] for k in range(256)], dtype=np.int64)
    return by_bin[bins.astype(np.int64)]


_SUMS: Final = (
    Column("source", "text", "", "who spoke: det:<detector>@<version>"),
    Column("horizon_s", "i4", "s", "decision horizon", low=1),
    Column("regime", "text", "", ", ".join(REGIME_NAMES)),
    Column("score_bin", "i4", "1/32 octave", "bin of the score (strength times curated sigma)"),
    Column("n", "i8", "", "outcomes", low=1),
    Column("w", "f8", "1", "sum of their weights", low=0),
    Column("wx", "f8", "1", "weighted sum of scores", low=0),
    Column("wy", "f8", "bps", "weighted sum of moves in the signal's direction at the horizon, before costs"),
    Column("wyy", "f8", "bps^2", "weighted sum of their squares", low=0),
)
