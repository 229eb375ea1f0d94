"""Wishes of people for the overlay curator: sent by the decision-maker's board to itself, and taken in as rows.

What a wish may be is `lotus.decision.wishes`'; what is done with it, the curator's. In the literature: transactional
outbox.
"""

from dataclasses import asdict

import msgspec

from lotus.decision.policy.policy import shipped_policy
from lotus.decision.wishes import Wish, check_wish
from lotus.errors import ConfigError, LedgerError
from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Module, Reason
from lotus.modules.messages.beliefs import LearningUpdate, WishNote, wish_message
from lotus.modules.messages.payload import part_of
from lotus.timebase import day_start_ms
from lotus_herald.carry import carry
from lotus_herald.consume import Delivery, consume
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_store.databases import Databases
from lotus_store.ledger.trading.wishes import all_wishes, put_wish


def submit_wish(databases: Databases, wish: Wish, coins: tuple[str, ...], keys: Keys) -> Wish:
    """Send a wish and take it in; return it with its name. Saying the same again changes nothing.

    Raises `ConfigError` for one out of its bounds, and `LedgerError` for one that lifts nothing.
    """
    from lotus_modules.handlers import SLOW

    named = check_wish(wish.named(), coins, shipped_policy().overlay.nudge)
    with databases.connect("dm") as dm:
        there = {act.act_id: act for act in all_wishes(dm, wish.branch) if not act.lifts}
        if wish.lifts and wish.lifts not in there:
            raise LedgerError(f"no wish {wish.lifts} on branch {wish.branch}", "one that `lotus review list` shows")
        send(dm, Module.DM, wish_message(msgspec.convert(asdict(named), WishNote)), keys)
    carry(databases, wish.branch, senders=(Module.DM,))
    consume(databases, Module.DM, SLOW[Module.DM], keys, day_start_ms(named.from_day), wish.branch)
    return named


def note_wish(delivery: Delivery[WishNote | LearningUpdate]) -> str:
    """Handle a wish in dm: keep the act as a row. Raises `RefusedError` for one out of its bounds or misnamed."""
    wish = part_of(msgspec.to_builtins(delivery.payload), Wish, "a wish")
    try:
        check_wish(wish, (wish.coin,), shipped_policy().overlay.nudge)
    except ConfigError as problem:
        raise RefusedError(Reason.BAD_PAYLOAD, str(problem), "a wish within its bounds") from problem
    if wish.named() != wish:
        raise RefusedError(Reason.BAD_PAYLOAD, f"wish {wish.act_id}", f"its name, {wish.named().act_id}")
    put_wish(delivery.connection, wish, delivery.envelope.event_id)
    return "applied"
