"""From a checked table to scores by maturity day, in the form that `lotus.learning` reads.

A window matures when its longest horizon is known; blocks are six hours of that time. With a paper payoff in every row
of a detector and day the score is owp; otherwise ow with a baseline of earlier days, because a control variate that is
null where nothing was published would bias the score. A detector without propensity gets no score but an association:
its published payoffs, equally weighted. Nothing here reads a later day.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.learning.basis import hats
from lotus.learning.payoff_scores import BaselineTable, Columns, score
from lotus.own_signals.bins import Bins, binned
from lotus.own_signals.checks import by_detector, check_rows, chosen_features, decision_horizons
from lotus.own_signals.config import VENUE, OwnConfig
from lotus.own_signals.horizons import payoffs_by_horizon
from lotus.own_signals.table import US_PER_MS, Floats, Ints, SignalTable
from lotus.priors.vocabulary import Vocabulary
from lotus.timebase import BLOCK_MS, DAY_MS, day_of

OWP, OW, PAPER, ASSOCIATION, DETERMINISTIC = "owp", "ow", "paper only", "association", "deterministic"
VARIANTS: Final = {
    OWP: "executed payoff, paper payoff as control",
    OW: "executed payoff, baseline of earlier days as control",
    PAPER: "no executed payoff: at most grade C",
    ASSOCIATION: "no propensity logged: grade D, shown and never accepted",
    DETERMINISTIC: "no draw with 0 < p < 1: nothing can be learned",
}
_EXTREME = 1e-6  # p is clipped by it before its logit is taken


@dataclass(frozen=True, slots=True)
class DetectorFacts:
    """One detector of the files: its horizon, how it is scored, and its rows."""

    detector_id: str
    horizon_s: int
    variant: str
    rows: int
    published: int
    no_chance: int


@dataclass(frozen=True, slots=True)
class Scored:
    """Scores by maturity day, those with logged propensities apart from mere associations; what the bins mean."""

    vocabulary: Vocabulary
    scores: dict[str, dict[str, NDArray[np.generic]]]
    associations: dict[str, dict[str, NDArray[np.generic]]]
    detectors: tuple[DetectorFacts, ...]
    days: tuple[str, ...]
    payoffs: dict[int, Floats]  # executed payoff by horizon, at the row that `event_id` names


def scored(table: SignalTable, config: OwnConfig) -> Scored:
    """Return the scores of a table; raises `SchemaError` (file, column, row, cause) where it is not what it must be."""
    check_rows(table)
    horizons = decision_horizons(table, config)
    names = chosen_features(table, config)
    draw = _draws(table)
    maturity = _maturity_ms(table, draw)
    decides = np.array([horizons[name] for name in table.detector.names], dtype=np.int64)[table.detector.codes]
    mine = table.horizon_s == decides
    payoffs = payoffs_by_horizon(table, draw, mine, config.cost_bps)
    table, maturity = table.take(mine), maturity[mine]
    vocabulary, bins = binned(table, names, config)
    table = replace(table, features={})  # their bins are all that is needed from here on
    facts = tuple(_facts(table, rows, name, horizons[name]) for name, rows in by_detector(table))
    kept = _last_days(maturity, config.last_days)
    kept &= ~(table.propensity == 0.0)
    unlogged = np.isnan(table.propensity)
    paper_only = np.array([f.variant == PAPER for f in facts])[table.detector.codes]
    payoff = np.where(table.published & paper_only, table.paper, table.payoff) - config.cost_bps
    priced = replace(table, payoff=payoff, paper=table.paper - config.cost_bps)
    source = _fill_source(table, paper_only, config)
    logged = _by_day(priced, maturity, bins, vocabulary, source, kept & ~unlogged)
    loose = _by_day(priced, maturity, bins, vocabulary, source, kept & unlogged & table.published)
    _score_days(logged)
    for columns in loose.values():
        columns |= _association(columns)
    return Scored(vocabulary, logged, loose, facts, tuple(sorted({*logged, *loose})), payoffs)


def _draws(table: SignalTable) -> Ints:
    """Return the number of each row's draw: rows of several horizons share theirs."""
    same = np.ones(max(len(table) - 1, 0), dtype=np.bool_)
    for values in (table.ts_us, table.asset.codes, table.detector.codes):
        same &= values[1:] == values[:-1]
    return np.cumsum(np.concatenate([[0], ~same])).astype(np.int64)


def _maturity_ms(table: SignalTable, draw: Ints) -> Ints:
    """Return when the longest horizon of each row's draw is known, ms."""
    first = np.flatnonzero(np.diff(draw, prepend=-1))
    longest = np.maximum.reduceat(table.horizon_s, first)
    return np.asarray(table.ts_us // US_PER_MS + 1000 * longest[draw], dtype=np.int64)


def _last_days(maturity: Ints, last_days: int) -> NDArray[np.bool_]:
    day = maturity // DAY_MS
    known = np.unique(day)
    return np.asarray(day >= known[-last_days:][0])


def _facts(table: SignalTable, rows: NDArray[np.bool_], name: str, horizon_s: int) -> DetectorFacts:
    p, published = table.propensity[rows], table.published[rows]
    paid = bool((~np.isnan(table.payoff[rows])).any())
    if np.isnan(p).any():
        variant = ASSOCIATION
    elif not np.any((p > 0.0) & (p < 1.0)):
        variant = DETERMINISTIC
    elif not paid:
        variant = PAPER
    else:
        variant = OW if np.isnan(table.paper[rows]).any() else OWP
    return DetectorFacts(name, horizon_s, variant, len(p), int(published.sum()), int((p == 0.0).sum()))


def _fill_source(table: SignalTable, paper_only: NDArray[np.bool_], config: OwnConfig) -> NDArray[np.int64]:
    word = 2 if config.fill_source == VENUE else 1
    return np.where(table.published & ~paper_only, word, 0)


_SOURCES: Final = np.array(["", "tape_sim", "venue"], dtype=object)


def _by_day(
    table: SignalTable,
    maturity: Ints,
    bins: Bins,
    vocabulary: Vocabulary,
    source: NDArray[np.int64],
    kept: NDArray[np.bool_],
) -> dict[str, dict[str, NDArray[np.generic]]]:
    rows = np.flatnonzero(kept)
    rows = rows[np.argsort(maturity[rows] // DAY_MS, kind="stable")]
    day = maturity[rows] // DAY_MS
    cuts = np.flatnonzero(np.diff(day)) + 1
    return {
        day_of(int(maturity[part[0]])): _columns(table, maturity, bins, vocabulary, source, part)
        for part in np.split(rows, cuts)
        if len(part)
    }


def _columns(
    table: SignalTable, maturity: Ints, bins: Bins, vocabulary: Vocabulary, source: NDArray[np.int64], part: Ints
) -> dict[str, NDArray[np.generic]]:
    p, published = table.propensity[part], table.published[part]
    paper, payoff = table.paper[part], table.payoff[part]
    clipped = np.clip(p, _EXTREME, 1.0 - _EXTREME)
    known = np.where(published, payoff, np.nan)
    best = np.where(np.isnan(known), paper, known)
    return {
        "event_id": part,
        "detector_id": np.array(table.detector.names, dtype=object)[table.detector.codes[part]],
        "spec_version": np.ones(len(part), dtype=np.int32),
        "asset": np.array(table.asset.names, dtype=object)[table.asset.codes[part]],
        "horizon_s": table.horizon_s[part].astype(np.int32),
        "window_end_ms": table.ts_us[part] // US_PER_MS,
        "block": (maturity[part] % DAY_MS // BLOCK_MS).astype(np.uint8),
        "p": p,
        "u0": np.log(clipped / (1.0 - clipped)),
        "published": published,
        "payoff_p": paper,
        "payoff_y": known,
        "hit": np.where(np.isnan(best), np.nan, best > 0.0),
        "fill_source": _SOURCES[source[part]],
        **{name: bins[part, k] for k, name in enumerate(vocabulary.bin_columns)},
    }


def _score_days(days: dict[str, dict[str, NDArray[np.generic]]]) -> None:
    """Add h and f to every day, oldest first; the control of a detector and day is P where complete, else b'B(u0)."""
    tables: dict[str, BaselineTable] = {}
    for day in sorted(days):
        columns = days[day]
        p, published = columns["p"].astype(np.float64), columns["published"].astype(np.bool_)
        control = columns["payoff_p"].astype(np.float64).copy()
        for name, rows in _split(columns):
            table = tables.setdefault(name, BaselineTable())
            if np.isnan(control[rows]).any():
                control[rows] = hats(columns["u0"][rows].astype(np.float64)) @ table.solved()
            table.add({key: columns[key][rows] for key in ("published", "payoff_y", "u0", "p")})
        executed = columns["payoff_y"].astype(np.float64)
        columns |= {"h": p * (1.0 - p), "f": score(p, published, control, executed)}


def _split(columns: Columns) -> Iterator[tuple[str, NDArray[np.int64]]]:
    names = columns["detector_id"]
    for name in sorted(set(names.tolist())):
        yield name, np.flatnonzero(names == name)


def _association(columns: Columns) -> dict[str, NDArray[np.generic]]:
    """Return the columns of published windows without propensity: equal weights, f = Y (or P), one stratum."""
    n = len(columns["u0"])
    paid, paper = columns["payoff_y"].astype(np.float64), columns["payoff_p"].astype(np.float64)
    return {
        "p": np.full(n, 0.5),
        "u0": np.zeros(n),
        "h": np.full(n, 0.25),
        "f": 0.25 * np.where(np.isnan(paid), paper, paid),
    }
