"""What a world is made of: assets, message rates, clock and sizes, as frozen integers.

The generating code takes its numbers from here. No randomness, no planted pattern (see `lessons`) belongs here.
"""

from dataclasses import dataclass

from lotus.errors import ConfigError
from lotus.timebase import day_start_ms, next_day

SUB_TICK = 4_096  # fair price steps inside one venue tick
MICRO = 1_000_000  # returns are integers of 10^-6 basis points


@dataclass(frozen=True, slots=True)
class AssetModel:
    """One simulated perpetual; price unit 10^-(6 - sz_decimals) USD, lot 10^-sz_decimals."""

    name: str
    sz_decimals: int
    tick_units: int  # venue tick in price units
    start_ticks: int  # price around which a world begins
    top_lots: int  # typical size at the best quote
    interest_lots: int  # typical open interest

    @property
    def px_decimals(self) -> int:
        """Decimals of the price unit."""
        return 6 - self.sz_decimals

    def ticks_at(self, bps: int) -> int:
        """Return the price in ticks `bps` away from the model price."""
        return self.start_ticks + self.start_ticks * bps // 10_000


BTC = AssetModel("BTC", 5, 10, 100_000, 120_000, 3_600_000_000)
ETH = AssetModel("ETH", 4, 10, 40_000, 260_000, 7_400_000_000)
SOL = AssetModel("SOL", 2, 100, 20_000, 42_000, 480_000_000)


@dataclass(frozen=True, slots=True)
class Rates:
    """Cadences of the message mix."""

    block_ms: int = 100  # venue blocks: everything of one block carries one time
    move_q8: int = 118  # chance in 256 that the pending move becomes a new quote
    resize_q8: int = 48  # chance in 256, per side and block, that the best size changes
    trade_q10: int = 150  # chance in 1024 that a block trades
    fast_ms: int = 500  # 5-level book
    slow_ms: int = 5_000  # 20-level book
    ctx_ms: int = 2_000  # activeAssetCtx


LIGHT = Rates()
VENUE = Rates(block_ms=70, move_q8=140, resize_q8=72, trade_q10=230, ctx_ms=1_000)


@dataclass(frozen=True, slots=True)
class WorldSpec:
    """A world: its name chooses what is planted, its seed every draw."""

    name: str = "demo"
    seed: int = 7
    days: int = 14
    first_day: str = "2026-01-05"
    assets: tuple[AssetModel, ...] = (BTC, ETH, SOL)
    sessions: tuple[tuple[str, str], ...] = (("08:00", "09:30"), ("14:00", "15:30"))
    rates: Rates = LIGHT

    def __post_init__(self) -> None:
        """Raise `ConfigError` for a world that cannot be generated."""
        if self.days < 1 or not self.assets or not self.sessions:
            raise ConfigError(
                f"world of {self.days} days, {len(self.assets)} assets, {len(self.sessions)} sessions",
                "at least one of each",
            )

    def day(self, index: int) -> str:
        """Return the UTC day of an index; raises `ConfigError` outside the world."""
        if not 0 <= index < self.days:
            raise ConfigError(f"day index {index}", f"0..{self.days - 1}", "a longer world was meant")
        return next_day(self.first_day, index)

    def spans_ms(self, index: int) -> tuple[tuple[int, int], ...]:
        """Return the (start, end) venue times in ms of the sessions of a day."""
        start = day_start_ms(self.day(index))
        return tuple((start + _clock_ms(first), start + _clock_ms(last)) for first, last in self.sessions)


FULL_DAY = (("00:00", "23:59"),)  # one minute of venue maintenance a day: prices restart behind a real gap


def _clock_ms(clock: str) -> int:
    hours, minutes = clock.split(":")
    return (int(hours) * 60 + int(minutes)) * 60_000
