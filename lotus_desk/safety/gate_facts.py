"""Gathering what the gate judges: files of the account, read-only questions to the venue, days from the ledger.

Nothing is signed or sent that could change anything.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import eth_account
import psycopg

from lotus.errors import ConfigError, LotusError
from lotus.hashing import natural_id
from lotus.modules.intents import Module
from lotus_desk.accounts.accounts import account_files, desk_weight, read_address
from lotus_desk.accounts.paper_days import paper_days
from lotus_desk.safety.arming import arming_fault, read_arming, terms_hash, wall_ms
from lotus_desk.safety.gate import AccountFacts, GateFault, GateReason, HomeFacts, account_faults, home_faults
from lotus_desk.safety.mismatches import mismatches
from lotus_herald.release import release_of
from lotus_store.config import Settings
from lotus_store.databases import Databases
from lotus_venues.hyperliquid.caps import read_caps
from lotus_venues.hyperliquid.info import InfoClient
from lotus_venues.hyperliquid.rate_budget import info_weight
from lotus_venues.hyperliquid.signer import MAINNET_URL, TESTNET_URL, read_key

KNOWN_URLS = (MAINNET_URL, TESTNET_URL)


def account_facts(settings: Settings, account: str, url: str) -> AccountFacts:
    """Return what is known of an account; what is missing or silent stands in the facts, it never raises."""
    files = account_files(settings.keys_root, account)
    address = read_address(files.address) if files.address.is_file() else ""
    caps, caps_problem = None, f"no {files.caps.name}"
    if files.caps.is_file():
        try:
            caps = read_caps(files.caps)
        except ConfigError as problem:
            caps_problem = str(problem)
    facts: dict[str, Any] = {
        "address": address,
        "key_address": _address_of(files.key),
        "watchdog_address": _address_of(files.watchdog),
        "caps": caps,
        "caps_problem": caps_problem,
    }
    try:
        facts |= _told(_Counted(url), address, [facts["key_address"], facts["watchdog_address"]])
    except (LotusError, KeyError, TypeError, ValueError, ArithmeticError) as problem:
        facts["problem"] = str(problem) or repr(problem)
    return AccountFacts(account, **facts)


def home_facts(settings: Settings, databases: Databases, url: str) -> HomeFacts:
    """Return what is known of a home."""
    days: Sequence[Any] = ()
    problem = ""
    try:
        days = paper_days(databases, settings.branch, settings.safety.paper_days)
        different = mismatches(databases)
    except (psycopg.Error, LotusError, OSError) as error:
        problem, different = str(error), [f"the databases do not answer ({error})"]
    return HomeFacts(url, KNOWN_URLS, days, problem, different)


def terms_of(settings: Settings, facts: AccountFacts, url: str) -> str:
    """Return the hash of what is agreed to by arming an account."""
    caps = account_files(settings.keys_root, facts.account).caps
    parts = {
        "url": url,
        "account": f"{facts.account} {facts.address} {facts.key_address} {facts.watchdog_address}",
        "caps": natural_id(caps.read_text(encoding="utf-8")) if caps.is_file() else "",
        "trading": repr(settings.trading),
        "safety": repr(settings.safety),
        "release": " ".join(release_of(module) for module in Module),
    }
    return terms_hash(parts)


def gate_faults(
    settings: Settings, databases: Databases, url: str, accounts: Sequence[str], armed: bool = True
) -> tuple[list[GateFault], list[AccountFacts]]:
    """Return every reason against real orders in these accounts, and what is known of each.

    Without `armed` the typed confirmation itself is not asked for.
    """
    now_ms = wall_ms()
    faults = home_faults(home_facts(settings, databases, url), settings.safety)
    accounts_facts = [account_facts(settings, account, url) for account in accounts]
    for facts in accounts_facts:
        faults += account_faults(facts, settings.safety, settings.manifest.universe, now_ms)
        fault = standing_fault(settings, facts, url)
        if armed and fault:
            what, _, expected = fault.partition("; expected ")
            faults.append(GateFault(GateReason.NOT_ARMED, facts.account, what, expected))
    return faults, accounts_facts


def standing_fault(settings: Settings, facts: AccountFacts, url: str) -> str:
    """Return why the arming of an account does not hold now, by its files alone; empty when it does."""
    arming = read_arming(settings.home, facts.account)
    return arming_fault(arming, facts.address, terms_of(settings, facts, url), wall_ms())


def _address_of(key: Path) -> str:
    """Return the address of a key file; empty for one that is missing, open to others, or no key."""
    try:
        return str(eth_account.Account.from_key(read_key(key)).address).lower()
    except Exception:  # the library raises many kinds for a text that is no key
        return ""


@dataclass(frozen=True, slots=True)
class _Counted(InfoClient):
    """Questions that count in the weight of this process: a desk's start asks right after its gate."""

    def request(self, body: dict[str, Any]) -> Any:
        """Send one request and return the decoded answer; raises `VenueError`."""
        desk_weight(self.base_url).note(info_weight(body["type"]), wall_ms())
        return InfoClient.request(self, body)


def _told(info: InfoClient, address: str, keys: Sequence[str]) -> dict[str, Any]:
    """Ask the venue, reading only: roles of the keys, agents, abstraction, equity and clock of the account."""
    roles = {key: dict(info.request({"type": "userRole", "user": key})) for key in keys if key}
    agents = list(info.request({"type": "extraAgents", "user": address})) if address else []
    abstraction = str(info.request({"type": "userAbstraction", "user": address}))
    before = wall_ms()
    state = info.request({"type": "clearinghouseState", "user": address})
    skew_ms = int(state["time"]) - (before + wall_ms()) // 2
    return {
        "roles": roles, "agents": agents, "skew_ms": skew_ms, "abstraction": abstraction,
        "equity_usd": Decimal(state["marginSummary"]["accountValue"]),
    }  # fmt: skip
