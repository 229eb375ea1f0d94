"""Paper accounts behind a desk: lines seen once whatever dies, outages told, nothing told that was not kept."""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from pace import examples
from paper_lines import MS, PX, Line, bbo, context, trade

from lotus.manifest import Asset, Manifest
from lotus.timebase import HOUR_MS, NS_PER_MS
from lotus.trading.execution.orders import (
    FundingPayment,
    NewOrder,
    OrderGrouping,
    OrderState,
    OrderTrigger,
    OrderUpdate,
    Side,
    TimeInForce,
    TriggerKind,
    VenueFill,
    client_order_id,
)
from lotus_desk.accounts.paper import PaperAccounts
from lotus_store.config import Settings
from lotus_venues.paper_account.state import Stored
from lotus_venues.paper_account.venue import PaperAccountVenue

BTC = Asset("BTC", 5)
T0_NS = 1_760_000_400_000 * NS_PER_MS


@dataclass
class Kept:
    """What is on disk: head, orders by name, fills by number, as JSON text."""

    head: str = ""
    orders: dict[str, str] = field(default_factory=dict)
    fills: dict[int, str] = field(default_factory=dict)

    def load(self) -> Stored | None:
        rows: Callable[[Any], list[Any]] = lambda found: [json.loads(text) for text in found.values()]  # noqa: E731
        whole = {"head": self.head and json.loads(self.head), "orders": rows(self.orders), "fills": rows(self.fills)}
        return whole if self.head else None

    def save(self, change: Stored) -> None:
        self.head = json.dumps(change["head"])
        self.orders |= {order["client_id"]: json.dumps(order) for order in change["orders"]}
        fills = {fill["number"]: json.dumps(fill) for fill in change["fills"]}
        for number in self.fills.keys() & fills.keys():
            assert self.fills[number] == fills[number], "a number is one fill for ever"
        self.fills |= fills


@dataclass
class Life:
    """A process: a desk of paper over what is kept, a listener, and the moment at which it dies.

    `dies` counts saves until death; `wrote` says whether that last one reached the disk.
    """

    kept: Kept
    heard: list[Any]
    now_ns: int = T0_NS
    dies: int = -1
    wrote: bool = False
    dead: bool = False
    latency_ms: int = 0
    desk: PaperAccounts = field(init=False)
    venue: PaperAccountVenue = field(init=False)
    tasks: list["asyncio.Task[Any]"] = field(default_factory=list)

    async def begin(self, tape: Sequence[Line], goes_on: bool = True) -> "Life":
        """Load, feed the recorded tape again, listen."""
        manifest = replace(Manifest(), outcomes=replace(Manifest().outcomes, latency_ms=self.latency_ms))
        place = Settings(Path("/nowhere"), manifest=manifest)
        self.desk = PaperAccounts(place, (BTC,), "run", lambda: self.now_ns, lambda _: self.kept)
        self.venue = self.desk.open("probes-long")
        self.venue.ahead.aside = self.aside
        self.venue.timeout_s = 0.05
        for line in tape:
            self.show(line)
        if not goes_on:
            self.desk.lost_sight()
        await self.venue.connect()
        self.tasks.append(asyncio.create_task(self._listen()))
        await self.settle()
        return self

    def show(self, line: Line) -> None:
        self.now_ns = max(self.now_ns, line.recv_ns)
        self.desk.see(line.recv_ns, line)  # type: ignore[arg-type]

    async def settle(self) -> None:
        for _ in range(12):
            await asyncio.sleep(0)

    async def aside(self, save: Callable[[Stored], None], change: Stored) -> None:
        if self.dies == 0:
            if self.wrote:
                save(change)
            self.dead = True
            await asyncio.Event().wait()
        self.dies -= 1
        await asyncio.sleep(0)
        save(change)

    async def place(self, order: NewOrder, *exits: NewOrder) -> None:
        """Send and book the answer, if one comes before death."""
        grouping = OrderGrouping.ENTRY_WITH_EXITS if exits else OrderGrouping.NONE

        async def send() -> None:
            answers = await self.venue.place([order, *exits], grouping)
            self.heard += answers

        self.tasks.append(asyncio.create_task(send()))
        await self.settle()

    async def cancel(self, name: str) -> None:
        async def send() -> None:
            answers = await self.venue.cancel("BTC", [name])
            self.heard += answers

        self.tasks.append(asyncio.create_task(send()))
        await self.settle()

    async def end(self) -> None:
        for task in self.tasks:
            task.cancel()
        if self.venue.ahead._task is not None:
            self.venue.ahead._task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def _listen(self) -> None:
        async for event in self.venue.events():
            self.heard.append(event)


STEP = st.one_of(
    st.tuples(st.just("quote"), st.integers(-30, 30), st.integers(200, 6000)),
    st.tuples(st.just("trade"), st.sampled_from([1, -1]), st.integers(-30, 30), st.integers(1, 4000)),
    st.tuples(st.just("mark"), st.integers(-60, 60), st.integers(-(10**8), 10**8)),
    st.tuples(st.just("hour"), st.integers(-(10**8), 10**8)),
    st.tuples(st.just("group"), st.sampled_from(Side), st.integers(101, 3000)),
    st.tuples(st.just("rest"), st.sampled_from(Side), st.integers(-20, 0), st.integers(101, 3000)),
    st.tuples(st.just("close"), st.integers(101, 3000)),
    st.tuples(st.just("cancel"), st.integers(0, 12)),
)
DEATH = st.one_of(st.none(), st.tuples(st.integers(0, 1), st.booleans()))


@dataclass
class World:
    """A market on tape, the books of a desk (what it sent, written first), and one life after another."""

    latency_ms: int
    tape: list[Line] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    heard: list[Any] = field(default_factory=list)
    kept: Kept = field(default_factory=Kept)
    now_ns: int = T0_NS

    def line(self, make: Callable[[int], Line], passes_ms: int = 20) -> Line:
        self.now_ns += passes_ms * MS
        self.tape.append(make(self.now_ns))
        return self.tape[-1]

    def order(self, side: Side, px: int, lots: int, **more: Any) -> NewOrder:
        name = client_order_id(str(len(self.sent)), "x")
        self.sent.append(name)
        return NewOrder(name, "BTC", side, Decimal(lots) / 10**5, Decimal(px) / 10, **more)

    async def born(self) -> Life:
        return await Life(self.kept, self.heard, self.now_ns, latency_ms=self.latency_ms).begin(self.tape)

    async def step(self, life: Life, step: Any, death: tuple[int, bool] | None) -> Life:
        if death is not None:
            life.dies, life.wrote = death
        match step:
            case ("quote", shift, lots):
                life.show(self.line(lambda at: bbo(at, PX + 10 * shift, lots)))
            case ("trade", side, shift, lots):
                life.show(self.line(lambda at: trade(at, PX + 10 * shift, lots, side, len(self.tape))))
            case ("mark", shift, rate):
                life.show(self.line(lambda at: context(at, PX + 10 * shift, rate)))
            case ("hour", rate) if self.now_ns < T0_NS + 4 * HOUR_MS * MS:  # what is older may be forgotten
                life.show(self.line(lambda at: context(at, PX, rate), HOUR_MS))
            case ("group", side, lots):
                entry = self.order(side, PX + 400 * int(side), lots, tif=TimeInForce.IOC)
                stop_px = PX - 300 * int(side)
                limit = stop_px - 9000 * int(side)
                trigger = OrderTrigger(Decimal(stop_px) / 10, TriggerKind.STOP_LOSS)
                await life.place(entry, self.order(side.opposite, limit, lots, reduce_only=True, trigger=trigger))
            case ("rest", side, shift, lots):
                await life.place(self.order(side, PX + 10 * shift * int(side), lots))
            case ("close", lots):
                held = life.venue.market.state.positions[0].lots
                side = Side.SELL if held > 0 else Side.BUY
                px = PX + 9000 * int(side)
                await life.place(self.order(side, px, lots, tif=TimeInForce.IOC, reduce_only=True))
            case ("cancel", index) if index < len(self.sent):
                await life.cancel(self.sent[index])
        await life.settle()
        if life.dead:
            await life.end()
            return await self.born()
        return life


@settings(max_examples=examples(120), deadline=None)
@given(st.lists(st.tuples(STEP, DEATH), min_size=12, max_size=40), st.sampled_from([0, 50]))
def test_whatever_dies_between_a_fill_and_its_telling_nothing_is_lost_or_doubled(
    steps: list[Any], latency_ms: int
) -> None:
    """Kills before a save, after a save and before the telling, and between two: what was told stays true."""

    async def run() -> None:
        world = World(latency_ms)
        life = await world.born()
        life.show(world.line(lambda at: bbo(at, PX, 5000)))
        life.show(world.line(lambda at: context(at, PX)))
        for step, death in steps:
            life = await world.step(life, step, death)
        life.dies = -1
        for _ in range(4):
            life.show(world.line(lambda at: context(at, PX)))
            await life.settle()
        fills = {fill.fill_id: fill for fill in await life.venue.fills_since(0)}
        told = [event for event in world.heard if isinstance(event, VenueFill)]
        assert all(fills[fill.fill_id] == fill for fill in told), "a fill that was told is a fill for ever"
        state = life.venue.market.state
        assert state.positions[0].lots == sum(int(f.size * 10**5) * int(f.side) for f in fills.values())
        for name in world.sent:
            now = await life.venue.order_of(name)
            said = [e for e in world.heard if isinstance(e, OrderUpdate) and e.client_id == name]
            before = [e for e in said if e.state not in (OrderState.UNKNOWN, OrderState.NEVER_PLACED)]
            assert now.state is not OrderState.UNKNOWN
            assert now.state is not OrderState.NEVER_PLACED or not before, "what was acknowledged is remembered"
            assert all(e.state is now.state for e in before if e.state.is_final), "an end is an end for ever"
            assert now.filled == sum((f.size for f in fills.values() if f.client_id == name), Decimal(0))
        paid = [e for e in world.heard if isinstance(e, FundingPayment)]
        payments = {(e.coin, e.time_ms): e for e in paid}
        assert all(payments[e.coin, e.time_ms] == e for e in paid), "an hour is paid once"
        assert sum(e.usd for e in payments.values()) * 10**6 == state.funding_micro, "and every payment is heard"
        await life.end()

    asyncio.run(run())


def straight_and_again(lines: Sequence[Line], seen: int) -> tuple[Life, Life]:
    """Return the life that saw all lines, and one that was stored after `seen` of them and fed all again."""

    async def run() -> tuple[Life, Life]:
        lives = []
        for cut in (len(lines), seen):
            kept, heard = Kept(), list[Any]()
            life = await Life(kept, heard).begin(())
            life.show(bbo(T0_NS - MS, PX, 500))
            await life.place(NewOrder(client_order_id("a", "x"), "BTC", Side.BUY, Decimal("0.05"), Decimal(PX) / 10))
            for line in lines[:cut]:
                life.show(line)
            life.venue.market.execution.is_changed = True
            life.venue.ahead.note()
            await life.settle()
            await life.end()
            again = await Life(kept, heard).begin(lines)
            lives.append(again)
            await again.end()
        return lives[0], lives[1]

    return asyncio.run(run())


def test_lines_of_the_tape_are_seen_once_even_when_they_share_a_stamp() -> None:
    same = T0_NS + 7 * MS
    through = [bbo(same, PX - 30 - k, 700 + k) for k in range(4)]  # each shows more that fills what rests
    lines = [bbo(T0_NS, PX, 500), *(trade(same, PX, 10, -1, k) for k in range(5)), *through, bbo(same + MS, PX, 700)]
    for seen in range(len(lines) + 1):
        straight, again = straight_and_again(lines, seen)
        assert straight.venue.market.stored() == again.venue.market.stored()
        assert again.venue.market.state.next_fill > 4


def test_silence_and_a_restart_on_a_living_market_are_told_as_outages() -> None:
    async def run() -> None:
        kept = Kept()
        world = await Life(kept, []).begin(())
        world.show(bbo(T0_NS, PX, 500))
        world.show(context(T0_NS, PX))
        order = NewOrder(client_order_id("a", "x"), "BTC", Side.BUY, Decimal("0.01"), Decimal(99_000))
        await world.place(order)
        world.show(bbo(T0_NS + 9_000 * MS, PX, 500))
        assert not world.venue.market.state.outages
        world.show(bbo(T0_NS + 30_000 * MS, PX, 500))
        await world.settle()
        (silence,) = world.venue.market.state.outages
        assert (silence.until_ms - silence.from_ms, silence.resting, silence.held) == (21_000, 1, 0)
        await world.end()
        again = await Life(kept, []).begin((), goes_on=False)
        again.show(bbo(T0_NS + 31_000 * MS, PX, 500))
        assert len(again.venue.market.state.outages) == 2
        told = again.desk.as_json()["probes-long"]
        assert (told["open_orders"], len(told["outages"])) == (1, 2)
        assert told["equity_pessimistic_usd"] <= told["equity_optimistic_usd"] == 100_000.0
        await again.end()

    asyncio.run(run())
