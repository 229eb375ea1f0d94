"""Whatever JSON comes in, the exchange answers it: a status code or an error text, never an exception, never a half."""

import json
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from local_world import T0, UNIVERSE, open_market, order_action, rich, wallet
from pace import examples
from small_engine import assert_conserved

from lotus_venues.local_exchange.options import wall_ms
from lotus_venues.local_exchange.requests.signers import Signers
from lotus_venues.local_exchange.web.server import LocalExchange

ADDRESS = wallet().address.lower()
plain = st.none() | st.booleans() | st.integers(-5, 10**20) | st.floats(allow_nan=False) | st.text(max_size=5)
anything = st.recursive(plain, lambda x: st.lists(x, max_size=3) | st.dictionaries(st.text(max_size=4), x, max_size=3))
INFO = ("meta", "l2Book", "clearinghouseState", "openOrders", "userFillsByTime", "orderStatus", "fundingHistory",
        "candleSnapshot", "userRole", "extraAgents", "recentTrades", "nothing")  # fmt: skip


@pytest.fixture(scope="module")
def exchange() -> Iterator[LocalExchange]:
    """An exchange without sockets whose every request is signed by the usual wallet."""
    made = LocalExchange(UNIVERSE, options=rich(limit_scale=0.0))
    made.engine.advance(T0)
    open_market(made)
    with mock.patch.object(Signers, "signer_of", return_value=ADDRESS):
        yield made


def spoiled(draw: st.DrawFn, value: Any) -> Any:
    """Return a value with one leaf replaced or one key left out."""
    if isinstance(value, dict) and value and draw(st.integers(0, 3)):
        key = draw(st.sampled_from(sorted(value)))
        if draw(st.integers(0, 4)) == 0:
            return {k: v for k, v in value.items() if k != key}
        return value | {key: spoiled(draw, value[key])}
    if isinstance(value, list) and value and draw(st.booleans()):
        return [spoiled(draw, value[0]), *value[1:]]
    return draw(anything)


@st.composite
def actions(draw: st.DrawFn) -> Any:
    """An action that is nearly right."""
    good = order_action()
    trigger = {**good["orders"][0], "t": {"trigger": {"isMarket": True, "triggerPx": "90000", "tpsl": "sl"}}}
    cloid = "0x" + "a" * 32
    base = draw(
        st.sampled_from(
            [
                good,
                {"type": "order", "orders": [{**good["orders"][0], "c": cloid}, trigger], "grouping": "normalTpsl"},
                {"type": "cancel", "cancels": [{"a": 0, "o": 1}, {"a": 0, "o": 2}]},
                {"type": "cancelByCloid", "cancels": [{"asset": 0, "cloid": cloid}]},
                {"type": "batchModify", "modifies": [{"oid": cloid, "order": good["orders"][0]}]},
                {"type": "updateLeverage", "asset": 0, "isCross": True, "leverage": 3},
                {"type": "scheduleCancel", "time": T0 + 10**6},
            ]
        )
    )
    return spoiled(draw, base) if draw(st.booleans()) else base | {draw(st.text(max_size=4)): draw(anything)}


_NONCES = iter(range(wall_ms() - 10**7, wall_ms()))


@settings(max_examples=examples(300), deadline=None)
@given(action=actions(), nonce=st.none() | anything)
def test_actions_are_answered_and_money_is_conserved(exchange: LocalExchange, action: Any, nonce: Any) -> None:
    body = {"action": action, "nonce": next(_NONCES) if nonce is None else nonce, "signature": {}}
    before = len(exchange.engine.state.orders)
    reply = exchange.gateway.exchange(body, "here")
    assert reply.status in (200, 422)
    json.dumps(reply.content)
    if reply.status == 422:
        assert len(exchange.engine.state.orders) == before  # nothing of a body that cannot be read was done
    assert_conserved(exchange.engine)


@settings(max_examples=examples(200), deadline=None)
@given(kind=st.sampled_from(INFO), fields=st.dictionaries(st.sampled_from(("coin", "user", "oid", "startTime", "req")),
       plain | st.sampled_from(("BTC", ADDRESS, 1)) | anything, max_size=4), body=anything)  # fmt: skip
def test_queries_are_answered(exchange: LocalExchange, kind: str, fields: dict[str, Any], body: Any) -> None:
    for wanted in ({"type": kind, **fields}, body):
        reply = exchange.gateway.ask(wanted, "here")
        assert reply.status in (200, 422)
        json.dumps(reply.content)
