"""The profit-and-loss page, Markdown, from its facts: what was traded, what it cost, what is left, what was not scored.

Text only; the numbers are `lotus.trading.pnl`'s and the reading is `lotus_cli.pnl`'s.
"""

from collections.abc import Iterable, Sequence

from lotus.trading.pnl import AMOUNTS, METHOD, NO_EDGE, Line
from lotus_cli.pnl_facts import Coverage, Pnl, Source

_USD = ("detector", "trades", "not filled", "traded", *AMOUNTS)
_BPS = ("detector", *AMOUNTS, "interval of gross", "interval of net", "blocks", "edge")
_READING = """Gross is mid to mid at the decisions to enter and to leave. Spread is half the quoted spread met at each
end, slippage everything else between those mids and the prices executed. gross - fees - spread - slippage - funding =
net, in whole millionths of a dollar, in every row; a cost below zero was received. Sources of fills are never added
to one another. A trade that was refused counts with zeros."""
_SOURCES = {
    "tape_sim": "every published window as a probe of its own, executed against the recorded quotes",
    "paper_live": "the same probes as the daemon's paper venue filled them while it ran",
    "venue": "orders filled by a venue",
    "book": "plans of the decision-maker's book, netted by its account; they teach decision-maker and trader alone",
}


def page(facts: Pnl) -> str:
    """Return the page."""
    span = facts.days[0] if len(facts.days) == 1 else f"{facts.days[0]} to {facts.days[-1]}" if facts.days else "no day"
    parts = [
        f"# Profit and loss: branch {facts.branch}, {span}",
        *(_source(source) for source in facts.sources),
        *([] if facts.sources else [f"**{NO_EDGE}**: no window of these days was executed, so nothing was earned."]),
        _coverage(facts.coverage, facts.without_window),
        "## How to read this\n\n" + _READING + f"\n\nMethod: {METHOD}.",
    ]
    return "\n\n".join(parts)


def _source(source: Source) -> str:
    lines = (source.total, *source.detectors)
    parts = [f"## {source.name}: {_SOURCES[source.name]}"]
    parts += [f"**{source.total.verdict}**"] if source.total.verdict else []
    parts += ["In USD, sums:", _table(_USD, map(_in_usd, lines))]
    parts += [
        "In bps of the value at entry, means of all trades, with intervals of 95 %:",
        _table(_BPS, map(_in_bps, lines)),
    ]
    parts.append(f"Largest distance of a net from the stored one: {source.largest_difference_bps:.1g} bps.")
    return "\n\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def _in_usd(line: Line) -> Sequence[str]:
    counts = (line.label, f"{line.trades:,}", f"{line.unfilled:,}", f"{line.notional_micro_usd / 1e6:,.0f}")
    return (*counts, *(f"{line.micro_usd[name] / 1e6:+,.2f}" for name in AMOUNTS))


def _in_bps(line: Line) -> Sequence[str]:
    amounts = (f"{line.mean_bps[name]:+.2f}" for name in AMOUNTS)
    between = (_interval(line.gross_interval), _interval(line.net_interval))
    return (line.label, *amounts, *between, f"{line.blocks} x {line.block}", line.verdict or "above zero")


def _interval(between: tuple[float, float] | None) -> str:
    return "no interval" if between is None else f"{between[0]:+.2f} to {between[1]:+.2f}"


def _coverage(c: Coverage, without_window: int) -> str:
    lines = [
        "## What was not traded or not scored",
        "",
        f"- windows scored on these days: {c.scored:,}, of which published: {c.published:,}",
        f"- windows whose outcome was due on these days: {c.due:,}; whole: {c.whole:,}; "
        f"dropped by a gap or the end of the tape: {c.gap:,}",
        f"- published windows among those due: {c.published_due:,}; executed: {c.executed:,}; of these refused because "
        f"the book was too thin: {c.refused:,}; dropped by a gap or the end of the tape: {c.published_gap:,}",
        f"- published windows without an outcome yet: {c.published_waiting:,} (their longest horizon is not over, or "
        "the tape ends before it)",
    ]
    if without_window:
        lines.append(f"- paper probes whose window is not in the lake, left out above: {without_window:,}")
    if not c.executed:
        lines += ["", "**No published window of these days has an outcome: this page can claim nothing.**"]
    return "\n".join(lines)
