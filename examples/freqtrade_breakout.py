"""A strategy of Freqtrade that asks a randomiser before it enters, and the lessons of `lotus export lessons` first.

Put it into user_data/strategies, with `lotus_lessons.py` beside it once there are lessons:

    lotus export lessons --to freqtrade --events LOGS --out user_data/strategies/lotus_lessons.py
    freqtrade backtesting --strategy Breakout --config config.json

The configuration of the bot holds `"lotus": {"log": "breakout.parquet"}`, one log for each bot and each backtest. The
signals are no good ones: they break out of the range of thirty minutes and are held for an hour.
"""

from datetime import datetime, timedelta
from typing import Any, ClassVar

import numpy as np
from freqtrade.persistence import Order, Trade
from freqtrade.strategy import IStrategy, timeframe_to_seconds
from pandas import DataFrame

from lotus_lab import Randomiser, or_refuse

try:
    import lotus_lessons
except ModuleNotFoundError:  # none learned so far; one that was edited raises StaleLessons, and the bot does not begin
    lotus_lessons = None

DETECTOR = "breakout"
FEATURES = ("x_volume", "x_move")
HELD = timedelta(hours=1)


class Breakout(IStrategy):
    """Breakouts of both sides; which of them are traded is drawn, with the propensity logged."""

    INTERFACE_VERSION = 3
    timeframe = "5m"
    can_short = True
    minimal_roi: ClassVar[dict[str, float]] = {}
    stoploss = -0.5
    startup_candle_count = 48

    def bot_start(self, **kwargs: Any) -> None:
        """Open the log; one that a killed bot left is taken up where it ended."""
        self.bot = Randomiser(self.config["lotus"]["log"])

    def populate_indicators(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Add what is known at the close of a candle."""
        close, volume = dataframe["close"], dataframe["volume"]
        dataframe["x_volume"] = np.log(volume / volume.rolling(48).mean())
        dataframe["x_move"] = 1e4 * np.log(close / close.shift(6))
        dataframe["above"] = close > close.shift(1).rolling(6).max()
        dataframe["below"] = close < close.shift(1).rolling(6).min()
        return dataframe

    def populate_entry_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Enter on both sides."""
        dataframe.loc[dataframe["above"], "enter_long"] = 1
        dataframe.loc[dataframe["below"], "enter_short"] = 1
        return dataframe

    def populate_exit_trend(self, dataframe: DataFrame, metadata: dict[str, Any]) -> DataFrame:
        """Exit by time alone."""
        return dataframe

    def custom_exit(
        self, pair: str, trade: Trade, current_time: datetime, current_rate: float, current_profit: float, **kwargs: Any
    ) -> str | None:
        """Exit when the time is over that the randomiser was told of."""
        return "time" if current_time - trade.open_date_utc >= HELD else None

    @or_refuse
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
        """Draw, once a candle: asked again for the same one, the answer is the same."""
        candle = self.dp.get_analyzed_dataframe(pair, self.timeframe)[0].iloc[-1]
        values = {name: candle[name] for name in FEATURES} | {"x_side": side}
        tilt = lotus_lessons.tilt_of(DETECTOR, pair, values, current_time, side) if lotus_lessons else 0.0
        seconds = timeframe_to_seconds(self.timeframe)
        return self.bot.draw(
            DETECTOR, pair, ts=candle["date"] + timedelta(seconds=seconds), chance=0.5, tilt=tilt,
            horizon_s=int(HELD.total_seconds()) + seconds, **values,
        ).act  # fmt: skip

    def order_filled(self, pair: str, trade: Trade, order: Order, current_time: datetime, **kwargs: Any) -> None:
        """Log entry and exit; a bot has one open trade of a pair, so its draw is the newest open one of the pair."""
        draw = next((x for x in reversed(self.bot.open) if x.asset == pair), None)
        if draw:
            entry = order.ft_order_side == trade.entry_side
            side, fee = (trade.entry_side, trade.fee_open) if entry else (trade.exit_side, trade.fee_close)
            self.bot.fill(draw, side, order.safe_price, order.safe_filled, fee_bps=1e4 * fee)

    def bot_loop_start(self, current_time: datetime, **kwargs: Any) -> None:
        """Say of entries that were cancelled that nothing was filled: a result as well."""
        if self.bot.open:
            pairs = {trade.pair for trade in Trade.get_trades_proxy(is_open=True)}
            for draw in self.bot.open:
                waited = current_time.timestamp() - draw.ts_ms / 1000 > timeframe_to_seconds(self.timeframe)
                if waited and draw.asset not in pairs and not self.bot.fills_of(draw):
                    self.bot.unfilled(draw)
