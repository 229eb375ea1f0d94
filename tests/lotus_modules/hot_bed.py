"""A trader on one coin in real databases: its market, a proposal, and messages carried until nothing moves."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from lotus.decision.alphas import InputFilter
from lotus.decision.policy.policy import shipped_policy
from lotus.hashing import natural_id
from lotus.manifest import Asset
from lotus.modules.intents import Module
from lotus.modules.messages.signals import proposed_message
from lotus.trading.accounts.book import BookTerms
from lotus.trading.execution.conditions import MarketView
from lotus.trading.execution.orders import Side
from lotus.trading.plan.plan import Authority, ProbeTerms
from lotus.trading.plan.validate import AccountState
from lotus_herald.carry import Carrier
from lotus_herald.consume import Consumer, Handlers
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.outbox import send
from lotus_herald.release import release_of
from lotus_modules.dm.decide import Decider
from lotus_store.databases import Databases

END_MS = 1_735_689_600_000
BTC = Asset("BTC", 5)


@dataclass
class Market:
    """A market of one coin."""

    at: AccountState

    def account_state(self, coin: str, side: Side) -> AccountState:
        return self.at

    def terms(self, side: Side) -> ProbeTerms:
        return ProbeTerms(Decimal(1000), Decimal(300), Authority("a", Decimal(10_000), ("tr",)), ("local",))

    def book_terms(self, authority: Authority, hold_ms: int) -> BookTerms:
        return BookTerms(Decimal(300), authority, ("local",), 5, 5_000, hold_ms)


def decider() -> Decider:
    policy = shipped_policy()
    return Decider(5_000, InputFilter("main", frozenset({"BTC"}), policy.horizons), policy, lambda: END_MS + 20)


def account_state() -> AccountState:
    view = MarketView("BTC", END_MS + 20, Decimal(99_999), Decimal(100_001), Decimal(100_000))
    return AccountState(
        now_ms=END_MS + 20, venue="local", account="a", executor="tr", release=release_of(Module.DM),
        universe={"BTC": BTC}, view=view, equity_usd=Decimal(10_000), free_margin_usd=Decimal(10_000), leverage=5,
        coin_max_leverage=40,
    )  # fmt: skip


def signal(name: str, direction: int = 1, context: str = "") -> dict[str, Any]:
    window = {"start_ms": END_MS - 5000, "end_ms": END_MS}
    return {
        "branch": "main", "event_id": natural_id(name), "detector_id": "sr", "asset": "BTC", "horizon_s": 60,
        "priors_ver": "0" * 32, "direction": direction, "context": context,
        "provenance": {"window": window, "close_recv_ns": str(END_MS * 1_000_000)},
    }  # fmt: skip


def propose(databases: Databases, keys: Keys, name: str, direction: int = 1, context: str = "") -> str:
    with databases.connect("sig") as connection:
        send(connection, Module.SIG, proposed_message(signal(name, direction, context)), keys)
    return natural_id(name)


def settle(
    databases: Databases, handlers: Mapping[Module, Handlers], keys: Keys, now_ms: int = END_MS + 20
) -> dict[str, dict[str, int]]:
    """Carry and consume until nothing moves, over the same connections; return the counts by module."""
    counts: dict[str, dict[str, int]] = {}
    with Links(databases) as links:
        carrier, moves = Carrier(links), True
        while moves:
            moves = carrier.carry(now_ms).total > 0
            for module, own in handlers.items():
                consumer = Consumer(links.get(module.value, "consume"), module, own, keys)
                for outcome, n in consumer.consume(END_MS).items():
                    found = counts.setdefault(module.value, {})
                    found[outcome] = found.get(outcome, 0) + n
                    moves = True
    return counts
