"""Every published window becomes a paper probe: market messages to the paper venue, its fills and states to rows.

The desk is driven by the pipeline's steps alone, so a rebuild from tape repeats every order and fill under the same
names. It opens nothing; `take` hands over the rows made since the last call.

A message that meets no waiting order only changes the book: it is put to the venue when somebody looks, and not at all
when a whole book has come since. (Literature: lazy evaluation.)
"""

from dataclasses import dataclass, field

import numpy as np

from lotus.detectors.scoring.scored import Scored
from lotus.detectors.scoring.signal_spec import K_ASSET, K_DETECTOR, K_PUBLISHED, K_RECV, O_S
from lotus.hashing import key64
from lotus.manifest import Asset, Manifest
from lotus.microtape.events import NULL, Ctx, EventKind
from lotus.timebase import NS_PER_MS
from lotus.trading.execution.orders import Side
from lotus_live.pipeline.lines import Step
from lotus_store.ledger.signals.live_log import FillRow, LogEntry, OrderRow
from lotus_venues.ladder import Ladder, book_levels
from lotus_venues.orders import Fill, OrderReport
from lotus_venues.paper import NOTHING, PaperVenue, SubmissionResult
from lotus_venues.probes import Probe, ProbeDesk

_BBO, _BOOK, _CTX = int(EventKind.BBO), int(EventKind.BOOK), int(EventKind.CTX)
_SHOWN = frozenset({_BBO, _BOOK, _CTX, int(EventKind.FAST)})  # kinds that the paper venue looks at
_MOST_UNSEEN = 256  # messages of an asset

Message = tuple[int, int, int, bytes]  # receive stamp, number, kind, payload


@dataclass(slots=True)
class PaperTotals:
    """Sums over closed probes; money in millionths of a dollar, before fees (and funding) at the prices filled."""

    probes: int = 0
    unfilled: int = 0
    wins: int = 0
    before_fees_micro: int = 0
    fees_micro: int = 0
    funding_micro: int = 0
    payoff_bps: float = 0.0

    def add(self, probe: Probe) -> None:
        """Count one closed probe."""
        self.probes += 1
        self.unfilled += probe.lots == 0
        self.wins += probe.net_micro > 0
        self.before_fees_micro += probe.net_micro + probe.fees_micro + probe.funding_micro
        self.fees_micro += probe.fees_micro
        self.funding_micro += probe.funding_micro
        self.payoff_bps += probe.payoff_bps

    def as_json(self) -> dict[str, float | int]:
        """Return the totals in dollars, and the mean payoff in bps."""
        net = self.before_fees_micro - self.fees_micro - self.funding_micro
        return {
            "probes": self.probes,
            "unfilled": self.unfilled,
            "wins": self.wins,
            "before_fees_usd": self.before_fees_micro / 1e6,
            "fees_usd": self.fees_micro / 1e6,
            "funding_usd": self.funding_micro / 1e6,
            "net_usd": net / 1e6,
            "mean_payoff_bps": self.payoff_bps / self.probes if self.probes else 0.0,
        }


@dataclass(slots=True)
class DeskRows:
    """Rows for the ledger, orders before their fills."""

    orders: dict[str, OrderRow] = field(default_factory=dict)
    fills: list[FillRow] = field(default_factory=list)
    log: list[LogEntry] = field(default_factory=list)


class ProbeTrader:
    """The probes of one daemon: a measurement of every published window, which no switch halts."""

    def __init__(self, manifest: Manifest, universe: tuple[Asset, ...]) -> None:
        """Start flat."""
        outcomes = manifest.outcomes
        self.venue = PaperVenue(universe, outcomes.taker_fee_bps)
        self.probes = ProbeDesk(self.venue, outcomes.probe_notional_usd, outcomes.latency_ms)
        self.totals = PaperTotals()
        self._rows = DeskRows()
        self._next_ns = 0  # before it the probes have nothing to do
        self._unseen: list[list[Message]] = [[] for _ in universe]  # of assets without a waiting order

    def step(self, recv_ns: int, seq: int, step: Step) -> None:
        """Show a line to the venue, then send the entries of the windows it published."""
        kind = step.kind
        if kind:
            if recv_ns >= self._next_ns:
                for asset in range(len(self._unseen)):
                    self.show(asset)
                self._note(self.probes.advance(recv_ns))
                self._next_ns = self.probes.next_ns
            outcome = self._market(recv_ns, seq, kind, step) if kind in _SHOWN else NOTHING
            if outcome is not NOTHING:
                self._note(outcome)
                self._note(self.probes.settle(outcome))
        for scored in step.scored:
            if scored.published:
                self._publish(scored)
                self._next_ns = self.probes.next_ns
        for probe in self.probes.take_closed() if self.probes.closed else ():
            self.totals.add(probe)
            self._rows.log.append(self._probe_entry(probe))

    def take(self) -> DeskRows:
        """Return the rows made since the last call."""
        rows, self._rows = self._rows, DeskRows()
        return rows

    @property
    def open_probes(self) -> int:
        """Number of probes not closed yet."""
        return len(self.probes.open)

    def book(self, asset: int) -> Ladder:
        """Return the book of an asset as the last message left it."""
        self.show(asset)
        return self.venue.ladders[asset]

    def show(self, asset: int) -> SubmissionResult:
        """Put to the venue what it has not seen of an asset; return what the last message did."""
        outcome = NOTHING
        for recv_ns, seq, kind, payload in self._unseen[asset]:
            values = np.frombuffer(payload, np.int64).tolist()
            if kind == _BBO:
                bid_px, bid_sz, _, ask_px, ask_sz, _ = values
                bid, ask = ((bid_px, bid_sz) if bid_px else None), ((ask_px, ask_sz) if ask_px else None)
                outcome = self.venue.on_bbo(asset, recv_ns, seq, bid, ask)
            else:
                outcome = self.venue.on_book(asset, recv_ns, seq, *book_levels(values), kind == _BOOK)
        self._unseen[asset].clear()
        return outcome

    def _market(self, recv_ns: int, seq: int, kind: int, step: Step) -> SubmissionResult:
        asset = step.asset
        if kind == _CTX:
            values = step.payload.tolist()
            funding, oracle = values[Ctx.FUNDING], values[Ctx.ORACLE_PX]
            if NULL not in (funding, oracle):
                self.probes.on_context(asset, funding, oracle)
            return NOTHING
        unseen = self._unseen[asset]
        if kind == _BOOK:
            unseen.clear()  # nothing of the book before stays
        unseen.append((recv_ns, seq, kind, step.payload.tobytes()))
        return self.show(asset) if len(unseen) >= _MOST_UNSEEN or self.venue.is_awaited(asset) else NOTHING

    def _publish(self, scored: Scored) -> None:
        ints = scored.ints[scored.ints[:, K_PUBLISHED] == 1]
        signs = scored.floats[scored.ints[:, K_PUBLISHED] == 1, O_S].tolist()
        for event_id, row, s in zip(scored.names.ids.of(ints), ints.tolist(), signs, strict=True):
            self.show(row[K_ASSET])
            side, detector = Side.BUY if s > 0 else Side.SELL, scored.names.detectors[row[K_DETECTOR]]
            self._note(self.probes.publish(event_id, row[K_ASSET], side, row[K_RECV], detector.horizon_s))

    def _note(self, outcome: SubmissionResult) -> None:
        for report in outcome.reports:
            self._rows.orders[report.order.client_id] = self._order_row(report)
        self._rows.fills += [self._fill_row(fill) for fill in outcome.fills]

    def _order_row(self, report: OrderReport) -> OrderRow:
        order = report.order
        body = {
            "purpose": order.purpose,
            "side": int(order.side),
            "size": str(order.size),
            "changed_ns": report.recv_ns,
            "active_ns": order.active_ns,
            "filled_lots": report.filled_lots,
            "reason": report.reason,
        }
        name = self.venue.universe[order.asset].name
        return OrderRow(
            order_id=order.client_id,
            event_id=order.event_id,
            asset=name,
            time_ms=order.placed_ns // NS_PER_MS,
            state=report.status.value,
            body=body,
        )

    def _fill_row(self, fill: Fill) -> FillRow:
        asset = self.venue.universe[fill.asset]
        body = {
            "side": int(fill.side),
            "px": fill.px,
            "lots": fill.lots,
            "notional_usd": fill.notional_micro / 1e6,
            "fee_usd": fill.fee_micro / 1e6,
            "recv_ns": fill.recv_ns,
            "seq": fill.seq,
        }
        return FillRow(f"{fill.client_id}-{fill.index}", fill.client_id, asset.name, fill.recv_ns // NS_PER_MS, body)

    def _probe_entry(self, probe: Probe) -> LogEntry:
        body = {
            "event_id": probe.event_id,
            "asset": self.venue.universe[probe.asset].name,
            "side": int(probe.side),
            "lots": probe.lots,
            "payoff_bps": probe.payoff_bps,
            "net_usd": probe.net_micro / 1e6,
            "fees_usd": probe.fees_micro / 1e6,
            "funding_usd": probe.funding_micro / 1e6,
        }
        return LogEntry(entry_number("probe", probe.event_id), probe.closed_ns // NS_PER_MS, "probe", body)


def entry_number(kind: str, key: str | int) -> int:
    """Return the running number of a log entry that is named by what it says, so that repeating it is harmless."""
    return key64("live_log", kind, key) >> 1
