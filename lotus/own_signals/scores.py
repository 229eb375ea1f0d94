"""From a checked table to scores by maturity day, in the form that `lotus.learning` reads.

A window matures when its longest horizon is known; blocks are six hours of that time. With a paper payoff in every row
of a detector and day the score is owp; otherwise ow with the level of earlier days, because a control variate that is
null where nothing was published would bias the score. A detector without propensity gets no score but an association:
its published payoffs, equally weighted. Nothing here reads a later day.
"""

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lotus.learning.strata import HISTORY_DAYS, Histogram, Strata, histogram, strata_of
from lotus.own_signals.bins import Bins, binned
from lotus.own_signals.checks import by_detector, check_rows, chosen_features, decision_horizons
from lotus.own_signals.config import VENUE, OwnConfig
from lotus.own_signals.days import Days, SignalWindows
from lotus.own_signals.horizons import HorizonOutcomes, outcomes_by_horizon
from lotus.own_signals.report.readings import Readings
from lotus.own_signals.table import US_PER_MS, Ints, SignalTable
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
class MaturedScores:
    """Scores by maturity day, those with logged propensities apart from mere associations; what the bins mean.

    `days` are those on which outcomes were known, `file_days` those of the windows, as whoever wrote the files counts.
    """

    vocabulary: Vocabulary
    scores: Days
    associations: Days
    detectors: tuple[DetectorFacts, ...]
    days: tuple[str, ...]
    file_days: tuple[str, ...]
    outcomes: HorizonOutcomes
    readings: Readings


def scored(table: SignalTable, config: OwnConfig) -> MaturedScores:
    """Return the scores of a table; raises `SchemaError` (file, column, row, cause) where it is not what it must be."""
    check_rows(table)
    horizons = decision_horizons(table, config)
    names = chosen_features(table, config)
    draw = _draws(table)
    maturity = _maturity_ms(table, draw)
    own_rows = deciding(table, horizons)
    outcomes = outcomes_by_horizon(table, draw, own_rows, config.cost_bps)
    del draw
    table, maturity = table.take(own_rows), maturity[own_rows]
    bins = binned(table, names, config)
    facts = tuple(_facts(table, rows, name, horizons[name]) for name, rows in by_detector(table))
    kept = _last_days(maturity, config.last_days)
    kept &= ~(table.propensity == 0.0)
    unlogged = np.isnan(table.propensity)
    file_days = tuple(day_of(ms) for ms in (np.unique(table.ts_us[kept] // (US_PER_MS * DAY_MS)) * DAY_MS).tolist())
    day, block = (maturity // DAY_MS).astype(np.int32), (maturity % DAY_MS // BLOCK_MS).astype(np.uint8)
    readings = Readings(bins.edges, bins.groups, table.asset.names, _spoke(table, kept))
    nothing = np.zeros(0, dtype=np.int64)  # what is not needed from here on is let go of
    table = replace(table, origin=nothing, horizon_s=nothing, features={}, described={})
    del maturity, own_rows
    made = _Making(
        table=table, day=day, block=block, bins=bins.bins, vocabulary=bins.vocabulary, facts=facts, config=config
    )
    logged, loose = made.days(kept & ~unlogged, False), made.days(kept & unlogged & table.published, True)
    days = tuple(sorted({*logged, *loose}))
    return MaturedScores(
        vocabulary=bins.vocabulary,
        scores=logged,
        associations=loose,
        detectors=facts,
        days=days,
        file_days=file_days,
        outcomes=outcomes,
        readings=readings,
    )


def deciding(table: SignalTable, horizons: Mapping[str, int]) -> NDArray[np.bool_]:
    """Return which rows are of the horizon that decides, by detector."""
    return np.asarray(table.horizon_s == np.array([horizons[x] for x in table.detector.names])[table.detector.codes])


def _spoke(table: SignalTable, kept: NDArray[np.bool_]) -> dict[str, Ints]:
    """Return (asset, day of ts) [k, 2] of every detector's kept rows."""
    day, out = table.day, {}
    for name, rows in by_detector(table):
        own_rows = np.flatnonzero(rows & kept)
        distinct = np.unique(np.asarray(day[own_rows] * len(table.asset.names) + table.asset.codes[own_rows]))
        days, assets = np.divmod(distinct, len(table.asset.names))
        out[name] = np.stack([assets, days], axis=1)
    return out


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
    distinct = np.unique(day)
    return np.asarray(day >= distinct[-last_days:][0])


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
    return DetectorFacts(
        detector_id=name,
        horizon_s=horizon_s,
        variant=variant,
        rows=len(p),
        published=int(published.sum()),
        no_chance=int((p == 0.0).sum()),
    )


@dataclass(frozen=True, slots=True)
class _Making:
    """What the windows of both kinds are made of."""

    table: SignalTable
    day: NDArray[np.int32]
    block: NDArray[np.uint8]
    bins: Bins
    vocabulary: Vocabulary
    facts: tuple[DetectorFacts, ...]
    config: OwnConfig

    def days(self, kept: NDArray[np.bool_], unlogged: bool) -> Days:
        """Return the kept windows by maturity day."""
        rows = np.flatnonzero(kept)
        rows = rows[np.lexsort((self.table.detector.codes[rows], self.day[rows]))]
        day = self.day[rows]
        windows = self._windows(rows, unlogged)
        distinct, first = np.unique(day, return_index=True)
        names = tuple(day_of(int(d) * DAY_MS) for d in distinct)
        bounds = np.append(first, len(rows)).astype(np.int64)
        pasts: dict[tuple[str, str], Strata] = {}
        days = Days(windows, names, bounds, pasts)
        if not unlogged:
            _fill(days, pasts)
        return days

    def _windows(self, rows: Ints, unlogged: bool) -> SignalWindows:
        t, config = self.table, self.config
        published = t.published[rows]
        paper_only = np.array([f.variant == PAPER for f in self.facts])[t.detector.codes[rows]]
        paid = np.where(published & paper_only, t.paper[rows], t.payoff[rows]) - config.cost_bps
        word = 2 if config.fill_source == VENUE else 1
        return SignalWindows(
            detectors=t.detector.names,
            assets=t.asset.names,
            bin_names=self.vocabulary.bin_columns,
            horizon_s={f.detector_id: f.horizon_s for f in self.facts},
            fill_source={f.detector_id: 0 if f.variant == PAPER else word for f in self.facts},
            unlogged=unlogged,
            event=rows.astype(np.int32),
            detector=t.detector.codes[rows],
            asset=t.asset.codes[rows],
            end_ms=t.ts_us[rows] // US_PER_MS,
            block=self.block[rows],
            p=t.propensity[rows],
            published=published,
            payoff_p=t.paper[rows] - config.cost_bps,
            payoff_y=np.where(published, paid, np.nan),
            bins=self.bins[rows],
        )


def _fill(days: Days, pasts: dict[tuple[str, str], Strata]) -> None:
    """Put the strata of every detector and day, from the 20 learning days before, into what the days read."""
    for name in days.detectors:
        past: deque[Histogram] = deque(maxlen=HISTORY_DAYS)
        for day, columns in days.of(name).items():
            pasts[day, name] = strata_of(past)
            wanted = ("u0", "p", "payoff_y", "f", "level")
            u0, p, paid, f, level = (np.asarray(columns[key], dtype=np.float64) for key in wanted)
            past.append(histogram(u0, p, np.asarray(columns["published"], dtype=np.bool_), paid, f, level))
