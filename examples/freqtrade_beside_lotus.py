"""A strategy of Freqtrade that trades what a Lotus daemon on the same machine scores, under the lessons of its home.

Lessons of a home speak of twelve features that Lotus alone computes, so the bot asks the home's pages (`lotus up`) for
the newest window of a detector instead of computing them from candles. Put it into user_data/strategies:

    lotus export lessons --to freqtrade --out user_data/strategies/lotus_lessons.py    # again each day
    freqtrade trade --strategy BesideLotus --config config.json

The configuration holds `"lotus": {"log": "beside.parquet", "pages": "http://127.0.0.1:8000", "token": "..."}`. A window
is five seconds; Freqtrade looks at it when it confirms the entry that a candle has proposed.
"""

from datetime import datetime, timedelta
from typing import Any, ClassVar

import lotus_lessons
from freqtrade.persistence import Order, Trade
from freqtrade.strategy import IStrategy
from pandas import DataFrame

from lotus_lab import Randomiser

DETECTOR = "sweep_stall_reversal"
HELD = timedelta(minutes=30)


class BesideLotus(IStrategy):
    """Entries on the side of the detector's newest window; which of them are made is drawn, tilted by lessons."""

    INTERFACE_VERSION = 3
    timeframe = "5m"
    can_short = True
    minimal_roi: ClassVar[dict[str, float]] = {}
    stoploss = -0.5
    startup_candle_count = 1

    def bot_start(self, **kwargs: Any) -> None:
        """Open the log and remember where the pages of the home are."""
        given = self.config["lotus"]
        self.bot = Randomiser(given["log"])
        self.home = lotus_lessons.HomeWindows(given["pages"], given["token"])

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Add nothing: what is known stands in the daemon's window."""
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Propose both sides in turn; the daemon's window says which one is meant."""
        number = dataframe["date"].dt.minute // 5
        dataframe.loc[number % 2 == 0, "enter_long"] = 1
        dataframe.loc[number % 2 == 1, "enter_short"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Exit by time alone."""
        return dataframe

    def custom_exit(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float, current_profit: float, **kwargs: Any
    ) -> str | None:
        """Exit when the time is over that the randomiser was told of."""
        return "time" if current_time - trade.open_date_utc >= HELD else None

    @lotus_lessons.or_refuse
    def confirm_trade_entry(
        self,
        pair: str,
        order_type: str,
        amount: float,
        rate: float,
        time_in_force: str,
        current_time: datetime,
        entry_tag: str | None,
        side: str,
        **kwargs: Any,
    ) -> bool:
        """Draw once a candle, on the window's own side alone."""
        tilt, window_side = lotus_lessons.tilt_beside(self.home, DETECTOR, pair, current_time)
        if window_side != (1 if side == "long" else -1):
            return False
        end = current_time.replace(second=0, microsecond=0)
        horizon_s = int(HELD.total_seconds()) + 300
        return self.bot.draw(DETECTOR, pair, ts=end, chance=0.5, tilt=tilt, horizon_s=horizon_s, x_side=side).act

    def order_filled(self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any) -> None:
        """Log entry and exit; a bot has one open trade of a pair, so its draw is the newest open one of the pair."""
        draw = next((x for x in reversed(self.bot.open) if x.asset == pair), None)
        if draw:
            entry = order.ft_order_side == trade.entry_side
            side, fee = (trade.entry_side, trade.fee_open) if entry else (trade.exit_side, trade.fee_close)
            self.bot.fill(draw, side, order.safe_price, order.safe_filled, fee_bps=1e4 * fee)
