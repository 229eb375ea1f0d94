"""A plan goes to another venue only when every order of it is known to be never placed."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from desk_bed import BTC, now_ms
from msgspec import UNSET

from lotus.modules.intents import Module
from lotus.modules.messages.trading import PlanReference
from lotus.trading.execution.events import Steer
from lotus.trading.execution.executor import begin, step
from lotus.trading.execution.orders import AccountSnapshot, OrderState, OrderUpdate, Side
from lotus.trading.execution.state import ExecutionState
from lotus.trading.plan.plan import probe_plan
from lotus_desk.execution.moving import never_reached, successor
from lotus_desk.execution.stored import plan_of
from lotus_desk.market.snapshot import DeskTerms, MarketSnapshot
from lotus_herald.release import release_of
from lotus_store.ledger.bodies import to_plain
from lotus_store.ledger.trading.plans import PlanRow

MONEY = AccountSnapshot(Decimal(10_000), Decimal(0), Decimal(10_000), (), 0)


class Market(MarketSnapshot):
    """Two venues over one market of BTC at 100,000."""

    def seen(self) -> "Market":
        self._tops[0] = self.now_ms(), 999_990, 1_000_010
        self.accounts = dict.fromkeys(self.every("probes-long"), MONEY)
        return self


@pytest.fixture
def market() -> Market:
    terms = DeskTerms(Decimal(1000), Decimal(300), Decimal(10**6), 5_000)
    return Market((BTC,), "local", terms, now_ms, {"BTC": 40}, others=("local-2",)).seen()


def accepted(market: Market) -> tuple[PlanRow, ExecutionState]:
    """Return a probe at the first venue whose entry and stop are under way."""
    terms = replace(market.terms(Side.BUY), release=release_of(Module.DM))
    plan = probe_plan("e", BTC, Side.BUY, Decimal(100_000), now_ms(), 60_000, terms)
    row = PlanRow(
        plan.plan_id, "main", "d", "l", "probe", "BTC", "local", "accepted", now_ms(), to_plain(plan),
        PlanReference(event_id="e", detector_id="x", window_end_ms=1), {},
    )  # fmt: skip
    view = market.view("BTC")
    assert view is not None
    state, _ = step(begin(plan, BTC, "local", now_ms()), view, now_ms())
    assert len(state.orders) == 2
    return row, state


def told(state: ExecutionState, **states: OrderState) -> ExecutionState:
    """Return the state after the venue's word on its orders, by purpose; others are never placed."""
    for order in list(state.orders.values()):
        said = states.get(order.purpose.value, OrderState.NEVER_PLACED)
        state, _ = step(state, OrderUpdate(order.client_id, said, now_ms()), now_ms())
    return state


def test_an_entry_that_never_left_goes_to_the_other_venue_once(market: Market) -> None:
    row, state = accepted(market)
    lost = told(state)
    assert lost.done
    new = successor(row, lost, market)
    assert new is not None
    plan = plan_of(new)
    assert (new.venue, new.stage, plan.authority.account) == ("local-2", "accepted", "probes-long@local-2")
    assert (new.reference.left_at, row.reference.left_at) == (["probes-long"], UNSET)
    assert new.plan_id != row.plan_id, "so no order of it has the name of an earlier one"
    again, _ = step(begin(plan, BTC, "local-2", now_ms()), market.view("BTC"), now_ms())  # type: ignore[arg-type]
    assert not set(again.orders) & set(lost.orders)
    assert successor(new, told(again), market) is None, "both were tried"


@pytest.mark.parametrize(
    "states",
    [
        {"entry": OrderState.UNKNOWN},
        {"stop": OrderState.UNKNOWN},
        {"entry": OrderState.REJECTED, "stop": OrderState.REJECTED},
        {"entry": OrderState.CANCELED, "stop": OrderState.CANCELED},
        {"stop": OrderState.CANCELED},
    ],
)
def test_what_may_have_reached_the_venue_stays_there(market: Market, states: dict[str, OrderState]) -> None:
    row, state = accepted(market)
    state = told(state, **states)
    late, _ = step(state, market.view("BTC"), now_ms() + 600_000)  # type: ignore[arg-type]
    for one in (state, late):
        assert not never_reached(one), "however long it takes"
        assert successor(row, one, market) is None


@pytest.mark.parametrize("why", ["one venue", "halted", "held", "too late", "steered", "no money"])
def test_it_is_judged_again_where_it_goes(market: Market, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    row, state = accepted(market)
    lost: Any = told(state)
    assert successor(row, lost, market) is not None
    match why:
        case "one venue":
            market.others = ()
        case "halted":
            market.halted = True
        case "held":
            market.holds = {"probes-long@local-2": "not armed"}
        case "too late":
            monkeypatch.setattr(market, "now_ms", lambda: now_ms() + 6_000)
        case "steered":
            lost, _ = step(lost, Steer(Decimal(0), None), now_ms())
            lost = replace(lost, ceiling=Decimal(0))
        case _:
            del market.accounts["probes-long@local-2"]
    assert successor(row, lost, market) is None
