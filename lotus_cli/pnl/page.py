"""The profit-and-loss page, Markdown, from its facts: what was traded, what it cost, what is left, what was not scored.

Text only; the numbers are `lotus.trading.accounts.pnl`'s. The page for a terminal is `text`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from lotus.trading.accounts.pnl import AMOUNTS, METHOD, NO_EDGE, Line
from lotus_cli.pnl import styles
from lotus_cli.terminal.tables import between
from lotus_store.facts.pnl.facts import Pnl, SourceTrades
from lotus_store.facts.pnl.venues import HEAD, cells, several
from lotus_store.facts.words import clock

_USD = ("detector", "trades", "not filled", "traded", *AMOUNTS)
_BPS = ("detector", *AMOUNTS, "interval of gross", "interval of net", "blocks", "edge")
READING = (
    "Gross is mid to mid at the decisions to enter and to leave, before every cost: fees, spread, slippage, funding. "
    "Spread is half the quoted spread met at each end, slippage everything else between those mids and the prices "
    "executed. gross - fees - spread - slippage - funding = net, in whole millionths of a dollar, in every row; a cost "
    "below zero was received. What the demo's page and the daemon's status call before fees is another figure: gross "
    "less spread and slippage. Sources of fills are never added to one another. A refused trade counts with zeros."
)
VENUES = (
    "Plans by venue: sums in USD, fees of what was traded, median latency, success shrunk towards that of all venues"
)
SOURCES = {
    "tape_sim": "every published window as a probe of its own, executed against the recorded quotes",
    "paper_live": "the same probes as they were filled on paper while the daemon ran: by the desk's accounts, "
    "or in a daemon that did not trade by its probe desk",
    "venue": "orders filled by a venue",
    "book": "plans of the decision-maker's book, netted by its account; they teach decision-maker and trader alone",
}


def page(facts: Pnl) -> str:
    """Return the page."""
    parts = [
        f"# Profit and loss: branch {facts.branch}, {span(facts)}",
        *(_source(source) for source in facts.sources),
        *([] if facts.sources else [f"**{NO_EDGE}**: no window of these days was executed, so nothing was earned."]),
        *([f"## {VENUES}\n\n" + _table(HEAD, map(cells, facts.venues))] if several(facts.venues) else []),
        "\n".join(_coverage(facts)),
        *(["## Paper accounts, equity in USD\n\n" + _table(*account_rows(facts.accounts))] if facts.accounts else []),
        "## How to read this\n\n" + READING + f"\n\nMethod: {METHOD}.",
    ]
    return "\n\n".join(parts)


def span(facts: Pnl) -> str:
    """Return the days of the page in words."""
    return facts.days[0] if len(facts.days) == 1 else f"{facts.days[0]} to {facts.days[-1]}" if facts.days else "no day"


def account_rows(marks: Mapping[str, Mapping[str, Any]]) -> tuple[Sequence[str], list[Sequence[str]]]:
    """Return the head and the rows of the paper accounts as they were last saved, whatever the days of the page."""
    head = ("account", "at the mark", "optimistic (mids)", "pessimistic (far side, fees)", "last change")
    names = ("mark_micro", "mid_micro", "far_micro")
    return head, [
        (name, *(f"{mark[one] / 1e6:,.2f}" for one in names), clock(mark["time_ms"])) for name, mark in marks.items()
    ]


def _source(source: SourceTrades) -> str:
    lines = (source.total, *source.detectors)
    parts = [f"## {source.name}: {SOURCES[source.name]}"]
    parts += [f"**{source.total.verdict}**"] if source.total.verdict else []
    parts += ["In USD, sums:", _table(_USD, map(_in_usd, lines))]
    parts += [
        "In bps of the value at entry, means of all trades, with intervals of 95 %:",
        _table(_BPS, map(_in_bps, lines)),
    ]
    if source.styles:
        parts += [f"{styles.TITLE}:", _table(styles.HEAD, map(styles.style_cells, source.styles))]
    parts.append(f"Largest distance of a net from the stored one: {source.largest_difference_bps:.1g} bps.")
    return "\n\n".join(parts)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *rows))


def _in_usd(line: Line) -> Sequence[str]:
    counts = (line.label, f"{line.trades:,}", f"{line.unfilled:,}", f"{line.notional_micro_usd / 1e6:,.0f}")
    return (*counts, *(f"{line.micro_usd[name] / 1e6:+,.2f}" for name in AMOUNTS))


def _in_bps(line: Line) -> Sequence[str]:
    amounts = (f"{line.mean_bps[name]:+.2f}" for name in AMOUNTS)
    ends = (between(line.gross_interval), between(line.net_interval))
    return (line.label, *amounts, *ends, f"{line.blocks} x {line.block}", line.verdict or "above zero")


def _coverage(facts: Pnl) -> list[str]:
    head, *points = coverage_lines(facts)
    if not facts.coverage.executed:
        points[-1] = f"\n**{points[-1]}**"
    marked = [point if point.startswith("\n") else f"- {point}" for point in points]
    return [f"## {head}", "", *marked]


def coverage_lines(facts: Pnl) -> list[str]:
    """Return a title and what was not traded or not scored, line by line."""
    c = facts.coverage
    lines = [
        "What was not traded or not scored",
        f"windows scored on these days: {c.scored:,}, of which published: {c.published:,}",
        f"windows whose outcome was due on these days: {c.due:,}; whole: {c.whole:,}; "
        f"dropped by a gap or the end of the tape: {c.gap:,}",
        f"published windows among those due: {c.published_due:,}; executed: {c.executed:,}; of these refused because "
        f"the book was too thin: {c.refused:,}; dropped by a gap or the end of the tape: {c.published_gap:,}",
        f"published windows without an outcome yet: {c.published_waiting:,} (their longest horizon is not over, or "
        "the tape ends before it)",
    ]
    if facts.without_window:
        lines.append(f"paper probes whose window is not in the lake, left out above: {facts.without_window:,}")
    lines += _void(facts.void)
    if not c.executed:
        lines.append("No published window of these days has an outcome: this page can claim nothing.")
    return lines


def _void(causes: Mapping[str, int]) -> list[str]:
    """Return the line of void executions, none where nothing was executed at an account."""
    total = sum(causes.values())
    if not total:
        return []
    shares = [f"{cause} {n:,} ({n / total:.1%})" for cause, n in causes.items() if cause]
    found = ", ".join(shares) or "none"
    return [f"executions of windows at an account: {total:,}; void, prevented by our own machine: {found}"]
