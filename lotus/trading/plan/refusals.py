"""Why a plan is refused: the closed list of reasons, and one refusal with what was found and what was expected.

Names and meanings only; who finds them is `validate`. In the literature: notification pattern, pre-trade
risk checks.
"""

from dataclasses import dataclass
from enum import StrEnum


class RefusalReason(StrEnum):
    """One fault of a plan; the value goes into reports and the table of `docs/concepts/trading.md`."""

    BAD_ID = "bad_id"
    BAD_NUMBER = "bad_number"
    EXPIRED = "expired"
    UNKNOWN_STRATEGY = "unknown_strategy"
    BAD_STRATEGY = "bad_strategy"
    NOT_TRADEABLE = "not_tradeable"
    OFF_TICK = "off_tick"
    OFF_LOT = "off_lot"
    TOO_SMALL = "too_small"
    TOO_LARGE = "too_large"
    NO_STOP = "no_stop"
    STOP_WRONG_SIDE = "stop_wrong_side"
    STOP_BEYOND_LIQUIDATION = "stop_beyond_liquidation"
    TAKE_PROFIT_WRONG_SIDE = "take_profit_wrong_side"
    BAD_RISK_REWARD = "bad_risk_reward"
    NO_EXIT_TIME = "no_exit_time"
    OPPOSITE_POSITION = "opposite_position"
    AUTHORITY_EXCEEDED = "authority_exceeded"
    VENUE_NOT_ALLOWED = "venue_not_allowed"
    RELEASE_MISMATCH = "release_mismatch"
    STALE_DATA = "stale_data"
    CLOCK_SKEW = "clock_skew"
    PARITY_FAILED = "parity_failed"
    HALTED = "halted"
    CURATORS = "curators"

    @property
    def meaning(self) -> str:
        """Return what the reason says, in one line."""
        return MEANINGS[self]


MEANINGS: dict[RefusalReason, str] = {
    RefusalReason.BAD_ID: "an id of the plan is empty",
    RefusalReason.BAD_NUMBER: "a number is not finite, not positive, or outside the range that it must lie in",
    RefusalReason.EXPIRED: "its validity has ended, or ended before it began",
    RefusalReason.UNKNOWN_STRATEGY: "the strategy is none of market, limit, twap, iceberg",
    RefusalReason.BAD_STRATEGY: "the strategy lacks what it needs: an entry price, a duration, slices that can be sent",
    RefusalReason.NOT_TRADEABLE: "the coin is not traded at the venue, or is halted or delisted there",
    RefusalReason.OFF_TICK: "a price is not on the tick of the venue",
    RefusalReason.OFF_LOT: "the size is not a whole number of lots",
    RefusalReason.TOO_SMALL: "the value is below the minimum of the venue",
    RefusalReason.TOO_LARGE: "size, value, leverage or margin exceeds a limit of the plan or the account",
    RefusalReason.NO_STOP: "there is no protective stop",
    RefusalReason.STOP_WRONG_SIDE: "the stop is not on the losing side of the entry and of the mark",
    RefusalReason.STOP_BEYOND_LIQUIDATION: "the position would be liquidated before its stop",
    RefusalReason.TAKE_PROFIT_WRONG_SIDE: "the take-profit is not on the winning side of the entry and of the mark",
    RefusalReason.BAD_RISK_REWARD: "the gain at the take-profit over the loss at the stop is below what is promised",
    RefusalReason.NO_EXIT_TIME: "a probe has no exit time, or the exit time is not after now",
    RefusalReason.OPPOSITE_POSITION: "the account holds the other direction of the coin, which the venue would net",
    RefusalReason.AUTHORITY_EXCEEDED: "account, executor or budget is not what the decision allows",
    RefusalReason.VENUE_NOT_ALLOWED: "the venue is not one that the plan names",
    RefusalReason.RELEASE_MISMATCH: "the plan was approved by another release of the software or schema",
    RefusalReason.STALE_DATA: "the market was not seen for too long, or not at all",
    RefusalReason.CLOCK_SKEW: "the own clock and the venue's are too far apart",
    RefusalReason.PARITY_FAILED: "live and batch did not agree on a closed day",
    RefusalReason.HALTED: "trading is halted",
    RefusalReason.CURATORS: "a curator vetoes it, or together they stay below their threshold",
}


@dataclass(frozen=True, slots=True)
class Refusal:
    """One fault: what was found and what was expected, in words."""

    reason: RefusalReason
    found: str
    expected: str

    def __str__(self) -> str:
        """Return one line for logs and reports."""
        return f"{self.reason.value}: found {self.found}; expected {self.expected}"
