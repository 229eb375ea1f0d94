"""An approved plan: what the decision-maker wants executed, as one frozen value. The trader changes nothing in it.

Whether it may be executed is `validate`; how, `lotus.trading.execution.executor`. Sizes are base units, prices and
money USD, times milliseconds (UTC, event time). In the literature: a parent order with its bracket.
"""

from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import NewType

from lotus.hashing import natural_id
from lotus.manifest import Asset
from lotus.trading.execution.orders import Side
from lotus.trading.execution.rounding import round_px, round_size
from lotus.trading.plan.styles import CROSSING, Styles

PlanId = NewType("PlanId", str)
BPS = Decimal("0.0001")


class PlanKind(StrEnum):
    """A `BOOK` plan is part of the portfolio; a `PROBE` measures one published window at unit notional."""

    BOOK = "book"
    PROBE = "probe"


class Strategy(StrEnum):
    """How the entry is sent: at once, resting, evenly over time, or a little at a time at one price."""

    MARKET = "market"
    LIMIT = "limit"
    TWAP = "twap"
    ICEBERG = "iceberg"


class ConditionKind(StrEnum):
    """What a condition looks at: the mark price, volume over its usual, or volatility in bps."""

    PRICE_ABOVE = "price_above"
    PRICE_BELOW = "price_below"
    VOLUME_SPIKE = "volume_spike"
    VOLATILITY_THRESHOLD = "volatility_threshold"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on the market: it holds at or beyond `level` (USD, a multiple, or bps, by its kind)."""

    kind: ConditionKind
    level: Decimal


@dataclass(frozen=True, slots=True)
class Limits:
    """What the position may never exceed: size in base units, value in USD, leverage."""

    max_size: Decimal
    max_notional_usd: Decimal
    max_leverage: int


@dataclass(frozen=True, slots=True)
class Authority:
    """What the decision allows: the account, its budget in USD of position value, and who may execute."""

    account: str
    budget_usd: Decimal
    executors: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """One approved plan. `side` BUY is long. `entry_px` None means at the market.

    Entry conditions must all hold (and `trigger`, a text of the trigger language, have fired); any one exit condition
    ends the position, as do stop, take-profit and `exit_at_ms`. `strategy` is text as it came: an unknown one is
    refused, not unreadable. `duration_ms` and `slices` are of TWAP, `slices` also of iceberg; `seed` is of the jitter.
    With a style that rests an order waits `rest_ms` for its fill.
    """

    plan_id: PlanId
    signal_id: str
    decision_id: str
    lifecycle_id: str
    kind: PlanKind
    coin: str
    side: Side
    size: Decimal
    created_ms: int
    valid_until_ms: int
    stop_px: Decimal | None
    limits: Limits
    authority: Authority
    venues: tuple[str, ...]
    strategy: str = Strategy.MARKET.value
    entry_px: Decimal | None = None
    take_profit_px: Decimal | None = None
    entry_when: tuple[Condition, ...] = ()
    exit_when: tuple[Condition, ...] = ()
    trigger: str = ""
    exit_at_ms: int | None = None
    risk_reward: Decimal | None = None
    confidence: float = 0.5
    max_slippage_bps: Decimal = Decimal(50)
    max_latency_ms: int = 1_000
    duration_ms: int = 0
    slices: int = 1
    seed: int = 0
    post_only: bool = False
    styles: Styles = CROSSING
    rest_ms: int = 0
    release: str = ""
    notes: str = ""

    @property
    def exit_side(self) -> Side:
        """Side of the orders that end the position."""
        return self.side.opposite


@dataclass(frozen=True, slots=True)
class ProbeTerms:
    """What probes share: unit notional, stop distance, styles, and where and by whom they may be executed."""

    notional_usd: Decimal
    stop_bps: Decimal
    authority: Authority
    venues: tuple[str, ...]
    max_leverage: int = 5
    entry_valid_ms: int = 5_000
    release: str = ""
    styles: Styles = CROSSING
    rest_ms: int = 0


def probe_plan(
    event_id: str, asset: Asset, side: Side, mark_px: Decimal, now_ms: int, hold_ms: int, terms: ProbeTerms
) -> Plan:
    """Return the plan that measures one published window: unit notional at the market, out after `hold_ms`.

    Its stop is `stop_bps` from the mark: a guard against disaster, wide enough not to change what is measured. Size is
    rounded down to lots and may be 0 for a coin dearer than the notional, which `validate` refuses.

    >>> terms = ProbeTerms(Decimal(100), Decimal(500), Authority("a", Decimal(1000), ("tr",)), ("paper",))
    >>> plan = probe_plan("e", Asset("BTC", 5), Side.BUY, Decimal(100000), 0, 60_000, terms)
    >>> plan.size, plan.stop_px, plan.exit_at_ms
    (Decimal('0.00100'), Decimal('95000'), 60000)
    """
    size = round_size(asset, terms.notional_usd / mark_px)
    return Plan(
        plan_id=PlanId(natural_id("probe", event_id)),
        signal_id=event_id,
        decision_id=natural_id("probe decision", event_id),
        lifecycle_id=event_id,
        kind=PlanKind.PROBE,
        coin=asset.name,
        side=side,
        size=size,
        created_ms=now_ms,
        valid_until_ms=now_ms + terms.entry_valid_ms,
        stop_px=round_px(asset, mark_px * (1 - int(side) * terms.stop_bps * BPS)),
        limits=Limits(size, 2 * terms.notional_usd, terms.max_leverage),
        authority=terms.authority,
        venues=terms.venues,
        exit_at_ms=now_ms + hold_ms,
        release=terms.release,
        styles=terms.styles,
        rest_ms=terms.rest_ms,
    )
