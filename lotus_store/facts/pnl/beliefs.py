"""What the same draws paid with beliefs and without them, in every style of entry."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.detectors.entry_style import EntryStyle
from lotus.errors import ConfigError
from lotus.microtape.frames.spec import MICROTAPE_QUOTES, TAPE_GAPS
from lotus.microtape.prints import MICROTAPE_PRINTS
from lotus.outcomes.style_table import RESTING, STYLE_PAYOFFS, style_payoffs
from lotus.outcomes.styles import StyleTape
from lotus.priors.types import Rule
from lotus.priors.vocabulary import BIN_COLUMNS, rule_mask
from lotus.timebase import day_start_ms, next_day
from lotus.trading.accounts.belief_money import (
    PAYOFF,
    BeliefMoney,
    KnownTruth,
    belief_money,
    published_if_known,
    published_without,
)
from lotus_store.columns import concatenated, places_of
from lotus_store.config import Settings
from lotus_store.facts.words import day_ranges
from lotus_store.lake import Lake

READING = (
    "A window is published where its draw lies below its propensity; without beliefs the same draw met another one, so "
    "both sides are known exactly. Each window is a probe against the tape, after all costs, at the base fees; at rest "
    "the pessimistic fill counts, and what was not filled in time crossed. The interval is of 95 % over blocks of time."
)
Columns = Mapping[str, NDArray[Any]]
Floats = NDArray[np.float64]
_EVENTS = (
    "event_id", "detector_id", "asset", "window_start_ms", "window_end_ms", "close_recv_ns", "horizon_s", "s",
    "spread_bps", "x_funding", "published", "veto", "eligible", "pi", "u0", "draw", "fired",
)  # fmt: skip
_OF_TRUTH = ("ln_sigma_0", "tau_pub", "temperature", *BIN_COLUMNS)
_ROWS = ("event_id", "detector_id", "asset", "window_end_ms", "maturity_ms", "horizon_s", "status", "payoff_p")
_RESTED = tuple(PAYOFF[style] for style in RESTING)


def beliefs_of(
    settings: Settings,
    first: str | None,
    last: str | None,
    planted: Sequence[tuple[str, Rule]] = (),
    styles: Sequence[EntryStyle] = tuple(EntryStyle),
) -> tuple[list[str], BeliefMoney]:
    """Return the days of scored windows from `first` to `last` (None: as far as there are any) and what they paid.

    `styles` are those of entry, crossing among them; without those at rest no tape is read. `planted`: detectors and
    the rules that are true of them, where the truth is known. Raises `ConfigError` where none was scored.
    """
    lake = Lake(settings.lake_root)
    there = lake.days("signal_events", settings.branch)
    days = [day for day in there if (first or day) <= day <= (last or day)]
    if not days:
        found = f"branch {settings.branch} has no scored day" + (f" from {first} to {last}" if first or last else "")
        raise ConfigError(found, f"one of {day_ranges(there)}", "run lotus backfill, or name --branch and --day")
    read = [_Day(lake, settings, day, planted, rests=set(styles) != {EntryStyle.CROSS}) for day in days]
    events = {name: np.concatenate([day.events[name] for day in read]) for name in read[0].events}
    payoffs = {style: np.concatenate([day.payoffs(style) for day in read]) for style in styles}
    truth = _truth(settings, np.concatenate([day.inside for day in read])) if planted else None
    return days, belief_money(events, payoffs, settings.manifest.outcomes.probe_notional_usd, truth)


def _truth(settings: Settings, inside: NDArray[np.bool_]) -> KnownTruth:
    """Return the planted rules as they would act at the highest level of trust."""
    weave, epsilon = settings.manifest.weave, settings.manifest.score.epsilon
    return KnownTruth(inside, max((weave.max_tilt, *weave.trust_caps)), max(weave.trust_floor, epsilon), epsilon)


class _Day:
    """The windows of one day, and what they paid in every style where that is known."""

    def __init__(
        self, lake: Lake, settings: Settings, day: str, planted: Sequence[tuple[str, Rule]], rests: bool
    ) -> None:
        self._lake, self._settings, self._rests = lake, settings, rests
        self.events = _read_events(lake, settings, day, (*_EVENTS, *_OF_TRUTH) if planted else _EVENTS)
        self.inside = _inside(self.events, planted)
        self._truth = _truth(settings, self.inside) if planted else None
        tables = [self._matured(d) for d in (day, next_day(day)) if lake.exists("signal_eval", settings.branch, d)]
        self._crossed = [crossed for crossed, _ in tables]
        self._rested = [part for _, rested in tables for part in rested]

    def payoffs(self, style: EntryStyle) -> Floats:
        """Return the net payoff of every window in bps, NaN where it is not known."""
        crosses = style is EntryStyle.CROSS
        tables, column = (self._crossed, "payoff_p") if crosses else (self._rested, PAYOFF[style])
        out = np.full(len(self.events["event_id"]), np.nan)
        for part in tables:
            at = places_of(part["event_id"], self.events["event_id"])
            out[at[at >= 0]] = part[column].astype(np.float64)[at >= 0]
        return out

    def _matured(self, day: str) -> tuple[Columns, list[Columns]]:
        """Return the outcomes of a day, and what the windows among them paid at rest: those that were published, and
        those that would have been without beliefs, or by the truth.
        """
        branch, events = self._settings.branch, self.events
        rows = self._lake.read("signal_eval", branch, day, columns=_ROWS)
        rested: list[Columns] = []
        if not self._rests:
            return rows, rested
        if self._lake.exists(STYLE_PAYOFFS.name, branch, day):
            rested.append(self._lake.read(STYLE_PAYOFFS.name, branch, day, columns=("event_id", *_RESTED)))
        would = published_without(events)
        if self._truth is not None:
            would |= published_if_known(events, self._truth)
        kept_out = would & ~events["published"].astype(np.bool_)
        asked = places_of(rows["event_id"], events["event_id"][kept_out]) >= 0
        if asked.any():
            part = {name: values[kept_out] for name, values in events.items()}
            part["published"] = np.ones(len(part["event_id"]), np.bool_)
            due = {name: values[asked] for name, values in rows.items()}
            until_ms = day_start_ms(next_day(day))
            rested.append(style_payoffs(part, due, self._tape(day), self._settings.manifest, until_ms))
        return rows, rested

    def _tape(self, day: str) -> StyleTape:
        """Return quotes, prints and gaps of a day and the day before."""
        branch, days = f"tape.{self._settings.tape}", (next_day(day, -1), day)
        symbols = [asset.name for asset in self._settings.manifest.universe]

        def read(name: str, of: Sequence[str | None]) -> Columns:
            there = [(d, symbol) for symbol in of for d in days if self._lake.exists(name, branch, d, symbol)]
            return concatenated([self._lake.read(name, branch, d, symbol) for d, symbol in there])

        quotes, prints = (read(spec.name, symbols) for spec in (MICROTAPE_QUOTES, MICROTAPE_PRINTS))
        return StyleTape(quotes, prints, read(TAPE_GAPS.name, [None]))


def _read_events(lake: Lake, settings: Settings, day: str, names: Sequence[str]) -> Columns:
    return lake.read("signal_events", settings.branch, day, columns=names)


def _inside(events: Columns, planted: Sequence[tuple[str, Rule]]) -> NDArray[np.bool_]:
    """Return the windows [n] in which a planted rule of their own detector holds."""
    inside = np.zeros(len(events["event_id"]), np.bool_)
    if planted:
        bins = np.stack([events[name].astype(np.uint8) for name in BIN_COLUMNS], axis=1)
        for detector, rule in planted:
            inside |= (events["detector_id"] == detector) & rule_mask(rule, bins)
    return inside


def as_json(days: list[str], money: BeliefMoney) -> dict[str, Any]:
    """Return plain values."""
    return {"days": days, "beliefs": asdict(money)}
