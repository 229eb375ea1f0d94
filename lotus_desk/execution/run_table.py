"""The plans that a desk remembers, the owner of each order, and sums over both."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from lotus.trading.execution.orders import OrderUpdate, VenueFill
from lotus.trading.execution.state import ExecutionState
from lotus.trading.plan.plan import PlanKind
from lotus.trading.venue import Venue
from lotus_desk.execution.plan_run import PlanRun

LINGER_MS = 60_000  # a finished plan is remembered so long for fills that come late
Sizes = dict[str, dict[str, Decimal]]  # signed sizes by account and coin


@dataclass(slots=True)
class RunTable:
    """Plans under way and plans finished lately, by plan_id."""

    runs: dict[str, PlanRun] = field(default_factory=dict)
    _owners: dict[str, str] = field(default_factory=dict)  # plan_id by client_id

    def add(self, run: PlanRun) -> None:
        """Remember a plan and its orders."""
        self.runs[run.row.plan_id] = run
        self.own(run)

    def own(self, run: PlanRun) -> None:
        """Note the orders of a plan as its own."""
        self._owners |= dict.fromkeys(run.state.orders, run.row.plan_id)

    def owner_of(self, event: OrderUpdate | VenueFill) -> str | None:
        """Return the plan that an event is news for: None for an order of no plan, and for a fill that the plan has."""
        owner = self._owners.get(event.client_id)
        if owner is None:
            return None
        fills = self.runs[owner].state.orders[event.client_id].fills
        return None if isinstance(event, VenueFill) and fills.get(event.fill_id) == event else owner

    def retire(self, now_ms: int) -> list[str]:
        """Forget the plans that finished long enough ago; return their names."""
        over = [run for run in self.runs.values() if run.done_ms is not None and now_ms - run.done_ms > LINGER_MS]
        for run in over:
            del self.runs[run.row.plan_id]
            for client_id in run.state.orders:
                self._owners.pop(client_id, None)
        return [run.row.plan_id for run in over]

    def changed(self) -> list[PlanRun]:
        """Return the plans that changed since they were written down."""
        return [run for run in self.runs.values() if run.is_changed]

    def commanding(self) -> list[PlanRun]:
        """Return the plans whose commands wait."""
        return [run for run in self.runs.values() if run.commands]

    def states_of(self, venue: Venue) -> list[ExecutionState]:
        """Return the states of all plans at a venue."""
        return [run.state for run in self.runs.values() if run.venue is venue]

    def first_sent_ms(self) -> int | None:
        """Return when the oldest order was sent, None without an order."""
        return min((o.sent_ms for run in self.runs.values() for o in run.state.orders.values()), default=None)

    def used_usd(self, accounts: Iterable[str]) -> dict[str, Decimal]:
        """Return the value of all plans of each account at their arrival."""
        used = dict.fromkeys(accounts, Decimal(0))
        for run in self.runs.values():
            used[run.account] += run.state.plan.size * (run.state.arrival_px or Decimal(0))
        return used

    def held(self) -> Sizes:
        """Return what all plans hold by their own fills, where they hold anything."""
        return _sums((run, run.state.held) for run in self.runs.values())

    def book_sizes(self) -> tuple[Sizes, Sizes]:
        """Return what plans of the book hold by their own fills, and what they will hold."""
        runs = [run for run in self.runs.values() if run.row.kind == PlanKind.BOOK]
        return _sums((run, run.state.held) for run in runs), _sums((run, run.state.will_hold) for run in runs)


def unwritten_fills(
    runs: Mapping[str, PlanRun], events: Iterable[tuple[str, object]]
) -> dict[str, Sequence[VenueFill]]:
    """Return by venue every fill once that is not written down: among events that no plan took yet, and of plans."""
    fills: dict[str, dict[str, VenueFill]] = {}
    for plan_id, event in events:
        if isinstance(event, VenueFill) and plan_id in runs:
            fills.setdefault(runs[plan_id].row.venue, {})[event.fill_id] = event
    for run in runs.values():
        for fill in run.delta().fills:
            fills.setdefault(run.row.venue, {})[fill.fill_id] = fill
    return {venue: list(found.values()) for venue, found in fills.items()}


def _sums(sizes: Iterable[tuple[PlanRun, Decimal]]) -> Sizes:
    """Return the signed sums of plans' sizes; what is nothing is left out."""
    sums: Sizes = {}
    for run, size in sizes:
        if size:
            of_account = sums.setdefault(run.account, {})
            of_account[run.row.coin] = of_account.get(run.row.coin, Decimal(0)) + int(run.state.plan.side) * size
    return sums
