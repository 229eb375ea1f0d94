"""`lotus pnl --beliefs` for a terminal: what the same draws paid with beliefs and without them."""

from lotus.trading.accounts.belief_money import BPS, BeliefMoney, PaidWindows, StyleMoney
from lotus_cli.terminal.tables import TableColumn, folded, numbers, table
from lotus_store.facts.pnl.beliefs import READING


def text(days: list[str], money: BeliefMoney, wide: bool) -> str:
    """Return the table for a terminal."""
    title = f"BELIEFS IN MONEY   {days[0]} to {days[-1]}: the same draws with beliefs and without, by style of entry"
    over_draws = expected(money.moved, money.expected_usd, money.expected_se_usd)
    return "\n\n".join([title, style_table(money, wide), over_draws, folded(READING)])


def style_table(money: BeliefMoney, wide: bool) -> str:
    """Return a line for every style of entry."""
    columns = (
        TableColumn("style"), *numbers("without", "USD", "bps", "with", "USD", "bps", "gain, USD", "95 %"),
        *numbers("brought in", "USD", "kept out", "USD"),
    )  # fmt: skip
    return table(columns, [_line(style, money.probe_usd) for style in money.styles], wide)


def expected(moved: int, usd: float, se_usd: float | None) -> str:
    """Return what the windows that a belief moved are expected to pay, over all draws; `se_usd`: its standard error."""
    if not moved:
        return "no belief moved a window"
    error = "" if se_usd is None else f" +- {se_usd:.2f}"
    return f"over all draws the {moved:,} windows that a belief moved: {usd:+.2f}{error} USD expected"


def _line(style: StyleMoney, probe_usd: float) -> tuple[str, ...]:
    found = style.gain_interval
    reach = "too few blocks" if found is None else "{:+.2f} to {:+.2f}".format(*found)
    sides = [text for side in (style.without, style.with_beliefs) for text in (*_side(side), _bps(side, probe_usd))]
    return (style.style, *sides, f"{style.gain_usd:+.2f}", reach, *_side(style.added), *_side(style.dropped))


def _side(side: PaidWindows) -> tuple[str, str]:
    return f"{side.windows:,}", f"{side.usd:+.2f}"


def _bps(side: PaidWindows, probe_usd: float) -> str:
    return f"{side.usd / side.windows / probe_usd * BPS:+.2f}" if side.windows else ""
