"""PAYOFF_SCORES: one number per window whose mean inside a rule estimates what publishing there earns (step S).

f = p(1-p) P + A (1-p)(Y - P) ("owp"): the overlap-weighted score with the modelled payoff P as control variate and the
executed payoff Y as outcome; E[f] = p(1-p) E[Y] whatever P is, because p is logged. Without P the control is the level
of earlier days ("ow", `strata`). Scores of a day are fixed for ever; nothing here reads a later day.
Reference: overlap weights (Li, Morgan, Zaslavsky 2018), augmented inverse-propensity scores.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from lotus.columns import Column, TableSpec, ranks_of, repeated
from lotus.learning.basis import N_HATS
from lotus.learning.strata import UNKNOWN, Strata, block_weights
from lotus.outcomes.evaluate import rows_named
from lotus.outcomes.signal_eval import OK
from lotus.priors.vocabulary import BIN_COLUMNS, DEFAULT, NULL_BIN, Vocabulary
from lotus.timebase import BLOCK_MS, DAY_MS

Columns = Mapping[str, NDArray[np.generic]]
Table = dict[str, NDArray[np.generic]]
Pasts = Mapping[tuple[str, int], Strata]  # (detector, version) -> strata of a day
NO_PAST: Pasts = MappingProxyType({})

PAYOFF_SCORES = TableSpec(
    "payoff_scores",
    ("window_end_ms", "asset", "detector_id"),
    (
        Column("event_id", "text", "", "natural identity of the event"),
        Column("detector_id", "text", "", "detector that scored the window"),
        Column("spec_version", "i4", "", "version of its specification; versions are never pooled"),
        Column("asset", "text", "", "venue name of the perpetual"),
        Column("horizon_s", "i4", "s", "decision horizon", low=1),
        Column("window_end_ms", "i8", "ms", "end of the window, venue time"),
        Column("day", "text", "", "day on which the window matured"),
        Column("block", "u1", "", "six-hour block of the maturity", low=0, high=3),
        Column("p", "f8", "", "propensity of publication at the draw", low=0, high=1),
        Column("u0", "f8", "", "logit of the propensity without any braid"),
        Column("stratum", "u1", "", "left one of the two hats of u0 on the day's knots", low=0, high=N_HATS - 2),
        Column("share", "f8", "", "share of the right one; below 0 or above 1 beyond the outer knots"),
        Column("level", "f8", "bps", "what the 20 learning days before paid at u0; null without any", True),
        Column("weight", "f8", "", "of its block: the usual deviation of payoffs over the block's", low=0),
        Column("published", "?", "", "A"),
        Column("payoff_p", "f8", "bps", "P: probe under the modelled cost", True),
        Column("payoff_y", "f8", "bps", "Y: probe as executed; published windows only", True),
        Column("hit", "f8", "", "1 when the move went with the signal", True, 0, 1),
        Column("fill_source", "text", "", "venue | paper_live | tape_sim; empty = only modelled or not published"),
        Column("h", "f8", "", "overlap weight p (1 - p)", low=0, high=0.25),
        Column("f", "f8", "bps", "the score"),
        *(Column(name, "u1", "", "context bin; 255 = null") for name in BIN_COLUMNS),
    ),
)


@dataclass(frozen=True, slots=True)
class ScoredDay:
    """Scores of one maturity day, and how many windows of each kind were left out.

    `dropped_z` audits the dropping rule: sum (A - p) over dropped windows in standard deviations, 0 in the mean when
    the tape alone decided what is dropped. `fallen_back` counts the kept windows that were scored by the table.
    """

    columns: Table
    counts: dict[str, int]
    dropped_z: float
    fallen_back: int


def score(
    p: NDArray[np.float64],
    published: NDArray[np.bool_],
    modelled: NDArray[np.float64],
    executed: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return f = p(1-p) P + A (1-p)(Y - P); a published window that was only modelled counts Y = P."""
    surprise = np.where(published & ~np.isnan(executed), executed - modelled, 0.0)
    return p * (1.0 - p) * modelled + (1.0 - p) * surprise


def payoff_scores(events: Columns, evaluated: Columns, day: str, pasts: Pasts = NO_PAST) -> ScoredDay:
    """Return the scores of one maturity day from SIGNAL_EVENTS of day-1 and day and SIGNAL_EVAL of day.

    Kept are windows with status ok and p > 0. `pasts` holds the strata of each detector's version (see `strata_of`).
    Where the modelled payoff is null, the control is the level of earlier days, 0 where there were none.
    Raises `SchemaError` for an evaluated event that is not among the events.
    """
    rows = rows_named(np.asarray(evaluated["event_id"]), np.asarray(events["event_id"]))
    joined = {name: np.asarray(events[name])[rows] for name in _FROM_EVENTS}
    p, published = joined["pi"].astype(np.float64), joined["published"].astype(np.bool_)
    whole = np.asarray(evaluated["status"]) == OK
    keep = whole & (p > 0.0)
    control = np.asarray(evaluated["payoff_p"], dtype=np.float64).copy()
    missing = keep & np.isnan(control)
    versions = joined["spec_version"].astype(np.int64)
    strata = stratified(np.asarray(evaluated["detector_id"]), versions, joined["u0"].astype(np.float64), pasts)
    control[missing] = np.nan_to_num(strata["level"][missing])
    executed = np.asarray(evaluated["payoff_y"], dtype=np.float64)
    out: Table = {name: np.asarray(evaluated[name])[keep] for name in _FROM_EVAL}
    maturity = np.asarray(evaluated["maturity_ms"], dtype=np.int64)[keep]
    out["day"] = repeated(day, int(keep.sum()))
    out["block"] = (maturity % DAY_MS // BLOCK_MS).astype(np.uint8)
    out |= {"p": p[keep], "h": (p * (1.0 - p))[keep], "f": score(p, published, control, executed)[keep]}
    out |= {name: values[keep] for name, values in strata.items()}
    out["weight"] = precision({**out, "spec_version": versions[keep]}, pasts)
    out |= {name: joined[name][keep] for name in ("u0", "spec_version", "published", *BIN_COLUMNS)}
    counts = {
        f"{kind}_{name}": int((mask & side).sum())
        for kind, mask in (("kept", keep), ("gap", ~whole), ("no_chance", whole & (p <= 0.0)))
        for name, side in (("published", published), ("unpublished", ~published))
    }
    columns = {name: out[name] for name in PAYOFF_SCORES.names}
    return ScoredDay(columns, counts, _dropped_z(p[~whole], published[~whole]), int(missing.sum()))


def stratified(
    detector: NDArray[np.generic], version: NDArray[np.int64], u0: NDArray[np.float64], pasts: Pasts
) -> Table:
    """Return the columns stratum, share and level of windows with logits u0 [n]."""
    stratum, share, level = np.zeros(len(u0), dtype=np.uint8), np.zeros(len(u0)), np.zeros(len(u0))
    for name, mine_of in _by_name(detector):
        for number in np.unique(version[mine_of]).tolist():
            mine = mine_of & (version == number)
            strata = pasts.get((name, number), UNKNOWN)
            basis = strata.basis(u0[mine])
            stratum[mine], share[mine], level[mine] = basis.left, basis.share, strata.level_at(u0[mine])
    return {"stratum": stratum, "share": share, "level": level}


def _by_name(names: NDArray[np.generic]) -> Iterator[tuple[str, NDArray[np.bool_]]]:
    """Yield every name, in order, and which rows have it."""
    ranks = ranks_of(names)
    for rank, name in enumerate(sorted(set(names.tolist()))):
        yield name, ranks == rank


def precision(scores: Columns, pasts: Pasts) -> NDArray[np.float64]:
    """Return the column weight of a day of scores, every detector and version by its own scatter (`block_weights`)."""
    detector, version = np.asarray(scores["detector_id"]), np.asarray(scores["spec_version"])
    f, h, level = (np.asarray(scores[name], dtype=np.float64) for name in ("f", "h", "level"))
    block, out = np.asarray(scores["block"], dtype=np.int64), np.ones(len(f))
    for name, mine_of in _by_name(detector):
        for number in np.unique(version[mine_of]).tolist():
            mine = mine_of & (version == number)
            noise = pasts.get((name, int(number)), UNKNOWN).noise
            out[mine] = block_weights(f[mine], h[mine], level[mine], block[mine], noise)
    return out


def _dropped_z(p: NDArray[np.float64], published: NDArray[np.bool_]) -> float:
    spread = float((p * (1.0 - p)).sum())
    return float((published - p).sum()) / spread**0.5 if spread > 0.0 else 0.0


_FROM_EVENTS = ("pi", "u0", "published", "spec_version", *BIN_COLUMNS)
_FROM_EVAL = (
    "event_id", "detector_id", "asset", "horizon_s", "window_end_ms", "payoff_p", "payoff_y", "hit", "fill_source"
)  # fmt: skip


def bins_of(columns: Columns, vocabulary: Vocabulary = DEFAULT) -> NDArray[np.uint8]:
    """Return the context bins uint8 [n, features] of a table that has the bin columns of the vocabulary."""
    names = vocabulary.bin_columns
    if not len(columns[names[0]]):
        return np.full((0, len(names)), NULL_BIN, dtype=np.uint8)
    return np.stack([np.asarray(columns[name], dtype=np.uint8) for name in names], axis=1)
