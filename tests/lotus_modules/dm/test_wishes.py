"""A wish goes from the board to the book's decision: in force on its days, lifted when somebody lifts it."""

from dataclasses import asdict, replace

import msgspec
import pytest

from lotus.decision.wishes import Wish
from lotus.errors import ConfigError, LedgerError
from lotus.modules.intents import Module
from lotus.modules.messages.beliefs import WishNote, wish_message
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_modules.dm.board import submit_wish
from lotus_modules.handlers import SLOW
from lotus_store.databases import Databases
from lotus_store.ledger.messages.boxes import dead_letters
from lotus_store.ledger.trading.wishes import all_wishes, live_wishes

COINS = ("BTC", "ETH")
WISH = Wish("", "main", "BTC", 0.05, "ada", "listing on Friday", "2026-03-04", "2026-03-06")


def on(databases: Databases, day: str, branch: str = "main") -> list[tuple[str, float]]:
    with databases.connect("dm") as dm:
        return [(wish.coin, wish.log) for wish in live_wishes(dm, branch, day)]


def test_a_wish_is_in_force_on_its_days_and_ends_by_itself(databases: Databases, keys: Keys) -> None:
    sent = submit_wish(databases, WISH, COINS, keys)
    assert submit_wish(databases, WISH, COINS, keys) == sent, "said twice, it is one act"
    days = ("2026-03-03", "2026-03-04", "2026-03-05", "2026-03-06")
    assert [on(databases, day) for day in days] == [[], [("BTC", 0.05)], [("BTC", 0.05)], []]
    assert on(databases, "2026-03-04", "other") == []


def test_a_lifted_wish_counts_no_more_and_stays_in_the_rows(databases: Databases, keys: Keys) -> None:
    sent = submit_wish(databases, WISH, COINS, keys)
    lift = replace(WISH, coin="", log=0.0, author="bob", reason="it was Thursday", until_day="2026-03-04")
    with pytest.raises(LedgerError, match="no wish nobody"):
        submit_wish(databases, replace(lift, lifts="nobody"), COINS, keys)
    lifted = submit_wish(databases, replace(lift, lifts=sent.act_id), COINS, keys)
    with pytest.raises(ConfigError, match="in the same words was lifted"):
        submit_wish(databases, WISH, COINS, keys)
    assert on(databases, "2026-03-04") == []
    with databases.connect("dm") as dm:
        assert all_wishes(dm, "main") == sorted([sent, lifted], key=lambda wish: wish.act_id)


def test_a_wish_out_of_its_bounds_is_refused_where_it_is_typed_and_where_it_comes_in(
    databases: Databases, keys: Keys
) -> None:
    with pytest.raises(ConfigError, match=r"log 0\.3"):
        submit_wish(databases, replace(WISH, log=0.3), COINS, keys)
    for forged in (replace(WISH, log=0.3).named(), replace(WISH.named(), author="eve")):
        with databases.connect("dm") as dm:
            send(dm, Module.DM, wish_message(msgspec.convert(asdict(forged), WishNote)), keys)
    carry(databases, "main", senders=(Module.DM,))
    assert consume(databases, Module.DM, SLOW[Module.DM], keys, 0, "main") == {"dead": 2}
    with databases.connect("dm") as dm:
        assert {letter.reason for letter in dead_letters(dm, "dm")} == {"bad_payload"}
        assert all_wishes(dm, "main") == []
