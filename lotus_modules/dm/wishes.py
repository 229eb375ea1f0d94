"""Wishes of people for the overlay curator come in and become rows; how they are sent is `lotus_modules.dm.board`.

What a wish may be is `lotus.decision.wishes`'; what is done with it, the curator's.
"""

from typing import Any

import msgspec

from lotus.decision.policy.policy import shipped_policy
from lotus.decision.wishes import Wish, check_wish
from lotus.errors import ConfigError
from lotus.modules.envelope import RefusedError
from lotus.modules.intents import Reason
from lotus.modules.messages.beliefs import ReviewNote
from lotus.modules.messages.payload import part_of
from lotus_herald.consume import Delivery
from lotus_modules.priors.weave_notes import note_review
from lotus_store.ledger.trading.wishes import put_wish


def note_wish_or_review(delivery: Delivery[Any]) -> str:
    """Handle an act of a person in dm: keep a wish, or a review of a braid, as a row.

    Raises `RefusedError` for a wish out of its bounds or misnamed, and for an unknown kind of review.
    """
    if isinstance(delivery.payload, ReviewNote):
        return note_review(delivery)
    wish = part_of(msgspec.to_builtins(delivery.payload), Wish, "a wish")
    try:
        check_wish(wish, (wish.coin,), shipped_policy().overlay.nudge)
    except ConfigError as problem:
        raise RefusedError(Reason.BAD_PAYLOAD, str(problem), "a wish within its bounds") from problem
    if wish.named() != wish:
        raise RefusedError(Reason.BAD_PAYLOAD, f"wish {wish.act_id}", f"its name, {wish.named().act_id}")
    put_wish(delivery.connection, wish, delivery.envelope.event_id)
    return "applied"
