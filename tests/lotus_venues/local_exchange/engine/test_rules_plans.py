"""Every order of every plan that passes validation is legal at the venue, by the exchange's own rule on the sent text.

Coins are those of the recorded `meta` answer; prices run over ten decades, sizes from below the minimum to far above.
Entries of each strategy, their stops and targets, guards and closing orders are driven out of the trader's engine.
"""

import json
from collections import Counter
from decimal import Decimal
from pathlib import Path

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples

from lotus.manifest import Asset
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.events import Cancel, Close, Command, Event, Place
from lotus.trading.execution.executor import begin, step
from lotus.trading.execution.order_machine import Purpose
from lotus.trading.execution.orders import NewOrder, OrderState, OrderUpdate, Side, VenueFill
from lotus.trading.execution.rounding import round_px, round_size
from lotus.trading.plan.plan import Authority, Limits, Plan, PlanId, PlanKind, Strategy
from lotus.trading.plan.validate import AccountState, refusals
from lotus_venues.hyperliquid.order_wire import order_wire
from lotus_venues.local_exchange.engine.rules import MIN_NOTIONAL_MICRO, price_units, size_lots

RECORDED = Path(__file__).resolve().parents[5] / "shared/data/hyperliquid-rest-cassettes/test_get_info.yaml"
BY_HAND = [Asset("BTC", 5), Asset("ETH", 4), Asset("SOL", 2), Asset("INJ", 1), Asset("XRP", 0), Asset("BNB", 3)]
D = Decimal
PRICES = st.floats(-4.0, 6.0).map(lambda x: D(repr(10.0**x)))
NOTIONALS = st.floats(0.5, 7.0).map(lambda x: D(repr(10.0**x)))
SHARES = st.floats(0.001, 0.15).map(lambda x: D(repr(x)))


def universe() -> list[Asset]:
    """Return every coin of the recorded `meta` answer; without recordings one of each number of decimals."""
    if not RECORDED.exists():
        return BY_HAND
    answer = yaml.safe_load(RECORDED.read_text())["interactions"][0]["response"]["body"]["string"]
    return [Asset(row["name"], row["szDecimals"]) for row in json.loads(answer)["universe"]]


COINS = universe()


def made(asset: Asset, px: Decimal, usd: Decimal, side: Side, strategy: Strategy, away: Decimal, slices: int) -> Plan:
    """Return a plan as the decision-maker makes them: rounded by the trader's rule, at any size."""
    size = round_size(asset, usd / px)
    sign = int(side)
    stop_px = round_px(asset, px * (1 - sign * away))
    return Plan(
        PlanId("p"), "s", "d", "l", PlanKind.BOOK, asset.name, side, size, 0, 60_000, stop_px,
        Limits(size or D(1), 2 * usd, 3), Authority("a", D(10**9), ("tr",)), ("local",), strategy.value,
        entry_px=None if strategy is Strategy.MARKET else round_px(asset, px * (1 - sign * away / 10)),
        take_profit_px=round_px(asset, px * (1 + sign * away)),
        duration_ms=10_000 if strategy is Strategy.TWAP else 0,
        slices=slices if strategy in (Strategy.TWAP, Strategy.ICEBERG) else 1,
    )  # fmt: skip


def market(asset: Asset, px: Decimal, now_ms: int) -> MarketView:
    """Return a market of that coin around a price on the tick."""
    mark = round_px(asset, px)
    return MarketView(asset.name, now_ms, mark, mark, mark)


def answers(order: NewOrder, refuses_stops: bool, n: int, now_ms: int) -> list[Event]:
    """Return what a venue that fills every entry whole would say; grouped stops are refused when asked for."""
    if order.trigger is not None:
        state = OrderState.REJECTED if refuses_stops else OrderState.WAITING
        return [OrderUpdate(order.client_id, state, now_ms, n)]
    px = order.limit_px
    fill = VenueFill(f"f{n}", order.client_id, n, order.coin, order.side, order.size, px, D(0), True, now_ms)
    return [OrderUpdate(order.client_id, OrderState.FILLED, now_ms, n, order.size, px), fill]


def orders_of(plan: Plan, asset: Asset, px: Decimal, refuses_stops: bool) -> list[tuple[Purpose, NewOrder]]:
    """Return every order that the engine sends for a plan that is entered, kept for a while and closed."""
    state, found = begin(plan, asset, "local", 0), []
    for round_ in range(140):
        now_ms = 100 * round_
        events: list[Event] = [market(asset, px, now_ms)]
        if round_ == 120:
            events.append(Close())
        while events:
            state, commands = step(state, events.pop(0), now_ms)
            sent = sent_by(commands)
            found += [(state.orders[order.client_id].purpose, order) for order in sent]
            events += [e for k, o in enumerate(sent) for e in answers(o, refuses_stops, len(found) + k, now_ms)]
            gone = [name for c in commands if isinstance(c, Cancel) for name in c.client_ids]
            events += [OrderUpdate(name, OrderState.CANCELED, now_ms) for name in gone]
    assert state.done, state.phase
    return found


def sent_by(commands: tuple[Command, ...]) -> list[NewOrder]:
    return [order for command in commands if isinstance(command, Place) for order in command.orders]


def illegal(order: NewOrder, asset: Asset) -> list[str]:
    """Return what the exchange would say against an order, from the text that would be sent."""
    wire = order_wire(order, 0)
    px, why = price_units(wire["p"], 6 - asset.sz_decimals)
    lots, worse = size_lots(wire["s"], asset.sz_decimals)
    trigger = wire["t"].get("trigger", {}).get("triggerPx")
    found = [why, worse, price_units(trigger, 6 - asset.sz_decimals)[1] if trigger else ""]
    too_small = not order.reduce_only and px * lots < MIN_NOTIONAL_MICRO
    return [text for text in (*found, "below the minimum" if too_small else "") if text]


CASES = given(
    st.sampled_from(COINS), PRICES, NOTIONALS, st.sampled_from(list(Side)), st.sampled_from(list(Strategy)), SHARES,
    st.integers(2, 6), st.booleans(),
)  # fmt: skip


def test_no_order_of_an_accepted_plan_is_illegal() -> None:
    seen: Counter[str] = Counter()

    @settings(max_examples=max(300, examples(600)), deadline=None)
    @CASES
    def case(
        asset: Asset, px: Decimal, usd: Decimal, side: Side, strategy: Strategy, away: Decimal, slices: int, bare: bool
    ) -> None:
        plan = made(asset, px, usd, side, strategy, away, slices)
        at = AccountState(
            0, "local", "a", "tr", "", {asset.name: asset}, market(asset, px, 0), D(10**9), D(10**9), 3, 3,
        )  # fmt: skip
        if refusals(plan, at):
            seen["refused"] += 1
            return
        for purpose, order in orders_of(plan, asset, px, bare):
            assert illegal(order, asset) == [], (purpose, order)
            seen[purpose.value] += 1

    case()
    assert set(seen) == {"refused", *(purpose.value for purpose in Purpose)}
    assert seen["entry"] > examples(100)
