"""`POST /lotus`: drills and referees. Faults on and off, the truth about an account, sockets ended, time moved.

No client of the venue knows it; nothing of it is the venue's.
"""

from decimal import Decimal
from typing import TYPE_CHECKING, Any

from lotus.errors import ConfigError
from lotus_venues.local_exchange.faults import read_faults
from lotus_venues.local_exchange.requests.signers import NEVER_MS
from lotus_venues.local_exchange.requests.wire_out import usd

if TYPE_CHECKING:
    from lotus_venues.local_exchange.web.server import LocalExchange

Json = dict[str, Any]


class ExchangeControl:
    """Runs control requests on one exchange."""

    def __init__(self, exchange: "LocalExchange") -> None:
        """Bind the exchange."""
        self.exchange = exchange

    async def run(self, body: Any) -> tuple[int, Json]:
        """Return (HTTP status, answer) of a control request `{"type": ...}`.

        `faults` {faults: [...]}, `state` {user}, `counts`, `deposit` {user, usd}, `approve` {agent, master,
        validUntil?}, `advance` {toMs}, `silence`, `drop`, `postOnly` {seconds}: for so long only orders that must rest.
        """
        try:
            return 200, await self._run(body)
        except ConfigError as error:
            return 400, {"error": str(error)}
        except (KeyError, TypeError, ValueError, ArithmeticError) as error:
            return 400, {"error": f"not a control request: {error!r}"}

    async def _run(self, body: Json) -> Json:
        exchange = self.exchange
        match body["type"]:
            case "faults":
                exchange.faults.switch(read_faults(body["faults"]))
            case "state":
                return self.state(body["user"])
            case "deposit":
                exchange.deposit(body["user"], Decimal(body["usd"]))
            case "approve":
                exchange.signers.approve(body["agent"], body["master"], until_ms=int(body.get("validUntil", NEVER_MS)))
            case "advance":
                await exchange.advance(int(body["toMs"]))
            case "postOnly":
                exchange.engine.state.post_only_until_ms = exchange.now_ms + int(1_000 * float(body["seconds"]))
            case "silence":
                exchange.silence_sockets()
            case "drop":
                exchange.drop_sockets()
            case "counts":
                pass
            case other:
                raise ValueError(other)
        return self.counts()

    def counts(self) -> Json:
        """Return the clock, what faults struck, connections, and the house's books."""
        exchange, state = self.exchange, self.exchange.engine.state
        return {
            "nowMs": state.now_ms,
            "played": exchange.played,
            "struck": dict(exchange.faults.struck),
            "sockets": len(exchange.hub.sessions),
            "feesUsd": usd(state.fees_micro),
            "insuranceUsd": usd(state.insurance_micro),
            "liquidations": state.ids.lid,
        }

    def state(self, address: str) -> Json:
        """Return everything of an account: orders open and finished, fills, positions, money."""
        exchange = self.exchange
        spell, owner = exchange.encoder, address.lower()
        account = exchange.engine.account(owner)
        if account is None:
            return {"user": owner, "exists": False}
        orders = [o for o in exchange.engine.state.orders.values() if o.owner == owner]
        return {
            "user": owner,
            "exists": True,
            "nowMs": exchange.now_ms,
            "openOrders": [spell.frontend_order(o) for o in account.open.values()],
            "orders": [spell.frontend_order(o) | {"status": o.status} for o in orders],
            "fills": [spell.fill(f) for f in account.fills],
            "fundings": [spell.funding(f) for f in account.fundings],
            "clearinghouse": spell.clearinghouse(account),
            "rawUsd": usd(account.raw_micro),
            "requestsUsed": account.requests_used,
        }
