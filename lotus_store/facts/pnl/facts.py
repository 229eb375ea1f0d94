"""The facts of the profit-and-loss page, read from the lake: executed probes of a branch, and all that has no outcome.

Days are days of maturity: a probe is told on the day whose `signal_eval` holds it. Nothing is printed here.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lotus.errors import ConfigError
from lotus.microtape.frames.spec import MICROTAPE_QUOTES
from lotus.outcomes.signal_eval import GAP, OK
from lotus.progress.steps import Steps, untold
from lotus.timebase import day_of, day_start_ms, next_day
from lotus.trading.accounts.pnl import FillSource, Line, TradeColumns, by_detector, joined, total
from lotus.trading.accounts.pnl_fills import filled_trades
from lotus.trading.accounts.pnl_styles import PlanEnds, StyleLine, by_style
from lotus.trading.accounts.pnl_tape import (
    EVAL_COLUMNS,
    EVENT_COLUMNS,
    QUOTE_COLUMNS,
    Columns,
    TapeTrades,
    executed_rows,
    tape_trades,
)
from lotus.trading.plan.styles import Styles
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_store.facts.pnl.book import BookTrades, book_trades
from lotus_store.facts.pnl.curve import by_day, curve_of, trips_of
from lotus_store.facts.pnl.paper import paper_trips
from lotus_store.facts.pnl.reader import PageReader
from lotus_store.facts.pnl.trips import RoundTrip, filled_of
from lotus_store.facts.pnl.venue import causes_of_void, executions_on, venue_trips, void_styles
from lotus_store.facts.pnl.venues import VenueLine, venue_lines
from lotus_store.facts.words import day_ranges
from lotus_store.lake import Lake
from lotus_store.ledger.trading.decisions import void_book_plans
from lotus_store.ledger.trading.paper_books import paper_marks
from lotus_store.ledger.trading.plans import book_results

_EVENTS = (*EVENT_COLUMNS, "detector_id", "window_end_ms", "published")


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many windows stand behind the page, and why the others do not."""

    scored: int = 0
    published: int = 0
    due: int = 0
    whole: int = 0
    gap: int = 0
    published_due: int = 0
    published_gap: int = 0
    published_waiting: int = 0
    executed: int = 0
    refused: int = 0


@dataclass(frozen=True, slots=True)
class SourceTrades:
    """The trades of one fill source: one by one, all together, by detector and, of plans, by the style ordered."""

    name: str
    trades: TradeColumns
    total: Line
    detectors: tuple[Line, ...]
    largest_difference_bps: float
    styles: tuple[StyleLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Pnl:
    """Everything that the page tells; `without_window` counts executed probes whose window is not in the lake.

    `accounts` are the last marks of every paper account, in millionths of a dollar. `void` counts executions by what of
    our own machine prevented them, under "" those that are evidence. `venues` are the rows of what each venue did.
    """

    branch: str
    days: tuple[str, ...]
    sources: tuple[SourceTrades, ...]
    coverage: Coverage
    without_window: int
    accounts: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    void: Mapping[str, int] = field(default_factory=dict)
    venues: Sequence[VenueLine] = ()

    def as_json(self, trips: bool = False) -> dict[str, Any]:
        """Return plain values; `trips` adds the trades one by one."""
        return {
            "branch": self.branch,
            "days": list(self.days),
            "coverage": asdict(self.coverage) | {"paper_without_window": self.without_window},
            "paper_accounts": dict(self.accounts),
            "executions": {"evidence": self.void.get("", 0), "void": {k: n for k, n in self.void.items() if k}},
            "venues": [line.as_json() for line in self.venues],
            "sources": [
                {
                    "fill_source": s.name,
                    "total": _plain(s.total),
                    "detectors": [_plain(line) for line in s.detectors],
                    "styles": [asdict(row) | {"line": _plain(row.line)} for row in s.styles],
                    "largest_difference_bps": s.largest_difference_bps,
                    "by_day": by_day(s.trades),
                    "deepest_fall_usd": curve_of(s.trades).deepest[0],
                    **({"trips": trips_of(s.trades)} if trips else {}),
                }
                for s in self.sources
            ],
        }


def pnl_of(settings: Settings, first: str | None, last: str | None, progress: Steps = untold) -> Pnl:
    """Return the facts of a branch for the days from `first` to `last` (None: as far as there are any).

    Raises `ConfigError` when no window was scored on them, or the tape is not the branch's.
    """
    lake = PageReader(Lake(settings.lake_root))
    scored_days = sorted({*lake.days("signal_events", settings.branch), *lake.days("signal_eval", settings.branch)})
    days = [day for day in scored_days if (first or day) <= day <= (last or day)]
    if not days:
        found = f"branch {settings.branch} has no scored day" + (f" from {first} to {last}" if first or last else "")
        raise ConfigError(found, f"one of {day_ranges(scored_days)}", "run lotus backfill, or name --branch and --day")
    if set(lake.days(MICROTAPE_QUOTES.name, f"tape.{settings.tape}")).isdisjoint(days):
        found = f"tape {settings.tape} has no quotes of {days[0]} to {days[-1]}"
        raise ConfigError(found, f"the tape on which branch {settings.branch} was scored", "--tape is missing or wrong")
    progress("reading scored days", 0)
    read = [_Day(lake, settings, day) for day in days if lake.exists("signal_eval", settings.branch, day)]
    taped = []
    for number, scored in enumerate(read):
        progress("days of trades", number, len(read), days[number])
        taped.append(scored.trades())
    progress("reading what was executed", 0)
    sources = [_taped(taped)] if any(len(t.trades) for t in taped) else []
    with Databases(settings) as databases:
        with databases.connect("sig") as sig:
            executions = executions_on(sig, settings.branch, days)
            traded = venue_trips(executions, days, paper=True)
            paper = traded or paper_trips(sig, settings.branch, days, settings.manifest)
            venue = venue_trips(executions, days)
            void = causes_of_void(executions, days)
            with databases.connect("tr") as tr:
                void_by_venue = [void_styles(tr, executions, days, is_paper) for is_paper in (True, False)]
                accounts, venues = paper_marks(tr), venue_lines(tr, settings.branch, days)
        book = _booked(lake, settings, databases, days)
    trips, without = _source_pnl(lake, settings, FillSource.PAPER_LIVE, paper, void_by_venue[0])
    executed, lost = _source_pnl(lake, settings, FillSource.VENUE, venue, void_by_venue[1])
    sources += [*trips, *executed, *book]
    coverage = _coverage(lake, settings.branch, days, read, taped)
    return Pnl(
        branch=settings.branch,
        days=tuple(days),
        sources=tuple(sources),
        coverage=coverage,
        without_window=without + lost,
        accounts=accounts,
        void=void,
        venues=venues,
    )


class _Day:
    """One day of outcomes, with the windows and quotes of it and of the day before."""

    def __init__(self, lake: PageReader, settings: Settings, day: str) -> None:
        self._lake, self._settings, self._day = lake, settings, day
        self.evals = lake.read("signal_eval", settings.branch, day, columns=EVAL_COLUMNS)
        self._events = _events(lake, settings.branch, (next_day(day, -1), day), ())
        self._executed = executed_rows(self.evals, self._events)

    def trades(self) -> TapeTrades:
        symbols = sorted(set(self.evals["asset"][self._executed].tolist()))
        quotes = _quotes(self._lake, self._settings, self._day, symbols)
        return tape_trades(self.evals, self._events, quotes, self._settings.manifest)

    def published(self) -> NDArray[np.bool_]:
        """Tell which rows of the outcomes were published."""
        names = set(self._events["event_id"][self._events["published"].astype(np.bool_)].tolist())
        return _among(self.evals["event_id"], names)


def _taped(taped: Sequence[TapeTrades]) -> SourceTrades:
    trades = joined([t.trades for t in taped])
    return _source(trades, max(t.largest_difference_bps for t in taped))


def _source_pnl(
    lake: PageReader, settings: Settings, source: FillSource, trips: Sequence[RoundTrip], void: Sequence[Styles]
) -> tuple[list[SourceTrades], int]:
    """Return the source of round trips (none without one), and how many have no window in the lake.

    `void` are the styles of the plans that count in no sum.
    """
    parts, without, nets, plans = [], 0, list[float](), list[PlanEnds]()
    for day in sorted({trip.closed_day for trip in trips}):
        closed = {trip.event_id for trip in trips if trip.closed_day == day}
        events = _events(lake, settings.branch, (next_day(day, -1), day), closed)
        names = {name: k for k, name in enumerate(events["event_id"].tolist())}
        own_trips = [trip for trip in trips if trip.closed_day == day and trip.event_id in names]
        without += sum(trip.closed_day == day and trip.event_id not in names for trip in trips)
        windows = {t.event_id: {n: values[names[t.event_id]] for n, values in events.items()} for t in own_trips}
        filled = filled_of(own_trips, windows, settings.manifest)
        quotes = _quotes(lake, settings, day, sorted(set(filled.asset.tolist())))
        parts.append(filled_trades(source, filled, quotes, settings.manifest))
        nets += [trip.net_usd for trip in own_trips]
        plans += [trip.ends for trip in own_trips]
    if not nets:
        return [], without
    trades = joined(parts)
    net_bps = np.where(trades.filled, 1e10 * np.array(nets) / np.maximum(trades.notional, 1), 0.0)
    whole = _source(trades, float(np.max(np.abs(net_bps - trades.bps("net")))))
    return [replace(whole, styles=by_style(trades, plans, void))], without


def _booked(lake: PageReader, settings: Settings, databases: Databases, days: Sequence[str]) -> list[SourceTrades]:
    """Return the book as a source of its own, told by coins; none where it closed nothing."""
    branch, until_ms = settings.branch, day_start_ms(next_day(days[-1]))
    with databases.connect("tr") as tr:
        results = [(day_of(result.created_ms), result) for result in book_results(tr, branch)]
    with databases.connect("dm") as dm:
        void = void_book_plans(dm, branch, day_start_ms(days[0]), until_ms)
    books = list[BookTrades]()
    for day in days:
        own_results = [result for own_day, result in results if own_day == day]
        symbols = sorted({result.coin for result in own_results})
        quotes_by_coin = _quotes(lake, settings, next_day(day), symbols)  # of the day, and what was still held after it
        quotes = {symbol: columns for symbol, columns in quotes_by_coin.items() if len(columns["recv_ns"])}
        books.append(book_trades(own_results, quotes, settings.manifest, void))
    trades, held, refused = joined([f.trades for f in books]), sum(f.held for f in books), sum(f.refused for f in books)
    if not len(trades):
        return []
    styles = by_style(trades, [plan for f in books for plan in f.plans], [plan for f in books for plan in f.void])
    whole = total(trades, f"book ({held} held, {refused} refused)")
    return [SourceTrades("book", trades, whole, by_detector(trades), 0.0, styles)]


def _source(trades: TradeColumns, largest_difference_bps: float) -> SourceTrades:
    return SourceTrades(trades.source.value, trades, total(trades), by_detector(trades), largest_difference_bps)


def _quotes(lake: PageReader, settings: Settings, day: str, symbols: Sequence[str]) -> dict[str, Columns]:
    """Return the quotes of a day and the one before, by symbol."""
    name, branch, quotes = MICROTAPE_QUOTES.name, f"tape.{settings.tape}", dict[str, Columns]()
    for symbol in symbols:
        days = [d for d in (next_day(day, -1), day) if lake.exists(name, branch, d, symbol)]
        tables = [lake.read(name, branch, d, symbol, columns=QUOTE_COLUMNS) for d in days]
        quotes[symbol] = _together(tables, QUOTE_COLUMNS)
    return quotes


def _coverage(
    lake: PageReader, branch: str, days: Sequence[str], read: Sequence[_Day], taped: Sequence[TapeTrades]
) -> Coverage:
    events = _events(lake, branch, days, ())
    published = set(events["event_id"].tolist())
    evaluated = {name for day in read for name in day.evals["event_id"].tolist() if name in published}
    waiting = sum(name not in evaluated for name in events["event_id"].tolist())
    flags = [(day.evals["status"], day.published()) for day in read]
    return Coverage(
        scored=sum(lake.rows("signal_events", branch, day) for day in days),
        published=len(events["event_id"]),
        due=sum(len(status) for status, _ in flags),
        whole=sum(int(np.sum(status == OK)) for status, _ in flags),
        gap=sum(int(np.sum(status == GAP)) for status, _ in flags),
        published_due=sum(int(chosen.sum()) for _, chosen in flags),
        published_gap=sum(int(np.sum((status == GAP) & chosen)) for status, chosen in flags),
        published_waiting=waiting,
        executed=sum(len(t.trades) for t in taped),
        refused=sum(int(np.sum(~t.trades.filled)) for t in taped),
    )


def _events(lake: PageReader, branch: str, days: Sequence[str], names: Collection[str]) -> dict[str, NDArray[Any]]:
    """Return the published windows of some days, and those of these names."""
    there = [day for day in days if lake.exists("signal_events", branch, day)]
    published = [lake.read("signal_events", branch, day, columns=_EVENTS, where="published") for day in there]
    other = set(names).difference(*(windows["event_id"].tolist() for windows in published))
    return _together([_with_others(lake, branch, day, other) for day in there] if other else published, _EVENTS)


def _with_others(lake: PageReader, branch: str, day: str, names: Collection[str]) -> dict[str, NDArray[Any]]:
    """Return a day's published windows and those of these names."""
    windows = lake.read("signal_events", branch, day, columns=_EVENTS)
    chosen = windows["published"].astype(np.bool_) | _among(windows["event_id"], names)
    return {name: values[chosen] for name, values in windows.items()}


def _among(values: NDArray[Any], names: Collection[str]) -> NDArray[np.bool_]:
    return np.array([name in names for name in values.tolist()], dtype=np.bool_)


def _together(tables: Sequence[Mapping[str, NDArray[Any]]], names: Sequence[str]) -> dict[str, NDArray[Any]]:
    return {n: np.concatenate([t[n] for t in tables]) if tables else np.zeros(0, dtype=object) for n in names}


def _plain(line: Line) -> dict[str, Any]:
    facts = {k: v for k, v in asdict(line).items() if "micro_usd" not in k}
    facts |= {"usd": {name: amount / 1e6 for name, amount in line.micro_usd.items()}}
    return facts | {"notional_usd": line.notional_micro_usd / 1e6, "has_edge": line.has_edge, "verdict": line.verdict}
