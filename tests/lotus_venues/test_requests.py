"""Laws of requests: never sent or sent and unknown, nothing sent twice, the rate budget, and the venue's words."""

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

import pytest
from hyperliquid.utils.signing import float_to_wire, order_request_to_order_wire
from hyperliquid.utils.types import Cloid
from hypothesis import given
from hypothesis import strategies as st

from lotus.errors import VenueError, WireError
from lotus.trading.orders import (
    NewOrder,
    OrderState,
    OrderTrigger,
    Side,
    TimeInForce,
    TriggerKind,
    client_order_id,
)
from lotus_venues.hyperliquid.http import GatewayRefused, JsonPoster, NotSent, Unanswered
from lotus_venues.hyperliquid.known_orders import KnownOrders
from lotus_venues.hyperliquid.order_wire import decimal_text, order_wire, placed_state, statuses_of, told_state
from lotus_venues.hyperliquid.rate_budget import WINDOW_MS, AddressWeight, RateBudget, shared_weight

NAME = client_order_id("plan", "entry")
ORDER = NewOrder(NAME, "BTC", Side.BUY, Decimal("0.010"), Decimal(100_000))
PART = Decimal("0.004")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"


class Server:
    """A socket that counts the requests it read and answers as told: bytes, or None to close."""

    def __init__(self, answer: Callable[[int], bytes | None]) -> None:
        """Listen on a free port."""
        self.seen, self._answer = 0, answer
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._talk, args=(connection,), daemon=True).start()

    def _talk(self, connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(65536):
                if not data.endswith(b"}"):  # the body comes in a segment of its own
                    continue
                self.seen += 1
                answer = self._answer(self.seen)
                if answer is None:
                    return
                connection.sendall(answer)

    def close(self) -> None:
        """Stop listening."""
        self._listening.close()


@contextmanager
def serving(answer: Callable[[int], bytes | None]) -> Iterator[Server]:
    """Serve while the block lasts."""
    server = Server(answer)
    yield server
    server.close()


def posted(url: str, times: int = 1, pause_s: float = 0.0) -> list[Any]:
    """Return what posts came to: an answer, or the kind of error."""

    async def run() -> list[Any]:
        poster = JsonPoster(url, timeout_s=0.3, connect_timeout_s=0.3)
        poster.open()
        ends: list[Any] = []
        for _ in range(times):
            try:
                ends.append(await poster.post("/exchange", {"a": 1}))
            except VenueError as error:
                ends.append(type(error))
            await asyncio.sleep(pause_s)
        poster.close()
        return ends

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", Unanswered),
        (b"HTTP/1.1 422 Unprocessable\r\nContent-Length: 0\r\n\r\n", GatewayRefused),
        (b"HTTP/1.1 429 Too Many\r\nContent-Length: 0\r\n\r\n", GatewayRefused),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nno!", Unanswered),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", Unanswered),
        (b"", Unanswered),
        (None, Unanswered),
        (OK, {}),
    ],
)
def test_every_failure_after_sending_is_unknown_and_sent_once(answer: bytes | None, end: Any) -> None:
    with serving(lambda _: answer) as server:
        assert posted(server.url) == [end]
        assert server.seen == 1


def test_what_cannot_connect_was_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert posted(f"http://127.0.0.1:{port}") == [NotSent]


def test_a_kept_connection_closed_meanwhile_is_not_used_for_the_next_request() -> None:
    """The server answers and closes each connection without saying so: the next request takes another."""

    class Closing(Server):
        def _talk(self, connection: socket.socket) -> None:
            with connection:
                while not connection.recv(65536).endswith(b"}"):
                    pass
                self.seen += 1
                connection.sendall(OK)

    server = Closing(lambda _: OK)
    assert posted(server.url, 6, pause_s=0.1) == [{}] * 6
    server.close()


def test_cancels_have_a_reserve() -> None:
    budget = RateBudget(AddressWeight(100, 20), actions_left=12, reserve_actions=10)
    budget.spend(80, 0)
    with pytest.raises(VenueError, match="weight"):
        budget.spend(1, 0)
    budget.spend(20, 0, is_urgent=True)
    with pytest.raises(VenueError, match="weight"):
        budget.spend(1, 0, is_urgent=True)
    budget.spend(1, WINDOW_MS, actions=2)
    with pytest.raises(VenueError, match="actions"):
        budget.spend(1, WINDOW_MS, actions=1)
    budget.spend(1, WINDOW_MS, actions=10, is_urgent=True)
    budget.spend(1, WINDOW_MS, actions=1, is_urgent=True)  # none is left: the venue is the one to refuse a cancel
    with pytest.raises(VenueError, match="actions"):
        budget.spend(1, WINDOW_MS, actions=1)
    budget.told(used=5, cap=1000)
    budget.spend(1, WINDOW_MS, actions=1)


def test_accounts_of_one_venue_share_its_weight_and_not_their_actions() -> None:
    url = "https://shared.example"
    one, two = (RateBudget(shared_weight(at), actions_left=600) for at in (url, url + "/info"))
    other = RateBudget(shared_weight("https://another.example"), actions_left=600)
    one.spend(1000, 0, actions=100)
    with pytest.raises(VenueError, match="1000 of 1000 weight"):
        two.spend(1, 0, actions=1)
    two.spend(200, 0, actions=1, is_urgent=True)
    other.spend(1000, 0)
    assert (one.actions_left, two.actions_left, other.actions_left) == (500, 599, 600)


@given(st.lists(st.tuples(st.integers(0, 30_000), st.integers(1, 40), st.booleans()), max_size=60))
def test_no_minute_holds_more_than_the_limit(requests: list[tuple[int, int, bool]]) -> None:
    budget, now, kept = RateBudget(AddressWeight(100, 30)), 0, []
    for step, weight, is_urgent in requests:
        now += step
        try:
            budget.spend(weight, now, is_urgent=is_urgent)
            kept.append((now, weight))
        except VenueError:
            pass
        window = sum(w for t, w in kept if t > now - WINDOW_MS)
        assert window == budget.weight.spent(now) <= 100


@given(
    st.decimals("0.00001", "1000", places=5),
    st.decimals("0.1", "99999", places=1),
    st.sampled_from(TimeInForce),
    st.booleans(),
    st.booleans(),
)
def test_orders_are_spelt_as_the_sdk_spells_them(
    size: Decimal, px: Decimal, tif: TimeInForce, is_buy: bool, is_stop: bool
) -> None:
    trigger = OrderTrigger(px, TriggerKind.STOP_LOSS) if is_stop else None
    side = Side.BUY if is_buy else Side.SELL
    order = NewOrder(NAME, "BTC", side, size, px, tif, is_stop, trigger)
    kind: dict[str, Any] = {"limit": {"tif": tif.value}}
    if is_stop:
        kind = {"trigger": {"isMarket": True, "triggerPx": float(px), "tpsl": "sl"}}
    theirs = order_request_to_order_wire(
        {
            "coin": "BTC",
            "is_buy": is_buy,
            "sz": float(size),
            "limit_px": float(px),
            "order_type": kind,
            "reduce_only": is_stop,
            "cloid": Cloid.from_str(NAME),
        },
        3,
    )
    ours = order_wire(order, 3)
    assert ours == theirs
    assert json.dumps(ours) == json.dumps(theirs)
    assert decimal_text(size) == float_to_wire(float(size))


@pytest.mark.parametrize(
    ("entry", "wanted"),
    [
        ({"resting": {"oid": 7}}, (OrderState.RESTING, 7, 0, None, "")),
        ({"filled": {"totalSz": "0.01", "avgPx": "2", "oid": 7}}, (OrderState.FILLED, 7, ORDER.size, Decimal(2), "")),
        ({"filled": {"totalSz": "0.004", "avgPx": "1", "oid": 7}}, (OrderState.CANCELED, 7, PART, 1, "canceled")),
        ({"error": "No."}, (OrderState.REJECTED, None, 0, None, "No.")),
        ("waitingForTrigger", (OrderState.WAITING, None, 0, None, "")),
    ],
)  # fmt: skip
def test_answers_by_order(entry: Any, wanted: tuple[Any, ...]) -> None:
    assert placed_state(entry, ORDER) == wanted


@pytest.mark.parametrize("answer", [None, [], {}, {"status": "ok"}, {"status": "ok", "response": {"data": {}}}, 5])
def test_answers_of_another_form_are_unknown(answer: Any) -> None:
    with pytest.raises(WireError):
        statuses_of(answer)
    assert statuses_of({"status": "err", "response": "no"}) == "no"
    assert statuses_of({"status": "ok", "response": {"type": "default"}}) == []


@pytest.mark.parametrize(
    ("word", "state"),
    [
        ("open", OrderState.RESTING),
        ("filled", OrderState.FILLED),
        ("marginCanceled", OrderState.CANCELED),
        ("neverHeardOfItCanceled", OrderState.CANCELED),
        ("badAloPxRejected", OrderState.REJECTED),
        ("newWord", OrderState.RESTING),
    ],
)
def test_status_words_are_an_open_set(word: str, state: OrderState) -> None:
    assert told_state(word, is_trigger=False) is state
    assert told_state("open", is_trigger=True) is OrderState.WAITING


def told(oid: int, status: str, left: str = "0.01", time_ms: int = 5) -> dict[str, Any]:
    """Return an entry of `orderUpdates`."""
    order = {"coin": "BTC", "side": "B", "limitPx": "1", "sz": left, "oid": oid, "origSz": "0.01", "cloid": NAME}
    return {"order": order, "status": status, "statusTimestamp": time_ms}


def test_the_end_of_a_superseded_number_is_not_the_end_of_the_order() -> None:
    known = KnownOrders()
    assert known.told_order(told(1, "open")) is not None
    known.modifying(NAME, 100)
    assert known.told_order(told(1, "canceled")) is None
    assert known.told_order(told(2, "open")) is not None
    assert known.is_modify_over(NAME, 50)
    assert known.modified(NAME) == []
    assert known.told_order(told(1, "canceled")) is None
    ended = known.told_order(told(2, "canceled", "0.004"))
    assert ended is not None
    assert (ended.state, ended.filled) == (OrderState.CANCELED, Decimal("0.006"))


def test_an_end_after_a_modify_expired_is_the_end() -> None:
    known = KnownOrders()
    known.told_order(told(1, "open"))
    known.modifying(NAME, 100)
    assert known.told_order(told(1, "canceled", time_ms=101)) is not None


def test_a_modify_of_another_process_is_waited_out() -> None:
    known = KnownOrders()
    known.modifying(NAME, 100)
    assert known.told_order(told(1, "canceled", time_ms=90)) is None
    assert known.told_order(told(2, "open", time_ms=90)) is not None
    assert not known.is_modify_over(NAME, 90)
    assert known.is_modify_over(NAME, 101)
    assert known.modified(NAME) == []
    assert known.unfinished() == [NAME]


def test_news_from_before_the_end_are_passed_over() -> None:
    known = KnownOrders()
    assert known.told_order(told(1, "filled", "0")) is not None
    assert known.told_order(told(1, "open")) is None
    assert known.told_order(told(1, "filled", "0")) is not None
    assert known.unfinished() == []


def test_a_modify_that_never_came_releases_what_was_held() -> None:
    known = KnownOrders()
    known.told_order(told(1, "open"))
    known.modifying(NAME, 100)
    known.told_order(told(1, "canceled"))
    assert not known.is_modify_over(NAME, 100)
    assert known.is_modify_over(NAME, 101)
    (ended,) = known.modified(NAME)
    assert ended.state is OrderState.CANCELED


def test_fills_are_told_once_and_make_the_average() -> None:
    known = KnownOrders()
    known.told_order(told(1, "open"))
    fill = {"coin": "BTC", "side": "B", "sz": "0.005", "px": "10", "fee": "0.1", "crossed": True, "time": 5, "oid": 1}
    first, again = known.told_fill(fill | {"tid": 8}), known.told_fill(fill | {"tid": 8})
    assert first is not None
    assert (first.client_id, again) == (NAME, None)
    known.told_fill(fill | {"tid": 9, "px": "20"})
    ended = known.told_order(told(1, "filled", "0"))
    assert ended is not None
    assert (ended.filled, ended.average_px) == (Decimal("0.01"), 15)


def test_an_end_that_meets_the_answer_is_an_end() -> None:
    """A task cancelled in the very moment of its answer ends; otherwise closing would wait for it for ever."""

    async def run() -> int:
        poster, cancelled = JsonPoster("http://127.0.0.1:1"), 0
        poster._post = lambda path, text: {}  # type: ignore[method-assign]
        poster.open()
        for turns in range(5):
            task = asyncio.create_task(poster.post("/info", {}))
            await asyncio.sleep(0)
            time.sleep(0.02)  # the answer is there, the task has not seen it
            for _ in range(turns):
                await asyncio.sleep(0)
            if task.cancel():
                cancelled += 1
                with pytest.raises(asyncio.CancelledError):
                    await task
        poster.close()
        return cancelled

    assert asyncio.run(run()) >= 2
