"""The table of executed plans by the styles in which they were ordered, for the terminal and for the page."""

from collections.abc import Sequence

from lotus.trading.accounts.pnl_styles import StyleLine
from lotus_cli.terminal.tables import between

TITLE = (
    "Plans of this source by the style that was ordered: filled share of the size, share of the value at that end "
    "that rested, sums in USD, net in bps of the value at entry (mean of all plans); void plans count in no sum"
)
HEAD = ("end", "style", "plans", "filled", "rested", "gross", "fees", "net", "net bps", "95 %", "void")


def style_cells(row: StyleLine) -> Sequence[str]:
    """Return the cells of a row under `HEAD`."""
    line = row.line
    usd = (f"{line.micro_usd[name] / 1e6:+,.2f}" for name in ("gross", "fees", "net"))
    rested = "-" if row.rested is None else f"{row.rested:.1%}"
    shares = (f"{line.trades:,}", f"{row.filled:.1%}", rested)
    net = (f"{line.mean_bps['net']:+.2f}", between(line.net_interval))
    return (row.end, row.style, *shares, *usd, *net, f"{row.void:,}")
