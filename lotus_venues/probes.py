"""Probes: every published window is its own small position, entered after the latency and closed after the horizon.

Never netted with another probe, never dependent on one (docs/concepts/windows.md). A probe that was
refused or not filled earned exactly 0. Funding is paid at every full hour that a probe is open. Pure: no I/O.
"""

import heapq
from dataclasses import dataclass, field
from decimal import Decimal

from lotus.timebase import HOUR_MS
from lotus.trading.execution.orders import Side, client_order_id
from lotus_venues.orders import Fill, Order, OrderReport, OrderStatus
from lotus_venues.paper import PaperVenue, SubmissionResult, order_size

MATCHED = frozenset({OrderStatus.FILLED, OrderStatus.PARTIALLY_FILLED, OrderStatus.CANCELED})
_HOUR_NS = HOUR_MS * 1_000_000


@dataclass(slots=True)
class Probe:
    """One probe; money in millionths of a dollar. `planned_micro` is the notional at the mid of its submission."""

    event_id: str
    asset: int
    side: Side
    exit_ns: int
    planned_micro: int
    lots: int = 0
    entry_micro: int = 0
    exit_lots: int = 0
    exit_micro: int = 0
    exit_orders: int = 0
    fees_micro: int = 0
    funding_micro: int = 0
    closed_ns: int = 0

    @property
    def net_micro(self) -> int:
        """Result after fees and funding."""
        return self.side * (self.exit_micro - self.entry_micro) - self.fees_micro - self.funding_micro

    @property
    def payoff_bps(self) -> float:
        """Result in bps of the planned notional; 0 for a probe that was never filled."""
        return 1e4 * self.net_micro / self.planned_micro if self.planned_micro else 0.0

    def book(self, fill: Fill) -> None:
        """Add one fill of the entry or the exit."""
        self.fees_micro += fill.fee_micro
        if fill.side is self.side:
            self.lots += fill.lots
            self.entry_micro += fill.notional_micro
        else:
            self.exit_lots += fill.lots
            self.exit_micro += fill.notional_micro


@dataclass(slots=True)
class ProbeDesk:
    """Opens, funds and closes probes on a paper venue; `closed` collects finished ones until the caller takes them."""

    venue: PaperVenue
    notional_usd: float
    latency_ms: int
    open: dict[str, Probe] = field(default_factory=dict)
    closed: list[Probe] = field(default_factory=list)
    _exits: list[tuple[int, str]] = field(default_factory=list)
    _funding: dict[int, tuple[int, int]] = field(default_factory=dict)
    _hour: int = -1

    def publish(self, event_id: str, asset: int, side: Side, close_recv_ns: int, horizon_s: int) -> SubmissionResult:
        """Send the entry of a published window; its exit is due `horizon_s` after the closing message."""
        if event_id in self.open:
            return SubmissionResult()
        ladder = self.venue.ladders[asset]
        mid2 = ladder.mid2 if ladder.is_two_sided else 0
        size = order_size(self.venue.universe[asset], self.notional_usd, mid2) if mid2 else Decimal(1)
        planned = self._lots(asset, size) * mid2 // 2
        probe = Probe(event_id, asset, side, close_recv_ns + horizon_s * 1_000_000_000, planned)
        report = self.venue.submit(self._order(probe, "entry", side, size, close_recv_ns))
        if report.status is OrderStatus.ACCEPTED:
            self.open[event_id] = probe
            heapq.heappush(self._exits, (probe.exit_ns, event_id))
        else:
            self._finish(probe, close_recv_ns)
        return SubmissionResult((report,))

    @property
    def next_ns(self) -> int:
        """Receive stamp before which `advance` has nothing to do."""
        hour_ns = (self._hour + 1) * _HOUR_NS
        return min(hour_ns, self._exits[0][0]) if self._exits else hour_ns

    def advance(self, recv_ns: int) -> SubmissionResult:
        """Pay funding for a full hour passed and send the exits that are due.

        Call it before each market message received at `next_ns` or later.
        """
        self._pay_funding(recv_ns)
        reports: list[OrderReport] = []
        while self._exits and self._exits[0][0] <= recv_ns:
            due_ns, event_id = heapq.heappop(self._exits)
            probe = self.open[event_id]
            if probe.lots:
                reports.append(self._send_exit(probe, due_ns))
            else:
                self._finish(probe, recv_ns)
        for report in reports:
            if report.status is OrderStatus.REJECTED:
                heapq.heappush(self._exits, (recv_ns + 1, report.order.event_id))
        return SubmissionResult(tuple(reports))

    def settle(self, outcome: SubmissionResult) -> SubmissionResult:
        """Book what a market message did; returns the further exit orders of probes not yet wholly closed."""
        for fill in outcome.fills:
            probe = self.open.get(fill.event_id)
            if probe is not None:
                probe.book(fill)
        more: list[OrderReport] = []
        for report in outcome.reports:
            probe = self.open.get(report.order.event_id)
            if probe is None or report.order.purpose != "exit" or report.status not in MATCHED:
                continue
            if probe.exit_lots == probe.lots:
                self._finish(probe, report.recv_ns)
            else:
                more.append(self._send_exit(probe, report.recv_ns))
        return SubmissionResult(tuple(more))

    def on_context(self, asset: int, funding_e12: int, oracle_px: int) -> None:
        """Remember the hourly funding rate (times 1e12) and the oracle price (price units) of an asset."""
        self._funding[asset] = funding_e12, oracle_px

    def take_closed(self) -> list[Probe]:
        """Return the probes finished since the last call."""
        closed, self.closed = self.closed, []
        return closed

    def _send_exit(self, probe: Probe, placed_ns: int) -> OrderReport:
        asset = self.venue.universe[probe.asset]
        size = Decimal(probe.lots - probe.exit_lots).scaleb(-asset.sz_decimals)
        order = self._order(probe, "exit", probe.side.opposite, size, placed_ns)
        probe.exit_orders += 1
        return self.venue.submit(order)

    def _order(self, probe: Probe, purpose: str, side: Side, size: Decimal, placed_ns: int) -> Order:
        slice_index = probe.exit_orders if purpose == "exit" else 0
        client_id = client_order_id(probe.event_id, purpose, slice_index)
        active_ns = placed_ns + self.latency_ms * 1_000_000
        return Order(
            client_id=client_id,
            event_id=probe.event_id,
            purpose=purpose,
            asset=probe.asset,
            side=side,
            size=size,
            limit_px=None,
            placed_ns=placed_ns,
            active_ns=active_ns,
        )

    def _finish(self, probe: Probe, recv_ns: int) -> None:
        probe.closed_ns = recv_ns
        self.open.pop(probe.event_id, None)
        self.venue.forget([client_order_id(probe.event_id, "entry")])
        self.venue.forget([client_order_id(probe.event_id, "exit", i) for i in range(probe.exit_orders)])
        self.closed.append(probe)

    def _pay_funding(self, recv_ns: int) -> None:
        hour = recv_ns // _HOUR_NS
        if self._hour >= 0 and hour > self._hour:
            for probe in self.open.values():
                rate_e12, oracle_px = self._funding.get(probe.asset, (0, 0))
                held = probe.side * (probe.lots - probe.exit_lots)
                probe.funding_micro += held * oracle_px * rate_e12 // 10**12
        self._hour = hour

    def _lots(self, asset: int, size: Decimal) -> int:
        return int(size.scaleb(self.venue.universe[asset].sz_decimals))
