"""The board of the decision-maker: wishes for its overlay curator, which it sends itself. In the literature: outbox."""

from dataclasses import asdict

import msgspec

from lotus.decision.policy.policy import shipped_policy
from lotus.decision.wishes import Wish, check_wish
from lotus.errors import ConfigError, LedgerError
from lotus.modules.intents import Module
from lotus.modules.messages.beliefs import WishNote, wish_message
from lotus.timebase import day_start_ms
from lotus_herald.carry import carry
from lotus_herald.consume import consume
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_modules.handlers import SLOW
from lotus_store.databases import Databases
from lotus_store.ledger.trading.wishes import all_wishes


def submit_wish(databases: Databases, wish: Wish, coins: tuple[str, ...], keys: Keys) -> Wish:
    """Send a wish and take it in; return it with its name. Saying the same again changes nothing.

    Raises `ConfigError` for one out of its bounds or one that was lifted, and `LedgerError` for one that lifts nothing.
    """
    named = check_wish(wish.named(), coins, shipped_policy().overlay.nudge)
    with databases.connect("dm") as dm:
        wishes = all_wishes(dm, wish.branch)
        there = {act.act_id: act for act in wishes if not act.lifts}
        lift = next((act for act in wishes if act.lifts == named.act_id), None)
        if lift is not None:
            found, cause = f"wish {named.act_id} in the same words", f"{lift.author} has lifted it: {lift.reason}"
            raise ConfigError(f"{found} was lifted", "other words, or other days", cause)
        if wish.lifts and wish.lifts not in there:
            raise LedgerError(f"no wish {wish.lifts} on branch {wish.branch}", "one that `lotus review list` shows")
        send(dm, Module.DM, wish_message(msgspec.convert(asdict(named), WishNote)), keys)
    carry(databases, wish.branch, senders=(Module.DM,))
    consume(databases, Module.DM, SLOW[Module.DM], keys, day_start_ms(named.from_day), wish.branch)
    return named
