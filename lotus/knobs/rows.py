"""KNOB_SCORES: one row per plan in an experiment (or decision solved twice), in the language of the detectors' scores.

"Published" is "moved"; the propensity is the draw's. With Y the outcome in bps (more is better) and m what was expected
of both sides alike (from earlier days, or a number of the row's own), f = (A - p)(Y - m), so
E[f] = p(1-p)(E[Y(1)] - E[Y(0)]) whatever m is, because p is known. To be read as a score
f = p(1-p) P + A(1-p)(Y' - P) (`lotus.learning.payoff_scores`), a moved row has P = 0 and Y' = Y - m, one that stood
P = -(Y - m)/(1-p). In the literature: overlap-weighted augmented inverse-propensity score of a two-armed trial
(Li, Morgan, Zaslavsky 2018).
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec
from lotus.hashing import natural_id
from lotus.learning.payoff_scores import PAYOFF_SCORES, Columns, score
from lotus.learning.strata import LEVEL_ZERO
from lotus.priors.context import NO_CONTEXT, NULL, context_bins
from lotus.priors.vocabulary import BIN_COLUMNS, N_BINS, NULL_BIN
from lotus.timebase import block_of

Table = dict[str, NDArray[np.generic]]
_KEY = ("window_end_ms", "asset", "detector_id", "event_id")
_OUTCOME = Column("outcome", "f8", "bps", "what the plan or decision earned or saved, expectations left in")


def knob_scores(name: str) -> TableSpec:
    """Return the specification of a module's table: PAYOFF_SCORES with the plain outcome beside."""
    return TableSpec(name, _KEY, (*PAYOFF_SCORES.columns, _OUTCOME))


@dataclass(frozen=True, slots=True)
class Observation:
    """One plan or decision in an experiment on a knob, as it came out.

    `owner` is the knob's (what its braids name), `time_ms` event time at which the outcome was known, `context` the
    bins as text, `arm` 1 moved, `outcome_bps` more is better (NaN: it could not be measured and does not count),
    `source` who filled it (venue, paper_live, tape_sim). `expected_bps` is m where the row has one of its own: a number
    that does not depend on the arm that was drawn.
    """

    name: str
    owner: str
    coin: str
    horizon_s: int
    time_ms: int
    context: str
    arm: int
    propensity: float
    outcome_bps: float
    source: str
    expected_bps: float | None = field(default=None, repr=False)


def observations_id(observations: Sequence[Observation]) -> str:
    """Return the hash of what was observed; that of rows without an `expected_bps` is that of the other members."""
    own = [repr(o.expected_bps) for o in observations if o.expected_bps is not None]
    return natural_id(*map(repr, observations), *own)


def rows_of(observations: Sequence[Observation], day: str, expected: Mapping[str, float]) -> Table:
    """Return KNOB_SCORES of a day from what came out on it; `expected`: m in bps by owner, 0 without a past.

    An observation with an `expected_bps` of its own is scored against that.
    """
    ordered = sorted(observations, key=lambda o: (o.time_ms, o.coin, o.owner, o.name))
    n = len(ordered)
    p = np.array([o.propensity for o in ordered], dtype=np.float64)
    moved = np.array([o.arm == 1 for o in ordered], dtype=np.bool_)
    outcome = np.array([o.outcome_bps for o in ordered], dtype=np.float64)
    surprise = outcome - np.array([_expected(o, expected) for o in ordered], dtype=np.float64)
    control = np.where(moved, 0.0, -surprise / (1.0 - p))
    executed = np.where(moved, surprise, np.nan)
    u0 = np.log(p / (1.0 - p))
    basis = LEVEL_ZERO.basis(u0)
    bins = _bins([o.context for o in ordered])
    return {
        "event_id": _text(o.name for o in ordered),
        "detector_id": _text(o.owner for o in ordered),
        "spec_version": np.ones(n, dtype=np.int32),
        "asset": _text(o.coin for o in ordered),
        "horizon_s": np.array([o.horizon_s for o in ordered], dtype=np.int32),
        "window_end_ms": np.array([o.time_ms for o in ordered], dtype=np.int64),
        "day": _text(day for _ in ordered),
        "block": np.array([block_of(o.time_ms) for o in ordered], dtype=np.uint8),
        "p": p,
        "u0": u0,
        "stratum": basis.left,
        "share": basis.share,
        "level": LEVEL_ZERO.level_at(u0),
        "weight": np.ones(n),
        "published": moved,
        "payoff_p": control,
        "payoff_y": executed,
        "hit": np.full(n, np.nan),
        "fill_source": _text(o.source if o.arm == 1 else "" for o in ordered),
        "h": p * (1.0 - p),
        "f": score(p, moved, control, executed),
        **{name: bins[:, i] for i, name in enumerate(BIN_COLUMNS)},
        "outcome": outcome,
    }


def expected_of(days: Iterable[Columns]) -> dict[str, float]:
    """Return the mean outcome by owner over KNOB_SCORES of earlier days, bps."""
    sums: dict[str, list[float]] = {}
    for day in days:
        names, outcome = np.asarray(day["detector_id"]), np.asarray(day["outcome"], dtype=np.float64)
        for owner in sorted(set(names.tolist())):
            own = outcome[names == owner]
            total = sums.setdefault(owner, [0.0, 0.0])
            total[0] += float(own.sum())
            total[1] += len(own)
    return {owner: total / n for owner, (total, n) in sums.items()}


def _expected(one: Observation, expected: Mapping[str, float]) -> float:
    return expected.get(one.owner, 0.0) if one.expected_bps is None else one.expected_bps


def _bins(contexts: Sequence[str]) -> NDArray[np.uint8]:
    """Return the bins [n, 12] behind contexts as text: `context_bins` of each, all at once; raises as it does."""
    texts = [text or NO_CONTEXT for text in contexts]
    joined = "".join(texts).encode("ascii", "replace")
    if set(map(len, texts)) - {len(N_BINS)}:
        return np.array([context_bins(text) for text in texts], dtype=np.uint8)
    letters = np.frombuffer(joined, dtype=np.uint8).reshape(len(texts), len(N_BINS)).astype(np.int64)
    is_null, bins = letters == ord(NULL), letters - ord("0")
    wrong = ~is_null & ((bins < 0) | (bins >= np.array(N_BINS)))
    for i in np.flatnonzero(wrong.any(axis=1)).tolist():
        context_bins(texts[i])
    return np.where(is_null, NULL_BIN, bins).astype(np.uint8)


def _text(words: Iterable[str]) -> NDArray[np.generic]:
    return np.array(list(words), dtype=object)
