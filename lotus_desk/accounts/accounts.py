"""Venue accounts of a desk from their files: key, address and the signer's own caps, one set for each account.

They stand in `<home>/keys/venue/<account>.{key,address,caps.toml}`, mode 0600. For the local exchange on loopback what
is missing is made (a key of its own, funded there); for the real venue nothing is, and a key must be an agent's.
"""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import eth_account

from lotus.errors import ConfigError
from lotus.manifest import Asset
from lotus.names import path_step
from lotus.trading.execution.orders import Side
from lotus_desk.market.snapshot import BOOK_ACCOUNT, account_name
from lotus_store.config import Settings
from lotus_store.private import write_secret
from lotus_venues.hyperliquid.caps import read_caps
from lotus_venues.hyperliquid.exchange import Exchange
from lotus_venues.hyperliquid.http import JsonPoster
from lotus_venues.hyperliquid.info import LOOPBACK
from lotus_venues.hyperliquid.journal import SignerJournal
from lotus_venues.hyperliquid.looks import Pacing
from lotus_venues.hyperliquid.rate_budget import WEIGHT_A_MINUTE, AddressWeight, RateBudget, shared_weight
from lotus_venues.hyperliquid.signer import AgentSigner, read_key
from lotus_venues.hyperliquid.user_stream import StreamPolicy
from lotus_venues.hyperliquid.venue import HyperliquidVenue, VenuePolicy

LOOK_S = 15.0
LOCAL_WEIGHT = 1_000_000  # requests a minute at the local exchange, where a tape may run many times as fast
WATCHDOG_WEIGHT = 300  # of a minute's weight, for the quiet looks of the watchdog: another process, the same address
# The desk asks for orders and fills every ten seconds: at the real venue each third time is let through. What it was
# told within 40 s (the signer wants to know what is open within 60) is not asked again.
LOCAL_STREAM = StreamPolicy(healthy_s=0.0, opens_a_minute=LOCAL_WEIGHT)
LIVE_PACING = Pacing(kept_s=40.0, orders_s=25.0, limit_s=300.0)
LIVE_READY_S, LIVE_PATIENCE_S = 150.0, 180.0  # gate and start together ask more than one minute holds


def desk_accounts(settings: Settings) -> dict[str, Decimal]:
    """Return the accounts of a desk, probes by direction and the book, each with the largest order in USD."""
    probe_usd = 2 * Decimal(str(settings.manifest.outcomes.probe_notional_usd))
    return {account_name(side): probe_usd for side in Side} | {BOOK_ACCOUNT: Decimal(str(settings.trading.budget_usd))}


@dataclass(frozen=True, slots=True)
class AccountFiles:
    """The files of one account in a home's keys."""

    key: Path
    watchdog: Path
    address: Path
    caps: Path


def account_files(keys: Path, account: str) -> AccountFiles:
    """Return the files of an account under a folder of keys, there or not."""
    endings = ("key", "watchdog.key", "address", "caps.toml")
    return AccountFiles(*(keys / "venue" / f"{path_step(account)}.{ending}" for ending in endings))


def read_address(path: Path) -> str:
    """Return the address of an account from its file, in lower case. Raises `OSError`."""
    return path.read_text(encoding="utf-8").strip().lower()


@dataclass(frozen=True, slots=True)
class VenueAccess:
    """What all accounts of a desk share at the venue at `url` (REST base).

    `keys` and `journals` are folders. The clock runs at `pace` times the wall's; in step with a replay it is the
    venue's own. While `is_halted` returns true, no signer signs anything that opens. `name` is the venue's in reports,
    empty for the usual one.
    """

    url: str
    keys: Path
    journals: Path
    universe: Sequence[Asset]
    clock_ms: Callable[[], int]
    expires_ms: int
    pace: float = 1.0
    in_step: bool = False
    is_halted: Callable[[], bool] = lambda: False
    name: str = ""


def venue_account(account: str, access: VenueAccess, cap_usd: Decimal) -> HyperliquidVenue:
    """Return the adapter for one account. Raises `ConfigError` for files that are missing."""
    url, universe = access.url, access.universe
    files, is_local = account_files(access.keys, account), urlsplit(url).hostname in LOOPBACK
    if is_local:
        _make_missing(files, universe, cap_usd)
    for path in (files.key, files.address, files.caps):
        if not path.is_file():
            raise ConfigError(
                f"there is no {path.name} in {path.parent}", "key, address and caps of the account", "never made"
            )
    journal = SignerJournal(access.journals / path_step(account))
    signer = AgentSigner(read_key(files.key), read_caps(files.caps), journal, url)
    signer.is_halted = access.is_halted
    exchange = Exchange(
        poster=JsonPoster(url),
        signer=signer,
        user=read_address(files.address),
        clock_ms=access.clock_ms,
        budget=budget_at(url),
        expires_ms=access.expires_ms,
        shares_clock=access.in_step,
    )
    local = VenuePolicy(look_s=LOOK_S / max(access.pace, 1.0), stream=LOCAL_STREAM, name=access.name)
    policy = local if is_local else LIVE_POLICY
    return HyperliquidVenue(exchange, tuple(asset.name for asset in universe), policy)


LIVE_POLICY = VenuePolicy(LOOK_S, LIVE_READY_S, pacing=LIVE_PACING, patience_s=LIVE_PATIENCE_S)


def desk_weight(url: str) -> AddressWeight:
    """Return the weight that everything in a desk's process shares at a venue: what the watchdog leaves of a minute."""
    return shared_weight(url, WEIGHT_A_MINUTE - WATCHDOG_WEIGHT)


def budget_at(url: str) -> RateBudget:
    """Return the budget of an account of the desk at `url`; on loopback one of its own that holds nothing back."""
    if urlsplit(url).hostname in LOOPBACK:
        return RateBudget(AddressWeight(LOCAL_WEIGHT), actions_left=LOCAL_WEIGHT)
    return RateBudget(desk_weight(url))


def _make_missing(files: AccountFiles, universe: Sequence[Asset], cap_usd: Decimal) -> None:
    key, address, caps = files.key, files.address, files.caps
    for folder in (key.parent.parent, key.parent):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not key.exists():
        write_secret(key, "0x" + secrets.token_hex(32))
    if not address.exists():
        write_secret(address, str(eth_account.Account.from_key(read_key(key)).address).lower())
    if not caps.exists():
        sizes = "\n".join(f'{asset.name} = "1000000"' for asset in universe)
        sums = f'max_day_usd = "{1000 * cap_usd}"\nmax_open_usd = "{10 * cap_usd}"\n'
        write_secret(caps, f'max_order_usd = "{cap_usd}"\n{sums}[coins]\n{sizes}\n')
