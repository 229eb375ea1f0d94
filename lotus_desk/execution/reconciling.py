"""Comparing with the venue on a timer: what it holds beside what the plans believe, and doing what follows.

What a difference means is `lotus.trading.accounts.reconcile`'s. Venue and plans are asked one after the other while
orders fill, so positions are compared only in coins that stood still meanwhile, at the venue and here. One is closed,
or taken off the plans, only when the same difference is seen twice; all else is harmless to do at once. (Literature:
reconciliation, level-triggered repair, double collect (a snapshot without stopping what is looked at).)
"""

import logging
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Protocol

from lotus.errors import VenueError
from lotus.hashing import natural_id
from lotus.manifest import Asset
from lotus.trading.accounts.reconcile import Action, Difference, Discrepancy, Own, VenueReport, findings
from lotus.trading.execution.events import Event, ForeignFill, OpenOrdersSeen
from lotus.trading.execution.handing_over import handed_over, written_off
from lotus.trading.execution.order_machine import ZERO, TrackedOrder, possible_ids
from lotus.trading.execution.orders import AccountSnapshot, NewOrder, Side, TimeInForce, VenueFill
from lotus.trading.execution.rounding import round_px
from lotus.trading.execution.state import ExecutionState
from lotus.trading.venue import Venue

logger = logging.getLogger(__name__)

OVERLAP_MS = 60_000  # fills are asked for again that far back: a venue's clock is not ours
UNCLEAR = frozenset(
    {Difference.FILL_MISSING, Difference.FOREIGN_FILL, Difference.POSITION_UNTRACKED, Difference.POSITION_GONE}
)
CLOSE_SLIPPAGE = Decimal("0.05")


class Plans(Protocol):
    """What the desk lends: the plans at a venue, and where news of them go."""

    def states_of(self, venue: Venue) -> Sequence[ExecutionState]:
        """Return the states of all plans at a venue, finished ones that are still remembered too."""
        ...

    def post(self, plan_id: str, event: Event) -> None:
        """Give an event to a plan."""
        ...

    async def ours(self, client_ids: Sequence[str]) -> frozenset[str]:
        """Return which orders are of plans that are not remembered any more."""
        ...

    async def note(self, venue: str, orders: Sequence[NewOrder], fills: Sequence[VenueFill]) -> None:
        """Write down orders of no plan at a venue before they are sent, and fills of orders of forgotten plans."""
        ...

    def tell(self, event: VenueFill) -> None:
        """Give a fill to the plan whose order it is of."""
        ...


@dataclass(slots=True)
class Reconciler:
    """Compares one venue; `differences` counts what was found, by kind."""

    venue: Venue
    plans: Plans
    now_ms: Callable[[], int]
    differences: dict[Difference, int] = field(default_factory=dict)
    _since_ms: int = -1
    _doubted: frozenset[tuple[Difference, str, Decimal]] = frozenset()

    async def compare(self) -> tuple[Discrepancy, ...]:
        """Ask the venue, compare, and do what follows; return the differences. Raises `VenueError`."""
        taken_ms = self.now_ms()
        orders = tuple(await self.venue.open_orders())
        held = own_of(self.plans.states_of(self.venue)).positions
        positions = _sizes(await self.venue.account())
        since_ms = taken_ms if self._since_ms < 0 else self._since_ms
        fills = tuple(await self.venue.fills_since(max(0, since_ms - OVERLAP_MS)))
        own_ids = own_of(self.plans.states_of(self.venue)).orders.keys()
        over = await self._over(fills, own_ids)
        account = await self.venue.account()
        states = self.plans.states_of(self.venue)
        own = own_of(states)
        gone = {fill.client_id for fill in over} | (
            own_ids - own.orders.keys()
        )  # of plans forgotten while it was looked
        fills = tuple(fill for fill in fills if fill.client_id not in gone)
        moving = _changed(positions, _sizes(account)) | _changed(held, own.positions)
        differences = findings(
            own, VenueReport(orders, account.positions, taken_ms, fills, fills_complete=True, moving=moving)
        )
        for state in states:
            if not state.done:
                self.plans.post(state.plan.plan_id, OpenOrdersSeen(orders, taken_ms))
        for finding in differences:
            self.differences[finding.difference] = self.differences.get(finding.difference, 0) + 1
            await self._follow(finding, fills, over, states)
        self._settle(states, moving | {finding.coin for finding in differences if finding.difference in UNCLEAR})
        doubted_still = {doubt for doubt in self._doubted if doubt[1] in moving}
        self._doubted = frozenset(_doubt(finding) for finding in differences) | doubted_still
        self._since_ms = taken_ms
        return differences

    async def _over(self, fills: Sequence[VenueFill], own_ids: Collection[str]) -> list[VenueFill]:
        """Return the fills of forgotten plans and of orders of no plan; they are noted."""
        strange = sorted({fill.client_id for fill in fills}.difference(own_ids))
        names = await self.plans.ours(strange) if strange else frozenset()
        over = [fill for fill in fills if fill.client_id in names]
        if over:
            await self.plans.note(self.venue.name, (), over)
        return over

    async def _follow(
        self,
        finding: Discrepancy,
        fills: Sequence[VenueFill],
        over: Sequence[VenueFill],
        states: Sequence[ExecutionState],
    ) -> None:
        match finding.action:
            case Action.TAKE_FILL:
                for fill in fills:
                    if fill.client_id == finding.client_id:
                        self.plans.tell(fill)
            case Action.GIVE_TO_PLAN:
                self._give(finding, fills, states)
            case Action.CANCEL:
                self._tell(finding, "cancelled")
                with suppress(VenueError):
                    await self.venue.cancel(finding.coin, [finding.client_id])
            case Action.CLOSE if _doubt(finding) in self._doubted:
                self._tell(finding, "closed")
                await self._close(finding)
            case Action.MARK_REDUCED if _doubt(finding) in self._doubted:
                await self._write_off(finding, over, states)
            case _:
                return

    def _give(self, finding: Discrepancy, fills: Sequence[VenueFill], states: Sequence[ExecutionState]) -> None:
        """Give fills of unknown orders to the plan that sent them and has forgotten it, or else to one that holds."""
        its_fills = [fill for fill in fills if fill.coin == finding.coin and fill.client_id == finding.client_id]
        sender = next((s for s in states if finding.client_id in possible_ids(s.plan.plan_id)), None)
        if sender is not None:
            for fill in its_fills:
                self.plans.post(sender.plan.plan_id, fill)
            return
        holder = next((s for s in states if s.plan.coin == finding.coin and s.held), None)
        for fill in its_fills if holder is not None else ():
            if holder is not None and fill.fill_id not in holder.foreign:
                self.plans.post(holder.plan.plan_id, ForeignFill(fill))

    async def _write_off(
        self, finding: Discrepancy, over: Sequence[VenueFill], states: Sequence[ExecutionState]
    ) -> None:
        """Take a position that is gone off the plans, priced by a fill of no plan that way, or the best now."""
        side = Side.BUY if finding.size > 0 else Side.SELL
        px = next((f.px for f in reversed(over) if (f.coin, f.side) == (finding.coin, side)), None)
        if px is None:
            best = await self.venue.best_prices(finding.coin)
            px = best[side is Side.BUY] if best is not None else None
        if px is None:
            return
        self._tell(finding, f"written off at {px}")
        for plan_id, fill in written_off(states, finding.coin, finding.size, px, self.now_ms()):
            self.plans.post(plan_id, ForeignFill(fill))

    def _settle(self, states: Sequence[ExecutionState], unclear: frozenset[str]) -> None:
        """Hand fills over between plans that took from each other, in coins that agree with the venue."""
        for plan_id, fill in handed_over([s for s in states if not s.done and s.plan.coin not in unclear]):
            self.plans.post(plan_id, ForeignFill(fill))
            text = "%s %s handed over: %s at %s is of plan %s"
            ids = {"plan_id": plan_id}
            logger.warning(text, fill.size, fill.coin, fill.side.name, fill.px, plan_id, extra=ids)

    async def _close(self, finding: Discrepancy) -> None:
        """Send a reduce-only order for a position that no plan has."""
        asset = next((a for a in self.venue.universe if a.name == finding.coin), None)
        best = await self.venue.best_prices(finding.coin)
        if asset is None or best is None:
            return
        order = closing_order(asset, finding.size, best, f"{self.venue.name} {self.now_ms()}")
        await self.plans.note(self.venue.name, [order], ())
        await self.venue.place([order])

    def _tell(self, finding: Discrepancy, done: str) -> None:
        what = f"{finding.difference} {finding.coin} {finding.client_id}".strip()
        logger.warning("%s: found %s; expected %s; %s", what, finding.found, finding.expected, done)


def own_of(states: Iterable[ExecutionState]) -> Own:
    """Return what plans believe together."""
    orders: dict[str, TrackedOrder] = {}
    positions: dict[str, Decimal] = {}
    plans: list[str] = []
    for state in states:
        orders |= dict(state.orders)
        signed = state.held * int(state.plan.side)
        positions[state.plan.coin] = positions.get(state.plan.coin, Decimal(0)) + signed
        plans.append(str(state.plan.plan_id))
    return Own(orders, positions, plans)


def closing_order(asset: Asset, size: Decimal, best: tuple[Decimal, Decimal], occasion: str) -> NewOrder:
    """Return the reduce-only order that takes a signed `size` off at once, at most 5 % beyond the best price."""
    side = Side.SELL if size > 0 else Side.BUY
    px = best[0] if side is Side.SELL else best[1]
    limit = round_px(asset, px * (1 + int(side) * CLOSE_SLIPPAGE))
    name = "0x" + natural_id("untracked", asset.name, occasion)
    return NewOrder(
        client_id=name,
        coin=asset.name,
        side=side,
        size=abs(size),
        limit_px=limit,
        tif=TimeInForce.IOC,
        reduce_only=True,
    )


def _sizes(account: AccountSnapshot) -> dict[str, Decimal]:
    return {position.coin: position.size for position in account.positions}


def _changed(before: Mapping[str, Decimal], after: Mapping[str, Decimal]) -> frozenset[str]:
    """Return the coins whose sizes differ; what is not named is nothing."""
    return frozenset(c for c in before.keys() | after.keys() if before.get(c, ZERO) != after.get(c, ZERO))


def _doubt(finding: Discrepancy) -> tuple[Difference, str, Decimal]:
    return finding.difference, finding.coin, finding.size
