"""May real orders be sent from this home? Every fault is found, with what was found and what was expected.

Pure: what is asked of the venue, of files and of the ledger is gathered by `gate_facts`. In the literature: pre-flight
checklist, interlock.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from typing import Any

from lotus.manifest import Asset
from lotus.timebase import DAY_MS
from lotus.trading.plan.validate import MAX_CLOCK_SKEW_MS
from lotus_desk.accounts.paper_days import PaperDay
from lotus_store.settings.sections import SafetySettings
from lotus_venues.hyperliquid.account_wire import STANDARD
from lotus_venues.hyperliquid.caps import SignerCaps


class GateReason(StrEnum):
    """One reason why real orders are refused."""

    ADDRESS = "address"
    NO_KEY = "no_key"
    MASTER_KEY = "master_key"
    NO_AGENT = "no_agent"
    AGENT_ENDS = "agent_ends"
    WATCHDOG_KEY = "watchdog_key"
    UNIFIED = "unified"
    NO_CAPS = "no_caps"
    WIDE_CAPS = "wide_caps"
    VENUE_SILENT = "venue_silent"
    CLOCK_SKEW = "clock_skew"
    PAPER_DAYS = "paper_days"
    PARITY = "parity"
    RELEASE_MISMATCH = "release_mismatch"
    NOT_ARMED = "not_armed"


R = GateReason


@dataclass(frozen=True, slots=True)
class GateFault:
    """One fault, of one account or of the whole home ("")."""

    reason: GateReason
    account: str
    found: str
    expected: str

    def __str__(self) -> str:
        """Return it as a line."""
        where = f"{self.account}: " if self.account else ""
        return f"{self.reason}: {where}found {self.found}; expected {self.expected}"


@dataclass(frozen=True, slots=True)
class AccountFacts:
    """What is known of one account: addresses, its caps, and what the venue says (roles by address, named
    agents, how the account holds its money).

    Empty addresses and None stand for what is missing; `problem` says why the venue did not answer.
    """

    account: str
    address: str = ""
    key_address: str = ""
    watchdog_address: str = ""
    caps: SignerCaps | None = None
    caps_problem: str = "no caps file"
    roles: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    agents: Sequence[Mapping[str, Any]] = ()
    abstraction: str = ""
    equity_usd: Decimal | None = None
    skew_ms: int | None = None
    problem: str = ""


@dataclass(frozen=True, slots=True)
class HomeFacts:
    """What is known of the home: where orders would go, the days on paper, how the modules differ."""

    url: str
    known_urls: Sequence[str]
    days: Sequence[PaperDay] = ()
    days_problem: str = ""
    mismatches: Sequence[str] = ()


def home_faults(facts: HomeFacts, safety: SafetySettings) -> list[GateFault]:
    """Return what speaks against real orders from this home, whatever the account."""
    return [
        GateFault(reason, "", text, expected)
        for check in (_address, _days, _modules)
        for reason, text, expected in check(facts, safety)
    ]


def account_faults(
    facts: AccountFacts, safety: SafetySettings, universe: Sequence[Asset], now_ms: int
) -> list[GateFault]:
    """Return what speaks against real orders in one account, but for its arming."""
    faults = [*_keys(facts), *_caps(facts, safety, universe), *_venue(facts)]
    if not facts.problem:
        faults += [*_agent(facts, facts.key_address, R.NO_AGENT, now_ms)]
        faults += [*_agent(facts, facts.watchdog_address, R.WATCHDOG_KEY, now_ms)]
    return [GateFault(reason, facts.account, text, expected) for reason, text, expected in faults]


Told = Iterator[tuple[GateReason, str, str]]


def _address(facts: HomeFacts, safety: SafetySettings) -> Told:
    if facts.url not in facts.known_urls:
        yield R.ADDRESS, facts.url or "no address", " or ".join(facts.known_urls)


def _days(facts: HomeFacts, safety: SafetySettings) -> Told:
    if facts.days_problem:
        yield R.PAPER_DAYS, facts.days_problem, "a ledger that answers"
        return
    judged = [day for day in facts.days if day.agreed is not None]
    if len(judged) < safety.paper_days:
        unjudged = len(facts.days) - len(judged)
        yield R.PAPER_DAYS, f"{len(judged)} days ({unjudged} more not compared)", f"{safety.paper_days} days on paper"
    differing = [day.day for day in judged if not day.agreed]
    if differing:
        share = 100 * (len(judged) - len(differing)) / len(judged)
        yield R.PARITY, f"parity of {share:.0f} % ({', '.join(differing)} differ)", "100 % of the days on paper"


def _modules(facts: HomeFacts, safety: SafetySettings) -> Told:
    if facts.mismatches:
        first, more = facts.mismatches[0], len(facts.mismatches) - 1
        yield R.RELEASE_MISMATCH, first + (f" and {more} more" if more else ""), "one release and schema everywhere"


def _keys(facts: AccountFacts) -> Told:
    if not facts.address or not facts.key_address:
        yield R.NO_KEY, "no key or address file", "key and address of the account, the key readable by its owner only"
    elif facts.key_address == facts.address:
        yield R.MASTER_KEY, "the account's own key", "the key of an agent that the account approved"
    if not facts.watchdog_address:
        yield R.WATCHDOG_KEY, "no key of the watchdog", "a second agent of the account"
    elif facts.watchdog_address in (facts.key_address, facts.address):
        whose = "desk's" if facts.watchdog_address == facts.key_address else "account's own"
        yield R.WATCHDOG_KEY, f"the {whose} key", "an agent key of the watchdog's own: one signer, one process"


def _agent(facts: AccountFacts, key: str, reason: GateReason, now_ms: int) -> Told:
    """What the venue says of a key: an agent of this account, for another day at least."""
    if not key or key == facts.address:
        return
    entry = facts.roles.get(key, {})
    role, data = entry.get("role"), entry.get("data") or {}
    master = str(data.get("user", "")).lower()
    if role == "user":
        yield (R.MASTER_KEY if reason is R.NO_AGENT else reason), f"a key with money of its own ({key})", "an agent"
    elif role != "agent" or master != facts.address:
        yield reason, f"role {role!r} of {master or 'nobody'} ({key})", f"an agent of {facts.address}"
    for agent in facts.agents:
        left_ms = int(agent.get("validUntil", 0)) - now_ms
        if str(agent.get("address", "")).lower() == key and left_ms < DAY_MS:
            yield R.AGENT_ENDS, f"{key} is valid for {left_ms / 3_600_000:.1f} h more", "at least a day"


def _caps(facts: AccountFacts, safety: SafetySettings, universe: Sequence[Asset]) -> Told:
    caps = facts.caps
    if caps is None:
        yield R.NO_CAPS, facts.caps_problem, "a caps file of the signer"
        return
    if not caps.max_order_usd <= caps.max_open_usd <= caps.max_day_usd:
        text = f"{caps.max_order_usd} an order, {caps.max_open_usd} open, {caps.max_day_usd} a day"
        yield R.WIDE_CAPS, text, "order <= open <= day"
    if caps.max_open_usd > Decimal(str(safety.live_open_usd)):
        yield R.WIDE_CAPS, f"{caps.max_open_usd} USD open", f"at most {safety.live_open_usd} (safety.live_open_usd)"
    strange = sorted(set(caps.max_size) - {asset.name for asset in universe})
    if strange:
        yield R.WIDE_CAPS, f"caps for {', '.join(strange)}", "coins of the universe only"


def _venue(facts: AccountFacts) -> Told:
    if facts.problem:
        yield R.VENUE_SILENT, facts.problem, "an answer to read-only questions"
        return
    if facts.abstraction not in STANDARD:
        text = f"account abstraction {facts.abstraction!r}: perp state does not tell its money"
        yield R.UNIFIED, text, "a standard account (userAbstraction `default` or `disabled`)"
    if facts.skew_ms is None or abs(facts.skew_ms) > MAX_CLOCK_SKEW_MS:
        yield R.CLOCK_SKEW, f"{facts.skew_ms} ms", f"at most {MAX_CLOCK_SKEW_MS} ms either way"
