"""Who signed: nonces once, strangers, agents and their masters."""

import asyncio
from decimal import Decimal
from typing import Any

from local_world import KEY, OTHER_KEY, order_action, post, rich, signed, venue, wallet

from lotus_venues.local_exchange.requests.signers import KEPT_NONCES

ADDRESS = wallet().address
NOW = 1_900_000_000_000


def refused(answer: tuple[int, Any]) -> str:
    """The text of a request refused as a whole."""
    status, body = answer
    assert (status, body["status"]) == (200, "err"), answer
    return str(body["response"])


def accepted(answer: tuple[int, Any]) -> Any:
    """The statuses of an accepted request."""
    status, body = answer
    assert (status, body["status"]) == (200, "ok"), answer
    return body["response"].get("data", {}).get("statuses")


def test_nonces_are_used_once_within_their_window() -> None:
    async def run() -> None:
        async with venue(client_ms=lambda: NOW) as exchange:
            noop = {"type": "noop"}
            assert accepted(await post(exchange, "/exchange", signed(noop, NOW))) is None
            again = refused(await post(exchange, "/exchange", signed(noop, NOW)))
            assert again == f"Invalid nonce: duplicate nonce {NOW}"
            for nonce in (NOW - 2 * 86_400_000, NOW + 86_400_000):
                assert "Invalid nonce" in refused(await post(exchange, "/exchange", signed(noop, nonce)))
            for nonce in range(NOW + 1, NOW + KEPT_NONCES + 1):
                exchange.signers.use_nonce(ADDRESS.lower(), nonce)
            low = refused(await post(exchange, "/exchange", signed(noop, NOW - 5)))
            assert low == f"Invalid nonce: nonce too low {NOW - 5} < {NOW + 1}"

    asyncio.run(run())


def test_a_changed_body_or_a_mainnet_signature_is_a_stranger() -> None:
    async def run() -> None:
        async with venue() as exchange:
            body = signed(order_action())
            body["action"]["orders"][0]["s"] = "0.02"
            accepted(await post(exchange, "/exchange", body))  # any signer is funded: a stranger with an account
            assert exchange.dump(ADDRESS)["openOrders"] == []
            assert len(exchange.engine.state.accounts) == 2
            mainnet = refused(await post(exchange, "/exchange", signed(order_action(), mainnet=True)))
            assert mainnet.startswith("User or API Wallet 0x")
            assert mainnet.endswith(" does not exist.")
            assert ADDRESS.lower() not in mainnet
            assert len(exchange.engine.state.accounts) == 2
        async with venue(open_deposit_usd=None) as exchange:
            assert "does not exist." in refused(await post(exchange, "/exchange", body))

    asyncio.run(run())


def test_any_signer_is_funded_unless_told_otherwise() -> None:
    async def run() -> None:
        async with venue(open_deposit_usd=Decimal(500)) as exchange:
            accepted(await post(exchange, "/exchange", signed(order_action(), key=OTHER_KEY)))
            state = exchange.dump(wallet(OTHER_KEY).address)["clearinghouse"]
            assert state["marginSummary"]["accountValue"] == "500.0"

    asyncio.run(run())


def test_an_agents_option_lets_a_key_trade_for_its_master() -> None:
    async def run() -> None:
        options = rich(agents={wallet(OTHER_KEY).address: wallet(KEY).address}, open_deposit_usd=None)
        async with venue(options) as exchange:
            accepted(await post(exchange, "/exchange", signed(order_action(), key=OTHER_KEY)))
            assert len((await post(exchange, "/info", {"type": "openOrders", "user": ADDRESS}))[1]) == 1

    asyncio.run(run())
