"""`lotus doctor --venue`: keys, accounts and clock at the venue, proved by reading alone. Nothing is signed or sent."""

import asyncio
import time
from decimal import Decimal

from lotus.errors import LotusError
from lotus.trading.orders import Side
from lotus.trading.validate import MAX_CLOCK_SKEW_MS
from lotus_live.trade.accounts import venue_account
from lotus_live.trade.floor import BOOK_ACCOUNT, account_name
from lotus_live.trade.paper import PAPER
from lotus_store.config import Settings


def venue_checks(settings: Settings) -> dict[str, str]:
    """Return one line for each account of the settings' venue; one that begins with WRONG is a fault."""
    if settings.trading.venue == "off":
        return {"venue": "WRONG: trading.venue is off; expected local; likely cause: lotus.toml names no venue"}
    if settings.trading.venue == PAPER:
        return {"venue": "ok paper: accounts of one's own in the tr database; there is nothing to prove at a venue"}
    url = settings.trading.url or settings.live.rest_url
    budget_usd = Decimal(str(settings.trading.budget_usd))
    probe_usd = Decimal(str(2 * settings.manifest.outcomes.probe_notional_usd))
    largest = {account_name(side): probe_usd for side in Side} | {BOOK_ACCOUNT: budget_usd}
    return {name: asyncio.run(_account(settings, url, name, cap_usd)) for name, cap_usd in largest.items()}


async def _account(settings: Settings, url: str, name: str, cap_usd: Decimal) -> str:
    def now_ms() -> int:
        return time.time_ns() // 1_000_000

    try:
        venue = venue_account(
            name, url, settings.keys_root, settings.home / "live" / "signer", settings.manifest.universe, now_ms,
            settings.trading.expires_ms, cap_usd,
        )  # fmt: skip
        await venue.connect()
    except (LotusError, OSError) as error:
        return f"WRONG: {error}"
    try:
        account = await venue.account()
        skew_ms = await venue.server_time_ms() - now_ms()
    except (LotusError, OSError) as error:
        return f"WRONG: {error}"
    finally:
        await venue.close()
    word = "ok" if abs(skew_ms) <= MAX_CLOCK_SKEW_MS else f"WRONG: expected at most {MAX_CLOCK_SKEW_MS} ms of skew,"
    held = f"{len(account.positions)} positions"
    return f"{word} {venue.name} {venue.exchange.user}: {account.equity_usd} USD, {held}, clock {skew_ms:+d} ms"
