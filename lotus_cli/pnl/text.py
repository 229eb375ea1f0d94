"""The profit-and-loss page for a terminal, from its facts: per source a curve, tables that fit, and what it all means.

The Markdown form of the same facts is `page`.
"""

from collections.abc import Sequence

from lotus.trading.accounts.pnl import AMOUNTS, COSTS, METHOD, NO_EDGE, Line
from lotus_cli.pnl import styles
from lotus_cli.pnl.page import READING, SOURCES, VENUES, account_rows, coverage_lines, span
from lotus_cli.terminal.tables import TableColumn, between, folded, numbers, table, width
from lotus_cli.terminal.text_plot import curves
from lotus_store.facts.pnl.curve import curve_of, trips_of
from lotus_store.facts.pnl.facts import Pnl, SourceTrades
from lotus_store.facts.pnl.venues import HEAD, cells, several
from lotus_store.facts.words import clock

SHOWN_TRIPS = 40
_FEW = ("gross", "net", *COSTS)


def text(facts: Pnl, wide: bool, trips: bool) -> str:
    """Return the page; `trips` lists the trades one by one, the newest `SHOWN_TRIPS` of each source unless `wide`."""
    parts = [f"PROFIT AND LOSS   branch {facts.branch}, {span(facts)}"]
    parts += [part for source in facts.sources for part in _source(source, wide, trips)]
    if not facts.sources:
        parts.append(f"{NO_EDGE}: no window of these days was executed, so nothing was earned.")
    if several(facts.venues):
        columns = [TableColumn(HEAD[0]), TableColumn(HEAD[1]), *numbers(*HEAD[2:])]
        parts.append(f"{folded(VENUES)}:\n" + table(columns, [cells(line) for line in facts.venues], wide))
    parts.append("\n".join(folded(line, "  ") for line in coverage_lines(facts)))
    if facts.accounts:
        head, rows = account_rows(facts.accounts)
        parts.append(
            "Paper accounts, equity in USD:\n" + table([TableColumn(head[0]), *numbers(*head[1:])], rows, wide)
        )
    parts.append(folded(f"{READING} Method: {METHOD}."))
    return "\n\n".join(parts)


def _source(source: SourceTrades, wide: bool, trips: bool) -> list[str]:
    lines = (source.total, *source.detectors)
    usd = (TableColumn("detector"), *numbers("trades", *_FEW, "not filled", "traded"))
    bps = (TableColumn("detector"), *numbers("gross", "net", "95 % of net"), TableColumn("edge"), *numbers(*COSTS),
           *numbers("95 % of gross"), TableColumn("blocks"))  # fmt: skip
    parts = [
        folded(f"{source.name.upper()}   {SOURCES[source.name]}"),
        *([source.total.verdict] if source.total.verdict else []),
        _curve(source),
        "Sums, USD:\n" + table(usd, [_in_usd(line) for line in lines], wide),
        "Means of all trades, bps of the value at entry:\n" + table(bps, [_in_bps(line) for line in lines], wide),
    ]
    if source.styles:
        head = (TableColumn(styles.HEAD[0]), TableColumn(styles.HEAD[1]), *numbers(*styles.HEAD[2:]))
        parts.append(
            f"{folded(styles.TITLE)}:\n" + table(head, [styles.style_cells(row) for row in source.styles], wide)
        )
    return [*parts, _trips(source, wide)] if trips else parts


def _curve(source: SourceTrades) -> str:
    curve = curve_of(source.trades)
    fall, top_ms, low_ms = curve.deepest
    drawn = curves({"gross": curve.gross.tolist(), "net": curve.net.tolist()}, min(width(), 100))
    return "\n".join([
        f"Cumulative gross (g) {curve.gross[-1]:+,.2f} and net (n) {curve.net[-1]:+,.2f} USD of "
        f"{len(curve.net):,} trades:",
        *drawn,
        f"Deepest fall of net {fall:,.2f} USD"
        + (f", from {_when(top_ms)} to {_when(low_ms)}" if fall < 0.0 else ""),
    ])  # fmt: skip


def _trips(source: SourceTrades, wide: bool) -> str:
    trips = trips_of(source.trades)
    shown = trips if wide else trips[-SHOWN_TRIPS:]
    columns = (TableColumn("decided, UTC"), TableColumn("detector"), TableColumn("coin"), *numbers(*_FEW, "traded"))
    rows = [
        (_when(t["time_ms"], 19), t["detector"], t["coin"],
         *(f"{t[f'{name}_usd']:+.3f}" if t["filled"] else "-" for name in _FEW),
         f"{t['traded_usd']:,.0f}" if t["filled"] else "not filled")
        for t in shown
    ]  # fmt: skip
    which = f"the newest {len(shown)} of {len(trips):,} (--wide: all)" if len(shown) < len(trips) else f"{len(trips):,}"
    return f"Trades, USD: {which}\n" + table(columns, rows, wide)


def _when(time_ms: int, characters: int = 16) -> str:
    return clock(time_ms)[:characters].replace("T", " ")


def _in_usd(line: Line) -> Sequence[str]:
    money = (f"{line.micro_usd[name] / 1e6:+,.2f}" for name in _FEW)
    return (line.label, f"{line.trades:,}", *money, f"{line.unfilled:,}", f"{line.notional_micro_usd / 1e6:,.0f}")


def _in_bps(line: Line) -> Sequence[str]:
    mean = {name: f"{line.mean_bps[name]:+.2f}" for name in AMOUNTS}
    edge = "above zero" if line.has_edge else NO_EDGE
    costs = (mean[name] for name in COSTS)
    return (line.label, mean["gross"], mean["net"], between(line.net_interval), edge, *costs,
            between(line.gross_interval), f"{line.blocks} x {line.block}")  # fmt: skip
