"""The book's plans as trades, netted: what each plan moved, split into its costs against the recorded quotes.

A plan of the book may be lowered in several steps, so every fill is split on its own: mid when its order was sent, half
the spread met at the fill, the price executed. What probes of the same windows earned is another source and never added
to this one: the book teaches decision-maker and trader alone.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lotus.errors import SchemaError
from lotus.manifest import Manifest
from lotus.outcomes.path import QuotePath
from lotus.timebase import NS_PER_MS
from lotus.trading.accounts.pnl import FillSource, TradeColumns
from lotus.trading.accounts.pnl_styles import Fill, PlanEnds, plan_ends
from lotus.trading.accounts.pnl_tape import Columns, path_of
from lotus.trading.plan.styles import Styles
from lotus_store.ledger.trading.plans import BookResult

Row = tuple[int, float, float, float, float, float, float]


@dataclass(frozen=True, slots=True)
class BookTrades:
    """Closed plans of the book as trades under their coins' names, and how many are still held or were refused.

    `plans` are how the trades were ordered and filled; `void` the styles of those that our own machine prevented.
    """

    trades: TradeColumns
    held: int
    refused: int
    plans: tuple[PlanEnds, ...] = ()
    void: tuple[Styles, ...] = ()


def book_trades(
    results: Sequence[BookResult], quotes: Mapping[str, Columns], manifest: Manifest, void: Collection[str] = ()
) -> BookTrades:
    """Return plans of the book as trades; `quotes` as for `tape_trades`, `void` names those that are no evidence.

    Raises `SchemaError` for a filled plan of a coin without quotes.
    """
    closed = [result for result in results if result.stage == "done" and result.plan_id not in void]
    paths = {coin: path_of(columns) for coin, columns in quotes.items()}
    units = {asset.name: 10.0**asset.px_decimals for asset in manifest.universe}
    rows = [_row(result, paths.get(result.coin), units[result.coin]) for result in closed]
    filled = np.array([row[1] > 0.0 for row in rows], dtype=np.bool_)
    micro = [np.array([round(1e6 * row[k]) for row in rows], dtype=np.int64) for k in range(1, 7)]
    names = np.array([f"book {result.coin}" for result in closed], dtype=object)
    coins = np.array([result.coin for result in closed], dtype=object)
    times = np.array([row[0] for row in rows], dtype=np.int64)
    trades = TradeColumns(FillSource.VENUE, names, coins, times, filled, *micro)
    stages = [result.stage for result in results if result.plan_id not in void]
    held = stages.count("working") + stages.count("accepted")
    prevented = tuple(result.styles for result in results if result.plan_id in void)
    return BookTrades(trades, held, stages.count("refused"), tuple(map(_ends, closed)), prevented)


def _ends(plan: BookResult) -> PlanEnds:
    """Return how a plan was ordered and filled."""

    def fills(entering: bool) -> list[Fill]:
        own = [fill for purpose, _, fill in plan.fills if (purpose == "entry") is entering]
        return [(float(fill["px"]), float(fill["size"]), not fill["is_taker"]) for fill in own]

    return plan_ends(plan.styles, plan.size, fills(True), fills(False))


def _row(plan: BookResult, path: QuotePath | None, unit: float) -> Row:
    """Return time, value at entry, gross, fees, spread, slippage and funding of one plan, in USD."""
    value = gross = fees = spread = slippage = 0.0
    for purpose, sent_ms, fill in plan.fills:
        if path is None:
            raise SchemaError(f"no quotes of {plan.coin}", "the quotes that its fills met", "a pruned lake")
        side, size, px = int(fill["side"]), float(fill["size"]), float(fill["px"])
        decided, met = (_seen(path, ms) for ms in (sent_ms, int(fill["time_ms"])))
        mid, half = path.mid2[decided] / 2.0 / unit, (path.ask_px[met] - path.bid_px[met]) / 2.0 / unit
        gross -= side * size * mid
        spread += size * half
        slippage += side * size * (px - mid) - size * half
        fees += float(fill["fee_usd"])
        value += size * px if purpose == "entry" else 0.0
    return plan.created_ms, value, gross, fees, spread, slippage, plan.funding_usd


def _seen(path: QuotePath, time_ms: int) -> int:
    """Return the newest quote by the end of a millisecond."""
    place = int(np.searchsorted(path.recv_ns, (time_ms + 1) * NS_PER_MS, side="left")) - 1
    if place < 0:
        raise SchemaError("a fill before the first quote of its tape", "the quotes that it met", "a pruned lake")
    return place
