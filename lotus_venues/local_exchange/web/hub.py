"""From engine events to the messages of each connection: who gets what, on which channel, and first snapshots.

No I/O: it queues messages at sessions. Market frames are passed on as the tape holds them.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from lotus_venues.local_exchange.engine.exchange import Engine
from lotus_venues.local_exchange.engine.values import (
    Event,
    ExchangeFill,
    Funding,
    Liquidation,
    OrderChanged,
    VenueCancel,
)
from lotus_venues.local_exchange.faults import BOOK_KINDS, Faults
from lotus_venues.local_exchange.requests.info import Info
from lotus_venues.local_exchange.requests.wire_out import Json, WireEncoder
from lotus_venues.local_exchange.tape import Route, Tape
from lotus_venues.local_exchange.web.session import ClientConnection, frame

SNAPSHOT_FILLS = 2_000
MIDS_EVERY_MS = 1_000


class Hub:
    """The open connections and what they get."""

    def __init__(self, engine: Engine, encoder: WireEncoder, tape: Tape, faults: Faults, info: Info) -> None:
        """Bind the engine; `repeats_trades` sends the last 30 prints to who subscribes, as the venue does."""
        self.engine, self.encoder, self.tape, self.faults, self.info = engine, encoder, tape, faults, info
        self.sessions: set[ClientConnection] = set()
        self.repeats_trades = True
        self._withheld: dict[str, int] = {}
        self._mids_ms = 0

    def market(self, target: Route, raw: bytes) -> None:
        """Pass a market frame on to who subscribed to it."""
        channel, coin, _ = target
        if channel in ("l2Book", "bbo") and (self.faults.active or self._withheld) and self._is_withheld(coin):
            return
        for session in self.sessions:
            if session.routes and target in session.routes:
                session.send(raw)

    def _is_withheld(self, coin: str) -> bool:
        left = self._withheld.get(coin, 0)
        if left:
            self._withheld[coin] = left - 1
            return True
        fault = self.faults.draw(BOOK_KINDS, coin)
        if fault is not None:
            self._withheld[coin] = fault.length - 1
        return fault is not None

    def mids(self) -> None:
        """Tell `allMids` about once a second of the exchange's clock."""
        now = self.engine.state.now_ms
        if now - self._mids_ms < MIDS_EVERY_MS:
            return
        self._mids_ms = now
        for session in self.sessions:
            if ("allMids", "", False) in session.routes:
                session.send_frame("allMids", {"mids": self.info.mids()})

    def user(self, events: Sequence[Event]) -> None:
        """Tell every account's events to who follows it, in their order."""
        owners = {event.owner: None for event in events}
        for owner in owners:
            own_events = [event for event in events if event.owner == owner]
            for session in self.sessions:
                for kind, users in session.users.items():
                    if owner in users:
                        for data in self._messages(kind, owner, own_events):
                            session.send_user(kind, data)

    def _messages(self, kind: str, owner: str, events: Sequence[Event]) -> Iterable[Any]:
        fills = [self.encoder.fill(e) for e in events if isinstance(e, ExchangeFill)]
        fundings = [self.encoder.funding(e) for e in events if isinstance(e, Funding)]
        match kind:
            case "orderUpdates":
                updates = [self.encoder.update(e) for e in events if isinstance(e, OrderChanged)]
                return [updates] if updates else []
            case "userFills":
                return [{"user": owner, "fills": fills}] if fills else []
            case "userFundings":
                return [{"user": owner, "fundings": fundings}] if fundings else []
            case "userEvents":
                return self._user_events(fills, fundings, events)
            case _:
                return []

    def _user_events(self, fills: list[Json], fundings: list[Json], events: Sequence[Event]) -> list[Json]:
        messages: list[Json] = [{"fills": fills}] if fills else []
        messages += [{"funding": row} for row in fundings]
        messages += [{"liquidation": self.encoder.liquidation(e)} for e in events if isinstance(e, Liquidation)]
        ended = [{"coin": self.encoder.name(e.asset), "oid": e.oid} for e in events if isinstance(e, VenueCancel)]
        return messages + ([{"nonUserCancel": ended}] if ended else [])

    def greet(self, session: ClientConnection, subscription: Json) -> None:
        """Send what a new subscription gets first: the last frame, the last prints, or an account's snapshot."""
        kind, user = subscription["type"], str(subscription.get("user", "")).lower()
        account = self.engine.account(user)
        if kind == "userFills":
            fills = list(account.fills)[-SNAPSHOT_FILLS:] if account else []
            rows = [self.encoder.fill(f) for f in reversed(fills)]
            session.send_frame(kind, {"isSnapshot": True, "user": user, "fills": rows})
        elif kind in ("userFundings", "userNonFundingLedgerUpdates"):
            key = "fundings" if kind == "userFundings" else "nonFundingLedgerUpdates"
            rows = [self.encoder.funding(f) for f in account.fundings] if account and kind == "userFundings" else []
            session.send_frame(kind, {"isSnapshot": True, "user": user, key: rows})
        elif kind == "trades":
            recent = self._recent(subscription["coin"])
            if recent and self.repeats_trades:
                session.send_frame(kind, recent)
        elif kind == "allMids":
            session.send_frame(kind, {"mids": self.info.mids()})
        else:
            route = (kind, subscription.get("coin", ""), bool(subscription.get("fast", False)))
            if (raw := self.tape.last.get(route)) is not None:
                session.send(raw)

    def _recent(self, coin: str) -> list[Any]:
        trades = (m.trades for m in self.engine.state.markets if m.listing.asset.name == coin)
        return list(next(trades, ()))


def error_frame(text: str) -> str:
    """Return the venue's error message."""
    return frame("error", text)
