"""The trading desk: every accepted plan driven to its end at its venue. The rules: `lotus.trading.execution.executor`.

A turn takes in what happened, steps the plans concerned, writes them down, and only then carries out what follows: a
kill at any point leaves orders that the next start knows by name. While the database takes nothing, nothing is opened;
what protects, closes and cancels goes out all the same, for a stop may not wait for a disk. In the literature:
write-ahead intent log, functional core behind an imperative shell.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial

from lotus.errors import VenueError
from lotus.modules.intents import Module
from lotus.trading.execution.events import Alarm, Command, Event, Halt, Place, Steer, Tick
from lotus.trading.execution.executor import begin
from lotus.trading.execution.orders import FundingPayment, NewOrder, OrderUpdate, VenueFill
from lotus.trading.execution.state import Entering, ExecutionState, Safety
from lotus.trading.venue import Venue
from lotus_desk.execution.account_looks import Accounts
from lotus_desk.execution.books import PlanDelta, TradeBooks
from lotus_desk.execution.chores import Chores
from lotus_desk.execution.dispatcher import CommandDispatcher
from lotus_desk.execution.in_time import DOWN, InTime
from lotus_desk.execution.moving import with_successor
from lotus_desk.execution.plan_run import DeskCounts, PlanRun, never_placed
from lotus_desk.execution.reconciling import Reconciler
from lotus_desk.execution.run_table import RunTable, unwritten_fills
from lotus_desk.execution.stored import choice_in, execution_of, plan_of
from lotus_desk.execution.venue_links import VenueLinks
from lotus_desk.market.snapshot import MarketSnapshot
from lotus_desk.market.triggers import TriggerDesk
from lotus_desk.safety.heartbeat import Pulse
from lotus_desk.safety.kill_switch import FLATTENED, LIFTED, KillSwitch
from lotus_store.ledger.trading.plans import PlanRow

logger = logging.getLogger(__name__)

TICK_S = 0.1
POLL_ROUNDS = 10
RETRY_S = 0.5
CONFIRM_IN_STEP_MS = 600_000  # of the tape
BOOKS_S = 0.5  # longer than this nothing waits for the books


class TradingDesk:
    """The desk of one daemon: `venues` by account (one session each), `market` what it sees."""

    def __init__(
        self,
        books: TradeBooks,
        market: MarketSnapshot,
        venues: Mapping[str, Venue],
        switch: KillSwitch,
        triggers: TriggerDesk | None = None,
        in_step: bool = False,
    ) -> None:
        """Nothing is opened yet. Without `triggers` a plan that has one waits until it is over.

        In step the venue is an exchange that is waited for and loses no news of an order.
        """
        self.books, self.market, self.venues, self.switch = books, market, dict(venues), switch
        self.counts = DeskCounts()
        self.reconcilers = [Reconciler(venue, self, market.now_ms) for venue in self.venues.values()]
        self.recovered = False  # whether it has compared itself with its venues since it was made
        self.triggers = triggers
        self.safety = Safety(confirm_ms=CONFIRM_IN_STEP_MS) if in_step else Safety()
        if triggers is not None:
            triggers.tell = self.post
        self._table = RunTable()
        used = partial(self._table.used_usd, self.venues)
        self._accounts = Accounts(market, self.venues, self.reconcilers, used, in_step, held=self._table.held)
        by_account = dict(zip(self.venues, self.reconcilers, strict=True))
        self._links = VenueLinks(market, self.venues, by_account, self._table.first_sent_ms, self.tell)
        self._events: list[tuple[str, Event]] = []
        self._wake, self._quiet = asyncio.Event(), asyncio.Event()
        self._fresh = True
        self._under_way = 0  # commands carried out now, and the turn that makes them
        self._switched = LIFTED
        self._loop: asyncio.AbstractEventLoop | None = None
        self._chores = Chores(self._broke)
        self._in_time = InTime(BOOKS_S, self._failed, in_step)
        self._pulse = Pulse(switch.home)
        self.awaited: Callable[[], int] = int  # commands that wait for a tape to go on
        self._dispatchers = {
            account: CommandDispatcher(venue, market.now_ms, switch, self.counts, self.tell)
            for account, venue in self.venues.items()
        }

    def applied(self, module: Module, *_: object) -> None:
        """Note, from any thread, that a module applied messages: the trader's may have become plans."""
        if module is Module.TR and self._loop is not None:
            self._loop.call_soon_threadsafe(self._take_up)

    async def run(self) -> None:
        """Drive plans until cancelled; positions and resting orders stay at the venue for the next start."""
        self._loop, self._under_way = asyncio.get_running_loop(), 0
        self._look_at_switch()
        await self._links.open()
        await self._restore()
        self._chores.keep("the clock of the desk", self._ticking)
        self._chores.keep("looking at the accounts", self._accounts.run)
        if self.triggers is not None:
            self._chores.keep("watching triggers", self.triggers.run)
        for account, venue in self.venues.items():
            if account in self._links.late:
                self._chores.begin(f"joining {account}", self._join(account))
            else:
                self._chores.keep(f"listening to {account}", partial(self._listening, venue))
        try:
            while True:
                await self._wake.wait()
                self._under_way += 1
                self._wake.clear()
                try:
                    await self._turn()
                finally:
                    self._under_way -= 1
                if self.is_idle:
                    self._quiet.set()
                self._beat()
        except asyncio.CancelledError:
            self._pulse.over()
            raise
        finally:
            await self._chores.close()
            await self._links.close()
            await self._in_time.over(self.books.close)
            await self._note_last()

    async def _note_last(self) -> None:
        """Listen to the end, and write down the fills that are not: the next life asks only for what its plans need."""
        for venue in self.venues.values():
            with suppress(TimeoutError):
                async with asyncio.timeout(BOOKS_S):
                    await self._listening(venue)
        for name, fills in unwritten_fills(self._table.runs, self._events).items():
            await self._in_time.done(self.books.note, name, (), fills, self.market.now_ms())

    @property
    def untracked(self) -> dict[str, dict[str, str]]:
        """What plans hold, by account and coin, where no venue has answered for long."""
        return {
            name: {coin: str(size) for coin, size in held.items()} for name, held in self._accounts.untracked.items()
        }

    @property
    def is_idle(self) -> bool:
        """Whether every event is taken in, written and answered."""
        busy = self._under_way > self.awaited()
        return not (self._events or self._wake.is_set() or busy or self._in_time.is_busy)

    async def idle(self) -> None:
        """Wait until every event is taken in, written and answered."""
        while not self.is_idle:
            self._quiet.clear()
            await self._quiet.wait()

    async def look_at_accounts(self) -> None:
        """Ask the venues for money and positions now. Raises `VenueError`."""
        await self._accounts.look()

    def show_markets(self) -> None:
        """Show every plan under way its market as it is now; one that rests takes no turn for it."""
        alive = [run for run in self._table.runs.values() if run.done_ms is None]
        views, now_ms = {coin: self.market.view(coin) for coin in {run.row.coin for run in alive}}, self.market.now_ms()
        for run in alive:
            view = views[run.row.coin]
            if view is None or not run.rests(view, now_ms):
                self.post(run.row.plan_id, view or Tick())
        for plan_id in self._table.retire(now_ms):
            if self.triggers is not None:
                self.triggers.forget(plan_id)

    def halt(self, flatten: bool) -> None:
        """Open nothing from now on; with `flatten` leave every position."""
        self.market.halted = True
        self._events += [(plan_id, Halt(flatten)) for plan_id in self._table.runs]
        self._wake.set()

    def _beat(self) -> None:
        try:
            self._pulse.turned(TICK_S, self.market.oldest_view_s())
        except Exception as problem:
            self._broke("the heartbeat", problem)

    def _take_up(self) -> None:
        self._fresh = True
        self._wake.set()

    def states_of(self, venue: Venue) -> list[ExecutionState]:
        """Return the states of all plans at a venue that are remembered."""
        return self._table.states_of(venue)

    async def ours(self, client_ids: Sequence[str]) -> frozenset[str]:
        """Return which orders are of plans that are not remembered any more; all, while the books cannot say."""
        try:
            return await asyncio.to_thread(self.books.recorded, client_ids)
        except DOWN:
            return frozenset(client_ids)

    async def note(self, venue: str, orders: Sequence[NewOrder], fills: Sequence[VenueFill]) -> None:
        """Write down orders of no plan before they are sent, and fills of orders whose plans are not remembered.

        Books that are away hold nothing up: a position that nobody has is closed all the same.
        """
        with suppress(*DOWN):
            await asyncio.to_thread(self.books.note, venue, orders, fills, self.market.now_ms())

    def post(self, plan_id: str, event: Event) -> None:
        """Give an event to a plan."""
        self._events.append((plan_id, event))
        self._wake.set()

    def tell(self, event: OrderUpdate | VenueFill) -> None:
        """Give an event of an order to its plan; a fill that the plan has is no news."""
        owner = self._table.owner_of(event)
        if owner is not None:
            self.post(owner, event)

    async def _turn(self) -> None:
        """Take in what happened, write what it changed, carry out what follows."""
        if self._fresh:
            self._fresh = False
            await self._load()
        events, self._events = self._events, []
        for plan_id, event in events:
            run = self._table.runs.get(plan_id)
            if run is not None:
                self._step(run, event)
        moved = self._table.changed()
        if moved and not await self._write(moved):
            self._without_books(moved)
        elif moved:
            self._show_held()
        for run in self._table.commanding():
            self._dispatch(run, run.commands)
            run.commands = []

    def _show_held(self) -> None:
        """Note what plans of the book hold, by their own fills, and will hold; the venue is asked seldom."""
        self.market.held, self.market.will_hold = self._table.book_sizes()

    def _without_books(self, moved: Sequence[PlanRun]) -> None:
        """Carry out what opens nothing; entries count as never placed, for they would be too late later."""
        now_ms, why = self.market.now_ms(), "the database does not take orders"
        for run in moved:
            opening = [c for c in run.commands if isinstance(c, Place) and not all(o.reduce_only for o in c.orders)]
            self._dispatch(run, [command for command in run.commands if command not in opening])
            run.commands = []
            orders = [order for command in opening for order in command.orders]
            self._events += [(run.row.plan_id, update) for update in never_placed(orders, now_ms, why)]

    def _dispatch(self, run: PlanRun, commands: Sequence[Command]) -> None:
        for command in commands:
            what = f"{type(command).__name__.lower()} of plan {run.row.plan_id}"
            self._under_way += 1
            self._chores.begin(what, self._carry_out(run, command))

    def _step(self, run: PlanRun, event: Event) -> None:
        try:
            run.take(event, self.market.now_ms())
        except VenueError as problem:
            self._alarm(run, Alarm("contradiction", str(problem), "fills of its own orders"))
        except Exception as problem:  # one plan's fault must not end the others
            self._broke(f"{type(event).__name__} of plan {run.row.plan_id}", problem)
        self._table.own(run)

    async def _load(self) -> None:
        """Take up accepted plans that are not known yet."""
        rows: list[PlanRow] = []
        if not await self._in_time.done(lambda: rows.extend(self.books.open_plans())):
            self._fresh = True
            return
        for row in rows:
            if row.plan_id not in self._table.runs:
                self._take(row)
            self._amend(self._table.runs[row.plan_id], row)

    def _take(self, row: PlanRow) -> None:
        plan, written, choice = plan_of(row), execution_of(row), choice_in(row.reference)
        knobs = choice.knobs if choice is not None else None
        asset = next(asset for asset in self.market.universe if asset.name == row.coin)
        state = written or begin(plan, asset, row.venue, self.market.now_ms(), knobs, self.safety)
        self._table.add(PlanRun(row, state, self.venues[plan.authority.account], written=written))
        self.counts.plans += 1
        if self.triggers is not None and plan.trigger and state.entering is Entering.WAITING and not state.triggered:
            self.triggers.watch(row, plan)
        if self.market.halted:
            self._events.append((row.plan_id, Halt(self._switched == FLATTENED)))
        self._events.append((row.plan_id, self.market.view(row.coin) or Tick()))

    def _amend(self, run: PlanRun, row: PlanRow) -> None:
        """Tell a plan what later decisions of the book made of it; telling it again changes nothing."""
        if (row.ceiling, row.exit_at_ms) != run.amended:
            run.amended = row.ceiling, row.exit_at_ms
            self._events.append((row.plan_id, Steer(row.ceiling, row.exit_at_ms)))

    async def _write(self, moved: Sequence[PlanRun]) -> bool:
        if self._in_time.is_busy:
            return False
        lines = [with_successor(run.delta(), self.market) for run in moved]
        for run in moved:
            run.is_changed = False
        ended = partial(self._written, list(zip(moved, lines, strict=True)))
        return await self._in_time.done(self.books.write, lines, self.market.now_ms(), ended=ended)

    def _written(self, handed: Sequence[tuple[PlanRun, PlanDelta]], is_done: bool) -> None:
        """Take in how a write ended, in time or late; only what changed since it began is left to write.

        If a late write were void, a desk of many plans on a slow machine would write all of them again and again.
        """
        for run, line in handed:
            if not is_done:
                run.is_changed = True
                continue
            run.was_written(line, self.market.now_ms())
            self.counts.fills += len(line.fills)
            self.counts.finished += line.finished
            self.counts.moved += line.successor is not None
            self._fresh |= line.successor is not None
        if self._fresh:
            self._wake.set()

    async def _carry_out(self, run: PlanRun, command: Command) -> None:
        """Do one command; what the venue answered becomes events of the plan."""
        if isinstance(command, Alarm):
            self._alarm(run, command)
        dispatcher = self._dispatchers[run.account]
        try:
            answers = await dispatcher.dispatch(command)  # apart: `+=` would keep the list that a turn took meanwhile
            self._events += [(run.row.plan_id, event) for event in answers]
        finally:
            self._under_way -= 1
            self._wake.set()

    async def _restore(self) -> None:
        """Take up what an earlier life left, with what the venues hold and filled in between."""
        await self._load()
        self._fresh = False
        await self._links.catch_up()
        self._show_held()  # before the accounts: a book is decided as soon as its account is known
        await self._accounts.look()
        self.recovered = True
        self._wake.set()

    async def _join(self, account: str) -> None:
        await self._links.join(account)
        self._chores.keep(f"listening to {account}", partial(self._listening, self.venues[account]))

    async def _listening(self, venue: Venue) -> None:
        async for event in venue.events():
            if isinstance(event, FundingPayment):
                self._events += [(run.row.plan_id, event) for run in self._table.runs.values() if run.venue is venue]
                self._wake.set()
            else:
                self.tell(event)

    async def _ticking(self) -> None:
        """Every 0.1 s look at the kill switch, and show every plan its market; every second look for plans."""
        rounds = 0
        while True:
            await asyncio.sleep(TICK_S)
            self._look_at_switch()
            self.show_markets()
            rounds += 1
            self._fresh |= rounds % POLL_ROUNDS == 0
            self._wake.set()

    def _look_at_switch(self) -> None:
        state = self.switch.state()
        if state == self._switched:
            return
        self._switched = state
        if state == LIFTED:
            self.market.halted = False
        else:
            self.halt(flatten=state == FLATTENED)

    def _alarm(self, run: PlanRun, alarm: Alarm) -> None:
        self.counts.alarms += 1
        text, ids = "%s on plan %s (%s): %s; expected %s", {"plan_id": run.row.plan_id}
        logger.error(text, alarm.kind, run.row.plan_id, run.row.coin, alarm.found, alarm.expected, extra=ids)

    def _broke(self, what: str, problem: BaseException) -> None:
        """A task ended with an error: count it, log it, and compare with the venue whatever it left behind."""
        self.counts.broken += 1
        text = f"{what} broke: {problem!r}"
        if text != self.counts.last_broken:
            logger.error("%s", text, exc_info=problem)
        self.counts.last_broken = text
        self._accounts.doubted.set()

    def _failed(self, problem: BaseException) -> None:
        self.counts.write_failures += 1
        self.counts.last_failure = str(problem)
        if self._loop is not None:
            self._loop.call_later(RETRY_S, self._wake.set)
