"""`lotus doctor --venue`: keys, accounts and clock at the venue, proved by reading alone. Nothing is signed or sent."""

import asyncio
from decimal import Decimal

from lotus.errors import LotusError
from lotus.trading.plan.validate import MAX_CLOCK_SKEW_MS
from lotus_desk.accounts.accounts import VenueAccess, desk_accounts, venue_account
from lotus_desk.accounts.paper import PAPER
from lotus_desk.safety.arming import wall_ms
from lotus_desk.safety.deadman_probe import probe_schedule_cancel
from lotus_desk.safety.gate_facts import gate_faults
from lotus_desk.watch.sessions import venue_url
from lotus_desk.watch.status import watchdog_status
from lotus_store.config import Settings
from lotus_store.databases import Databases


def venue_checks(settings: Settings) -> dict[str, str]:
    """Return one line for each account of the settings' venue; one that begins with WRONG is a fault."""
    if settings.trading.venue == "off":
        return {"venue": "WRONG: trading.venue is off; expected local; likely cause: lotus.toml names no venue"}
    if settings.trading.venue == PAPER:
        return {"venue": "ok paper: accounts of one's own in the tr database; there is nothing to prove at a venue"}
    url, largest = venue_url(settings), desk_accounts(settings)
    return {name: asyncio.run(_account(settings, url, name, cap_usd)) for name, cap_usd in largest.items()}


async def _account(settings: Settings, url: str, name: str, cap_usd: Decimal) -> str:
    try:
        venue = venue_account(
            name,
            VenueAccess(
                url=url,
                keys=settings.keys_root,
                journals=settings.home / "live" / "signer",
                universe=settings.manifest.universe,
                clock_ms=wall_ms,
                expires_ms=settings.trading.expires_ms,
            ),
            cap_usd,
        )
        await venue.connect()
    except (LotusError, OSError) as error:
        return f"WRONG: {error}"
    try:
        account = await venue.account()
        skew_ms = await venue.server_time_ms() - wall_ms()
    except (LotusError, OSError) as error:
        return f"WRONG: {error}"
    finally:
        await venue.close()
    word = "ok" if abs(skew_ms) <= MAX_CLOCK_SKEW_MS else f"WRONG: expected at most {MAX_CLOCK_SKEW_MS} ms of skew,"
    held = f"{len(account.positions)} positions"
    return f"{word} {venue.name} {venue.exchange.user}: {account.equity_usd} USD, {held}, clock {skew_ms:+d} ms"


def safety_checks(settings: Settings) -> dict[str, str]:
    """Return a line each for watchdog, dead-man switch and, at the real venue, for what speaks against real orders."""
    checks = {"watchdog": _watchdog(settings), "schedule_cancel": _schedule_cancel()}
    if settings.trading.venue == "hyperliquid":
        checks["real_orders"] = _real_orders(settings)
    return checks


def _watchdog(settings: Settings) -> str:
    status = watchdog_status(settings.home)
    if not status["alive"]:
        return "ok, none runs; the daemon starts it when it trades"
    accounts = ", ".join(f"{name} {state}" for name, state in status["accounts"].items()) or "no account seen"
    return f"ok, process {status['pid']} watches: {accounts}; {status['alerts']} alerts"


def _schedule_cancel() -> str:
    try:
        probe = asyncio.run(probe_schedule_cancel())
    except (LotusError, OSError) as error:
        return f"ok, off; the probe failed: {error}"
    why = "it removes stops, so it is never armed" if probe.removes_stops else "it leaves stops: see ADR 20"
    return f"ok, off; probed on loopback it {probe}: {why}"


def _real_orders(settings: Settings) -> str:
    with Databases(settings) as databases:
        faults, _ = gate_faults(settings, databases, venue_url(settings), [*desk_accounts(settings)])
    if not faults:
        return "ok, every check holds and the accounts are armed"
    return f"WRONG: {len(faults)} reasons against real orders: " + "; ".join(str(fault) for fault in faults)
