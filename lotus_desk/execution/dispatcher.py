"""Dispatch of one command of a plan to its venue: what the venue answers comes back as events of that plan.

No decision here, but for the last look at the kill switch before something that opens is sent.
"""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import assert_never

from lotus.errors import VenueError
from lotus.trading.execution.events import (
    Alarm,
    Ask,
    Cancel,
    Command,
    Event,
    Finished,
    Modify,
    ModifyAnswer,
    Place,
)
from lotus.trading.execution.orders import NewOrder, OrderState, OrderUpdate, VenueFill
from lotus.trading.venue import Venue
from lotus_desk.execution.plan_run import DeskCounts, never_placed
from lotus_desk.execution.questions import OpenQuestions
from lotus_desk.safety.kill_switch import KillSwitch


class CommandDispatcher:
    """Dispatches the commands of one account's plans; `tell` takes fills, which may be of another plan."""

    def __init__(
        self,
        venue: Venue,
        now_ms: Callable[[], int],
        switch: KillSwitch,
        counts: DeskCounts,
        tell: Callable[[VenueFill], None],
    ) -> None:
        """Hold no command."""
        self.venue, self.now_ms, self.switch, self.counts, self.tell = venue, now_ms, switch, counts, tell
        self._asked = OpenQuestions()
        self._done = OpenQuestions()  # cancels and modifies, which are repeated until answered
        self._fills_from_ms: int | None = None  # since when plans want fills that nobody asked for yet

    async def dispatch(self, command: Command) -> Sequence[Event]:
        """Do one command; return what the venue answered."""
        venue = self.venue
        match command:
            case Place() if self.switch.is_thrown() and not all(o.reduce_only for o in command.orders):
                why = "the kill switch was thrown on the way"  # or while this process slept
                return never_placed(command.orders, self.now_ms(), why)
            case Place():
                self.counts.orders += len(command.orders)
                return await self._answers(venue.place(command.orders, command.grouping), command.orders)
            case Cancel():
                async with self._done.about(f"cancel {command.client_ids}") as is_free:
                    with suppress(VenueError):
                        return await venue.cancel(command.coin, command.client_ids) if is_free else ()
            case Modify():
                async with self._done.about(f"modify {command.order.client_id}") as is_free:
                    return [await self._modified(command.order)] if is_free else ()
            case Ask():
                return await self._ask(command)
            case Alarm() | Finished():
                pass
            case _:
                assert_never(command)
        return ()

    async def _modified(self, order: NewOrder) -> ModifyAnswer:
        try:
            return ModifyAnswer(await self.venue.modify(order))
        except VenueError as problem:
            now_ms = self.now_ms()
            return ModifyAnswer(OrderUpdate(order.client_id, OrderState.RESTING, now_ms, reason=str(problem)))

    async def _answers(
        self, asked: Awaitable[Sequence[OrderUpdate]], orders: Sequence[NewOrder]
    ) -> Sequence[OrderUpdate]:
        """Return the venue's answers; NEVER_PLACED for each order when nothing can have been sent."""
        try:
            return await asked
        except VenueError as problem:
            return never_placed(orders, self.now_ms(), str(problem))

    async def _ask(self, question: Ask) -> Sequence[Event]:
        """Ask what is not being asked already."""
        answers: list[Event] = []
        for client_id in question.client_ids:
            with suppress(VenueError):
                async with self._asked.about(client_id) as is_free:
                    if is_free:
                        answers.append(await self.venue.order_of(client_id))
        if question.fills_from_ms is not None:
            await self._ask_fills(question.fills_from_ms)
        return answers

    async def _ask_fills(self, from_ms: int) -> None:
        """Ask for the fills of all plans that want some, at once: the one that waits asks for those that come after."""
        self._fills_from_ms = from_ms if self._fills_from_ms is None else min(from_ms, self._fills_from_ms)
        with suppress(VenueError):
            async with self._asked.about("fills") as is_free:
                if is_free and (since := self._fills_from_ms) is not None:
                    self._fills_from_ms = None
                    for fill in await self.venue.fills_since(since):
                        self.tell(fill)
