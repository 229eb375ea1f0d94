"""The engine: what clients and the tape ask of the exchange, one synchronous call each, and the events that follow.

Pure: no I/O, no clock (the time comes from `advance`), no randomness. The same calls give the same events. The server
is a thin shell around it; signatures, limits and faults are the shell's.
"""

from collections.abc import Sequence

from lotus.trading.execution.orders import OrderGrouping, Side
from lotus_venues.local_exchange.engine.accounts import DAY_MS, Account
from lotus_venues.local_exchange.engine.book import Level
from lotus_venues.local_exchange.engine.exits import after_fills, fire_due
from lotus_venues.local_exchange.engine.liquidation import HOUR_MS, liquidate_due, pay_funding
from lotus_venues.local_exchange.engine.market import Listing, MarketState
from lotus_venues.local_exchange.engine.matching import print_trade, uncross
from lotus_venues.local_exchange.engine.placing import place, place_group, read, refusal
from lotus_venues.local_exchange.engine.state import ExchangeState
from lotus_venues.local_exchange.engine.values import (
    EngineOrderStatus,
    Event,
    ExchangeOrder,
    ExitRules,
    OrderRequest,
    OrderResult,
)
from lotus_venues.local_exchange.requests import error_messages

MIN_SCHEDULE_MS = 5_000
SCHEDULES_A_DAY = 10


class Engine:
    """Markets and accounts of one exchange. Prices in units, sizes in lots, money in millionths of a dollar."""

    def __init__(
        self, listings: Sequence[Listing], *, schedule_volume_usd: int = 1_000_000, exit_rules: ExitRules | None = None
    ) -> None:
        """Open empty markets; `schedule_volume_usd` is the volume that unlocks `scheduleCancel`."""
        self.state = ExchangeState([MarketState(listing) for listing in listings], exit_rules or ExitRules())
        self.schedule_volume_usd = schedule_volume_usd

    def account(self, address: str) -> Account | None:
        """Return an account by its address (lower case); None when it never deposited."""
        return self.state.accounts.get(address)

    def deposit(self, address: str, micro: int) -> Account:
        """Credit an address with money from outside."""
        account = self.state.accounts.setdefault(address, Account(address))
        account.raw_micro += micro
        account.deposits_micro += micro
        return account

    def drain(self) -> list[Event]:
        """Return the events since the last call, in order."""
        events, self.state.events = self.state.events, []
        return events

    def advance(self, now_ms: int) -> None:
        """Let the clock reach a time: hours of funding and scheduled cancels that fall due on the way."""
        state = self.state
        before, state.now_ms = state.now_ms, max(now_ms, state.now_ms)
        for account in state.accounts.values():
            if account.scheduled_ms is not None and account.scheduled_ms <= state.now_ms:
                self._cancel_all(account)
        if before // HOUR_MS < state.now_ms // HOUR_MS and before:
            for hour in range(before // HOUR_MS + 1, state.now_ms // HOUR_MS + 1):
                pay_funding(state, hour * HOUR_MS)
                self._settle()
        self._settle()

    def on_book(self, asset: int, bids: list[Level], asks: list[Level], time_ms: int, *, whole: bool) -> None:
        """Take a displayed book (best first) of the tape; with `whole` false, only its top."""
        self.state.markets[asset].show(bids, asks, time_ms, whole=whole)
        self.state.marked.add(asset)
        uncross(self.state, asset)
        self._settle()

    def on_trade(self, asset: int, aggressor: Side, px: int, lots: int, time_ms: int, tid: int) -> None:
        """Take a print of the tape; a print seen before (by `tid`) changes nothing."""
        print_trade(self.state, asset, aggressor, px, lots, time_ms, tid)
        self.state.marked.add(asset)
        self._settle()

    def on_context(self, asset: int, mark: int, oracle: int, funding_e10: int) -> None:
        """Take mark and oracle price (units; 0: none) and the hourly funding rate in 10^-10."""
        market = self.state.markets[asset]
        if not (mark and oracle):
            market.look()  # what waits did so under the marks of before
        market.ctx_mark, market.ctx_oracle, market.funding_e10 = mark, oracle, funding_e10
        self.state.marked.add(asset)
        self._settle()

    def place(self, owner: str, requests: Sequence[OrderRequest], grouping: OrderGrouping) -> list[OrderResult]:
        """Place orders of a known account; one answer an order, in order."""
        answers = place_group(self.state, owner, requests, grouping)
        self._settle()
        return answers

    def cancel(self, owner: str, asset: int, name: int | str) -> str:
        """Cancel an order by its number or cloid; return the refusal, "" when it is cancelled."""
        order = self.find(owner, name)
        if order is None or not order.is_open or order.asset != asset:
            return error_messages.MISSING_ORDER
        self.state.close(order, EngineOrderStatus.CANCELED)
        self._settle()
        return ""

    def modify(self, owner: str, name: int | str, request: OrderRequest) -> OrderResult:
        """Replace an open order: checked first, then cancelled and placed anew under a new number.

        A refused placing after the cancel leaves no order, as at the venue.
        """
        state, old = self.state, self.find(owner, name)
        if old is None or not old.is_open:
            return OrderResult(error=error_messages.NOT_MODIFIABLE)
        order, error = read(state, owner, request, old.grouping)
        if order is None or (error := refusal(state, order)) in (
            error_messages.TOO_SMALL,
            error_messages.TOO_FAR,
            error_messages.BAD_TRIGGER,
        ):
            return OrderResult(error=error)
        parent = old.parent if order.stop is not None else None
        state.close(old, EngineOrderStatus.CANCELED)
        if parent is not None:
            state.admit(order)
            order.is_waiting, order.parent = True, parent
            state.tell(order, EngineOrderStatus.OPEN)
            answer = OrderResult(order)
        else:
            answer = place(state, order)
        if not answer.error:
            self._inherit(old, order)
        self._settle()
        if answer.error:
            return OrderResult(answer.order, error_messages.MODIFY_FAILED.format(reason=answer.error))
        return answer

    def _inherit(self, old: ExchangeOrder, order: ExchangeOrder) -> None:
        """Put an order in the place of another among its relatives."""
        order.related = old.related
        for oid in (*old.related, old.parent or 0):
            relative = self.state.orders.get(oid)
            if relative is not None:
                relative.related = tuple(order.oid if r == old.oid else r for r in relative.related)
                if relative.parent == old.oid:
                    relative.parent = order.oid

    def find(self, owner: str, name: int | str) -> ExchangeOrder | None:
        """Return an account's order by number or cloid, finished ones too."""
        account = self.state.accounts.get(owner)
        if account is None:
            return None
        order = self.state.orders.get(account.cloids.get(name, 0) if isinstance(name, str) else name)
        return order if order is not None and order.owner == owner else None

    def set_leverage(self, owner: str, asset: int, leverage: int, *, is_cross: bool) -> str:
        """Set leverage and margin mode of an asset; return the refusal or ""."""
        state = self.state
        if not 0 <= asset < len(state.markets):
            return error_messages.BAD_ASSET.format(asset=asset)
        listing, account = state.markets[asset].listing, state.accounts[owner]
        if not 1 <= leverage <= listing.max_leverage or (is_cross and listing.only_isolated):
            return error_messages.BAD_LEVERAGE
        position = account.position(asset, listing.max_leverage, not listing.only_isolated)
        if position.lots and position.is_cross != is_cross:
            return error_messages.LEVERAGE_WITH_POSITION
        before, position.leverage = position.leverage, leverage
        marks = state.marks
        if position.lots and leverage < before and account.initial_margin(marks) > account.cross_value(marks):
            position.leverage = before
            return error_messages.LEVERAGE_TOO_LOW
        position.is_cross = is_cross
        return ""

    def schedule_cancel(self, owner: str, time_ms: int | None) -> str:
        """Arm (None: disarm) the cancelling of all orders at a time; return the refusal or ""."""
        account, now = self.state.accounts[owner], self.state.now_ms
        if time_ms is None:
            account.scheduled_ms = None
            return ""
        if account.volume_micro < self.schedule_volume_usd * 1_000_000:
            traded = f"{account.volume_micro / 1e6:.2f}".rstrip("0").rstrip(".")
            return error_messages.SCHEDULE_LOCKED.format(required=self.schedule_volume_usd, traded=traded)
        if time_ms < now + MIN_SCHEDULE_MS:
            return error_messages.SCHEDULE_TOO_SOON
        if account.schedule_day == now // DAY_MS and account.schedules_fired >= SCHEDULES_A_DAY:
            return error_messages.SCHEDULE_SPENT
        account.scheduled_ms = time_ms
        return ""

    def _cancel_all(self, account: Account) -> None:
        day = self.state.now_ms // DAY_MS
        if account.schedule_day != day:
            account.schedule_day, account.schedules_fired = day, 0
        account.schedules_fired += 1
        account.scheduled_ms = None
        for order in list(account.open.values()):
            self.state.close(order, EngineOrderStatus.SCHEDULED_CANCEL)

    def _settle(self) -> None:
        """Let everything that follows from a change happen: groups, triggers, liquidations, until it is quiet."""
        state = self.state
        check = bool(state.marked or state.touched)
        while check:
            check = after_fills(state) if state.touched else False
            marked, state.marked = state.marked, set()
            for asset in sorted(marked):
                if state.markets[asset].stops:
                    check |= fire_due(state, asset)
            check |= bool(state.touched)
            if not check:
                check = liquidate_due(state)
