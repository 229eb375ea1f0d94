"""A strategy of NautilusTrader that asks a randomiser before it enters, and lessons of `lotus export lessons` first.

Put it beside your run, with `lotus_lessons.py` next to it once there are lessons:

    lotus export lessons --to nautilus --events LOGS --out lotus_lessons.py

The signals are no good ones: they break out of the range of thirty minutes and are held for an hour.
"""

import math
from collections import deque
from decimal import Decimal
from typing import Any

from nautilus_trader.config import StrategyConfig
from nautilus_trader.model.data import Bar, BarType
from nautilus_trader.model.enums import OrderSide
from nautilus_trader.model.events import OrderCanceled, OrderDenied, OrderExpired, OrderFilled, OrderRejected
from nautilus_trader.trading.strategy import Strategy

from lotus_lab import Randomiser, or_refuse

try:
    import lotus_lessons
except ModuleNotFoundError:  # none learned so far; one that was edited raises StaleLessons, and the run does not begin
    lotus_lessons = None

DETECTOR = "breakout"
HELD_S = 3600


class BreakoutConfig(StrategyConfig, frozen=True):
    """What is traded, how much of it, and where the randomiser logs; one log for each node and each backtest."""

    bar_type: BarType
    trade_size: Decimal
    log: str


class Breakout(Strategy):
    """Breakouts of both sides; which of them are traded is drawn, with the propensity logged."""

    def __init__(self, config: BreakoutConfig) -> None:
        """Remember the last 48 bars."""
        super().__init__(config)
        self.name = config.bar_type.instrument_id
        self.closes: deque[float] = deque(maxlen=7)
        self.volumes: deque[float] = deque(maxlen=48)
        self.leave_ns = 0

    def on_start(self) -> None:
        """Open the log; one that a killed node left is taken up where it ended."""
        self.bot = Randomiser(self.config.log)
        self.subscribe_bars(self.config.bar_type)

    def on_stop(self) -> None:
        """Leave what is open."""
        self.close_all_positions(self.name)

    def on_dispose(self) -> None:
        """Write the log as Parquet, once the last fill is in it."""
        self.bot.close()

    def on_bar(self, bar: Bar) -> None:
        """Leave after an hour; enter where the close is beyond those of thirty minutes, if the draw says so."""
        self.closes.append(float(bar.close))
        self.volumes.append(float(bar.volume))
        if not self.portfolio.is_flat(self.name):
            if bar.ts_event >= self.leave_ns:
                self.close_all_positions(self.name)
            return
        *before, close = self.closes
        if len(self.volumes) < 48 or min(before) <= close <= max(before):
            return
        side = 1 if close > max(before) else -1
        if self.confirm(bar, side):
            order = OrderSide.BUY if side > 0 else OrderSide.SELL
            size = self.cache.instrument(self.name).make_qty(self.config.trade_size)
            self.leave_ns = bar.ts_event + HELD_S * 1_000_000_000
            self.submit_order(self.order_factory.market(self.name, order, size))

    @or_refuse
    def confirm(self, bar: Bar, side: int) -> bool:
        """Draw; lessons whose time is over, and a log that cannot be written, are logged and mean no."""
        values: dict[str, Any] = {
            "x_volume": math.log(self.volumes[-1] * len(self.volumes) / sum(self.volumes)),
            "x_move": 1e4 * math.log(self.closes[-1] / self.closes[0]),
            "x_side": "long" if side > 0 else "short",
        }
        tilt = 0.0
        if lotus_lessons:
            tilt = lotus_lessons.tilt_of(DETECTOR, self.name, values, self.clock.timestamp_ns(), side)
        return self.bot.draw(
            DETECTOR, str(self.name), ts=bar.ts_event // 1_000_000, chance=0.5, tilt=tilt, horizon_s=HELD_S + 300,
            **values,
        ).act  # fmt: skip

    def on_order_filled(self, event: OrderFilled) -> None:
        """Log entry and exit; the strategy has one position, so its draw is the newest open one."""
        if self.bot.open:
            price, size = float(event.last_px), float(event.last_qty)
            fee_bps = 1e4 * float(event.commission) / (price * size)
            side = "buy" if event.order_side == OrderSide.BUY else "sell"
            self.bot.fill(self.bot.open[-1], side, price, size, fee_bps=fee_bps)

    def on_order_rejected(self, event: OrderRejected) -> None:
        """Say that an entry was not filled: a result as well."""
        self.not_filled(event)

    def on_order_denied(self, event: OrderDenied) -> None:
        """Say the same of one that the risk engine denied."""
        self.not_filled(event)

    def on_order_canceled(self, event: OrderCanceled) -> None:
        """Say the same of one that was canceled."""
        self.not_filled(event)

    def on_order_expired(self, event: OrderExpired) -> None:
        """Say the same of one that expired."""
        self.not_filled(event)

    def not_filled(self, event: Any) -> None:
        """Log that nothing was filled, unless something was or it was an exit."""
        if self.bot.open and not self.bot.fills_of(self.bot.open[-1]):
            self.bot.unfilled(self.bot.open[-1])
