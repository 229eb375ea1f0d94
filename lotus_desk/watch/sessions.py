"""Sessions of a watchdog at the venue, one an account, each with an agent key and a journal of its own.

The key stands in `<home>/keys/venue/<account>.watchdog.key`. For the local exchange it is made and made known there;
for the real venue the owner of the account approves it, and only an account that was armed once is acted upon.
"""

import secrets
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import eth_account

from lotus.errors import ConfigError
from lotus.names import name_of_step, path_step
from lotus_desk.accounts.accounts import LOCAL_WEIGHT, account_files, read_address
from lotus_desk.safety.arming import wall_ms, was_armed
from lotus_store.config import Settings
from lotus_store.private import write_secret
from lotus_venues.hyperliquid.caps import closing_caps
from lotus_venues.hyperliquid.exchange import Exchange
from lotus_venues.hyperliquid.guard import GuardSession
from lotus_venues.hyperliquid.http import JsonPoster
from lotus_venues.hyperliquid.info import LOOPBACK
from lotus_venues.hyperliquid.journal import SignerJournal
from lotus_venues.hyperliquid.rate_budget import AddressWeight, RateBudget, shared_weight
from lotus_venues.hyperliquid.signer import AgentSigner, read_key

EXPIRES_MS = 2_000


def venue_url(settings: Settings) -> str:
    """Return the REST base at which the settings trade."""
    return settings.trading.url or settings.live.rest_url


def account_names(settings: Settings) -> Iterator[str]:
    """Yield the accounts of a home: those whose address stands in its keys."""
    for path in sorted((settings.keys_root / "venue").glob("*.address")):
        yield name_of_step(path.name.removesuffix(".address"))


def guard_session(settings: Settings, account: str) -> GuardSession:
    """Return the session of an account; raises `ConfigError` for a key that is missing or the desk's own."""
    files, url = account_files(settings.keys_root, account), venue_url(settings)
    is_local = urlsplit(url).hostname in LOOPBACK
    if not is_local and not was_armed(settings.home, account):
        raise ConfigError(f"account {account} was never armed", "lotus arm", "orders go to loopback until then")
    if is_local and not files.watchdog.exists():
        write_secret(files.watchdog, "0x" + secrets.token_hex(32))
    key = read_key(files.watchdog)
    _require_own(key, files.key, account)
    journal = SignerJournal(settings.home / "live" / "signer" / f"{path_step(account)}.watchdog")
    user = read_address(files.address)
    weight = AddressWeight(LOCAL_WEIGHT) if is_local else shared_weight(url)
    budget = RateBudget(weight, actions_left=LOCAL_WEIGHT) if is_local else RateBudget(weight)
    signer = AgentSigner(key, closing_caps(()), journal, url)
    return GuardSession(
        Exchange(
            poster=JsonPoster(url, timeout_s=2.0),
            signer=signer,
            user=user,
            clock_ms=wall_ms,
            budget=budget,
            expires_ms=EXPIRES_MS,
        )
    )


async def make_known(session: GuardSession) -> None:
    """Make the key of a session an agent of its account at the local exchange; elsewhere its owner has done so."""
    poster = session.exchange.poster
    if urlsplit(poster.base_url).hostname in LOOPBACK:
        poster.open()
        approval = {"type": "approve", "agent": session.exchange.signer.address, "master": session.exchange.user}
        await poster.post("/lotus", approval)


def _require_own(key: str, desk_key: Path, account: str) -> None:
    """Two processes with one key would use one nonce twice, and one of them would lose its request."""
    if not desk_key.exists():
        return
    own, other = (eth_account.Account.from_key(k).address for k in (key, read_key(desk_key)))
    if own == other:
        raise ConfigError(f"the watchdog of {account} has the desk's key", "an agent key of its own", "a copied file")
