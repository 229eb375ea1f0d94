"""May a plan be executed here and now? Every fault is found, with what was found and what was expected.

A check looks only at numbers that make sense; what does not is a fault of its own, so that one bad number never hides
another fault. Nothing is repaired. In the literature: pre-trade risk controls (SEC rule 15c3-5), notification pattern.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TypeGuard

from lotus.detectors.entry_style import EntryStyle
from lotus.manifest import Asset
from lotus.trading.accounts.liquidation import liquidation_px
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.orders import Side
from lotus.trading.execution.rounding import MIN_NOTIONAL_USD, is_valid_px, is_valid_size, tick_of
from lotus.trading.plan.plan import Plan, PlanKind, Strategy
from lotus.trading.plan.refusals import Refusal, RefusalReason
from lotus.trading.plan.styles import MOST_SLICES

R = RefusalReason
MAX_MAGNITUDE = 12  # prices and sizes lie between 10^-12 and 10^13: beyond is a mistake of units
MAX_CLOCK_SKEW_MS = 500
PROMISE_KEPT = Decimal("0.9")  # share of the promised risk/reward that must be left when the market has moved


@dataclass(frozen=True, slots=True)
class AccountState:
    """Where and when a plan would be executed, as one venue and account stand.

    `position` is the account's signed size in the coin; `free_margin_usd` what the venue would let it use;
    `used_budget_usd` the value of positions already under the same authority; `coin_max_leverage` sets maintenance.
    `session` is the run whose feed the venue lives on, empty for a venue that outlives runs. `levels` are the price and
    size of what an order of a side would meet, best first, as far as the feed shows them.
    """

    now_ms: int
    venue: str
    account: str
    executor: str
    release: str
    universe: Mapping[str, Asset]
    view: MarketView | None
    equity_usd: Decimal
    free_margin_usd: Decimal
    leverage: int
    coin_max_leverage: int
    is_cross: bool = True
    position: Decimal = Decimal(0)
    used_budget_usd: Decimal = Decimal(0)
    untradeable: frozenset[str] = frozenset()
    max_view_age_ms: int = 3_000
    clock_skew_ms: int = 0
    parity_ok: bool = True
    halted: bool = False
    mismatch: str = ""  # how the modules' releases and schemas differ; empty when they are one
    session: str = ""
    levels: Mapping[Side, Sequence[tuple[Decimal, Decimal]]] = field(default_factory=dict)


Check = Callable[[Plan, AccountState], Iterator[Refusal]]


def refusals(plan: Plan, state: AccountState) -> tuple[Refusal, ...]:
    """Return every fault of a plan in an account state, in the order of the checks; none at all: it may be executed."""
    return tuple(refusal for check in CHECKS for refusal in check(plan, state))


def reference_px(plan: Plan, state: AccountState) -> Decimal | None:
    """Return the price at which the plan would be entered: its own, else the mark; None when neither makes sense."""
    px = plan.entry_px if plan.entry_px is not None else (state.view.mark if state.view is not None else None)
    return px if _sound(px) else None


def _sound(number: Decimal | None) -> TypeGuard[Decimal]:
    if number is None or not number.is_finite() or number <= 0:
        return False
    return abs(number.adjusted()) <= MAX_MAGNITUDE


def _ids(plan: Plan, state: AccountState) -> Iterator[Refusal]:
    for name in ("plan_id", "signal_id", "decision_id", "lifecycle_id"):
        if not getattr(plan, name):
            yield Refusal(R.BAD_ID, f"an empty {name}", "an identity")


def _numbers(plan: Plan, state: AccountState) -> Iterator[Refusal]:
    limits = plan.limits
    decimals = {
        "size": plan.size,
        "entry_px": plan.entry_px,
        "stop_px": plan.stop_px,
        "take_profit_px": plan.take_profit_px,
        "risk_reward": plan.risk_reward,
        "max_slippage_bps": plan.max_slippage_bps,
        "max_size": limits.max_size,
        "max_notional_usd": limits.max_notional_usd,
        "budget_usd": plan.authority.budget_usd,
    }
    for name, value in decimals.items():
        if value is not None and not _sound(value):
            yield Refusal(R.BAD_NUMBER, f"{name} {value}", f"a positive number between 1e-{MAX_MAGNITUDE} and 1e13")
    for condition in (*plan.entry_when, *plan.exit_when):
        if not _sound(condition.level):
            yield Refusal(R.BAD_NUMBER, f"{condition.kind} {condition.level}", "a positive level")
    if not (math.isfinite(plan.confidence) and 0.0 <= plan.confidence <= 1.0):
        yield Refusal(R.BAD_NUMBER, f"confidence {plan.confidence}", "0 to 1")
    for name, number in {"max_latency_ms": plan.max_latency_ms, "max_leverage": limits.max_leverage}.items():
        if number <= 0:
            yield Refusal(R.BAD_NUMBER, f"{name} {number}", "a positive whole number")


def _time(plan: Plan, state: AccountState) -> Iterator[Refusal]:
    if state.now_ms >= plan.valid_until_ms or plan.valid_until_ms <= plan.created_ms:
        found = f"valid from {plan.created_ms} until {plan.valid_until_ms}"
        yield Refusal(R.EXPIRED, found, f"valid at {state.now_ms}")
    if plan.kind is PlanKind.PROBE and plan.exit_at_ms is None:
        yield Refusal(R.NO_EXIT_TIME, "a probe without an exit time", "the end of its horizon")
    if plan.exit_at_ms is not None and plan.exit_at_ms <= state.now_ms:
        yield Refusal(R.NO_EXIT_TIME, f"an exit at {plan.exit_at_ms}", f"after {state.now_ms}")


def _strategy(plan: Plan, state: AccountState) -> Iterator[Refusal]:
    names = [s.value for s in Strategy]
    if plan.strategy not in names:
        yield Refusal(R.UNKNOWN_STRATEGY, repr(plan.strategy), ", ".join(names))
        return
    strategy = Strategy(plan.strategy)
    resting = strategy in (Strategy.LIMIT, Strategy.ICEBERG)
    if resting and plan.entry_px is None:
        yield Refusal(R.BAD_STRATEGY, f"{strategy} without an entry price", "the price at which it rests")
    if plan.post_only and not resting:
        yield Refusal(R.BAD_STRATEGY, f"{strategy} that must not cross", "a limit or iceberg entry")
    yield from _styles(plan)
    if plan.slices < 1:
        yield Refusal(R.BAD_STRATEGY, f"{plan.slices} slices", "at least one")
    if strategy is Strategy.TWAP and plan.duration_ms <= 0:
        yield Refusal(R.BAD_STRATEGY, f"twap over {plan.duration_ms} ms", "a duration")
    if strategy is Strategy.TWAP and state.now_ms + plan.duration_ms > plan.valid_until_ms:
        left = max(0, plan.valid_until_ms - state.now_ms)
        yield Refusal(R.BAD_STRATEGY, f"twap over {plan.duration_ms} ms", f"an end within its validity, {left} ms")


def _styles(plan: Plan) -> Iterator[Refusal]:
    if plan.styles.crosses:
        return
    if plan.rest_ms <= 0:
        yield Refusal(R.BAD_STRATEGY, f"an order at rest for {plan.rest_ms} ms", "how long it waits for its fill")
    if plan.slices > MOST_SLICES and plan.styles.entry is not EntryStyle.CROSS:
        yield Refusal(R.BAD_STRATEGY, f"{plan.slices} slices at rest", f"at most {MOST_SLICES}")


def _venue_rules(plan: Plan, state: AccountState) -> Iterator[Refusal]:
    asset = state.universe.get(plan.coin)
    if asset is None or plan.coin in state.untradeable:
        yield Refusal(R.NOT_TRADEABLE, f"{plan.coin} at {state.venue}", "a coin that is traded there")
    if asset is None:
        return
    for name in ("entry_px", "stop_px", "take_profit_px"):
        px: Decimal | None = getattr(plan, name)
        if _sound(px) and not is_valid_px(asset, px):
            yield Refusal(R.OFF_TICK, f"{name} {px}", f"a multiple of {tick_of(asset, px)}")
    if _sound(plan.size) and not is_valid_size(asset, plan.size):
        yield Refusal(R.OFF_LOT, f"size {plan.size}", f"whole lots of 1e-{asset.sz_decimals}")
    px = reference_px(plan, state)
    if px is not None and _sound(plan.size) and plan.size * px < MIN_NOTIONAL_USD:
        yield Refusal(R.TOO_SMALL, f"{plan.size * px:.2f} USD", f"at least {MIN_NOTIONAL_USD} USD")


def _limits(plan: Plan, state: AccountState) -> Iterator[Refusal]:
    limits, px = plan.limits, reference_px(plan, state)
    if not _sound(plan.size):
        return
    if _sound(limits.max_size) and plan.size > limits.max_size:
        yield Refusal(R.TOO_LARGE, f"size {plan.size}", f"at most {limits.max_size}")
    if state.leverage > limits.max_leverage:
        yield Refusal(R.TOO_LARGE, f"leverage {state.leverage}", f"at most {limits.max_leverage}")
    if px is None:
        return
    notional = plan.size * px
    if _sound(limits.max_notional_usd) and notional > limits.max_notional_usd:
        yield Refusal(R.TOO_LARGE, f"{notional:.2f} USD", f"at most {limits.max_notional_usd} USD")
    if notional / state.leverage > state.free_margin_usd:
        found = f"{notional / state.leverage:.2f} USD of margin"
        yield Refusal(R.TOO_LARGE, found, f"at most the free {state.free_margin_usd} USD")


def _authority(plan: Plan, state: AccountState) -> Iterator[Refusal]:
    allowed, px = plan.authority, reference_px(plan, state)
    if state.account != allowed.account:
        yield Refusal(R.AUTHORITY_EXCEEDED, f"account {state.account!r}", repr(allowed.account))
    if state.executor not in allowed.executors:
        yield Refusal(R.AUTHORITY_EXCEEDED, f"executor {state.executor!r}", f"one of {', '.join(allowed.executors)}")
    if px is not None and _sound(plan.size) and _sound(allowed.budget_usd):
        used = state.used_budget_usd + plan.size * px
        if used > allowed.budget_usd:
            found = f"{used:.2f} USD with what is held"
            yield Refusal(R.AUTHORITY_EXCEEDED, found, f"a budget of {allowed.budget_usd} USD")


def _exits(plan: Plan, state: AccountState) -> Iterator[Refusal]:
    """Stop on the losing side, take-profit on the winning side, of the entry and of the mark alike."""
    if plan.stop_px is None:
        yield Refusal(R.NO_STOP, "no stop", "a protective stop")
    marks = [px for px in (plan.entry_px, state.view.mark if state.view else None) if _sound(px)]
    sides = (
        (plan.stop_px, R.STOP_WRONG_SIDE, "stop", plan.exit_side),
        (plan.take_profit_px, R.TAKE_PROFIT_WRONG_SIDE, "take-profit", plan.side),
    )
    for px, reason, name, side in sides:
        wrong = [m for m in marks if _sound(px) and (px - m) * int(side) <= 0]
        if wrong:
            where = "above" if side is Side.BUY else "below"
            yield Refusal(reason, f"{name} {px}", f"{where} {', '.join(map(str, wrong))}")
    yield from _risk_reward(plan, state)


def _risk_reward(plan: Plan, state: AccountState) -> Iterator[Refusal]:
    px, promised = reference_px(plan, state), plan.risk_reward
    if px is None or not (_sound(promised) and _sound(plan.stop_px) and _sound(plan.take_profit_px)):
        return
    gain, loss = (plan.take_profit_px - px) * int(plan.side), (px - plan.stop_px) * int(plan.side)
    if loss > 0 and gain > 0 and gain / loss < promised * PROMISE_KEPT:
        yield Refusal(R.BAD_RISK_REWARD, f"{gain / loss:.2f}", f"about {promised}")


def _liquidation(plan: Plan, state: AccountState) -> Iterator[Refusal]:
    px, stop = reference_px(plan, state), plan.stop_px
    if px is None or not _sound(stop) or not _sound(plan.size):
        return
    size = plan.size + max(Decimal(0), state.position * int(plan.side))
    margin = state.equity_usd if state.is_cross else size * px / state.leverage
    gone = liquidation_px(plan.side, size, px, margin, state.coin_max_leverage)
    if gone is not None and (stop - gone) * int(plan.side) <= 0:
        where = "above" if plan.side is Side.BUY else "below"
        yield Refusal(R.STOP_BEYOND_LIQUIDATION, f"stop {stop}", f"{where} the liquidation at {gone:.6g}")


def _place(plan: Plan, state: AccountState) -> Iterator[Refusal]:
    if state.venue not in plan.venues:
        yield Refusal(R.VENUE_NOT_ALLOWED, state.venue, f"one of {', '.join(plan.venues) or 'none'}")
    if state.position * int(plan.side) < 0:
        yield Refusal(R.OPPOSITE_POSITION, f"{state.position} {plan.coin}", "none, or one of the same direction")
    if state.release != plan.release:
        yield Refusal(R.RELEASE_MISMATCH, f"release {plan.release!r}", repr(state.release))
    if state.mismatch:
        yield Refusal(R.RELEASE_MISMATCH, state.mismatch, "one release and one schema in every module")


def _safety(plan: Plan, state: AccountState) -> Iterator[Refusal]:
    if state.view is None or state.view.coin != plan.coin:
        yield Refusal(R.STALE_DATA, f"no market of {plan.coin}", "best prices and mark")
    elif state.now_ms - state.view.time_ms > state.max_view_age_ms:
        yield Refusal(
            R.STALE_DATA, f"a market {state.now_ms - state.view.time_ms} ms old", f"at most {state.max_view_age_ms} ms"
        )
    if abs(state.clock_skew_ms) > MAX_CLOCK_SKEW_MS:
        yield Refusal(R.CLOCK_SKEW, f"{state.clock_skew_ms} ms", f"at most {MAX_CLOCK_SKEW_MS} ms either way")
    if not state.parity_ok:
        yield Refusal(R.PARITY_FAILED, "a day on which live and batch differ", "agreement")
    if state.halted:
        yield Refusal(R.HALTED, "a halt", "trading allowed")


CHECKS: tuple[Check, ...] = (
    _ids,
    _numbers,
    _time,
    _strategy,
    _venue_rules,
    _limits,
    _exits,
    _liquidation,
    _authority,
    _place,
    _safety,
)
