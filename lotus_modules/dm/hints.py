"""What people send to the decision-maker: a hint, sent by vis, and the withdrawal of a view, sent by sig.

A hint is read here by the decision-maker's input filter, so that a bad one is refused where it is typed. What it is
worth is earned: its source begins at the policy's `human_start`, and nobody sets it. In the literature: expert
elicitation, transactional outbox.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from lotus.decision.alphas import HINT, AlphaContext, AlphaInput, InputFilter, ingest
from lotus.errors import LedgerError, MessageError
from lotus.hashing import natural_id
from lotus.modules.envelope import open_envelope
from lotus.modules.intents import Module
from lotus.modules.messages.payload import Document
from lotus.modules.messages.signals import AlphaWithdrawn, hint_key, hint_message, withdrawn_message
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_modules.dm.decide import refusal_of
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.messages import boxes
from lotus_store.ledger.signals.strands import put_hint
from lotus_store.ledger.trading import inputs

CAUSE = "another coin, horizon or number than the decision-maker listens to"


@dataclass(frozen=True, slots=True)
class Hint:
    """What a person expects: `sign` 1 for long, -1 for short, `conviction` in [0, 1], over `horizon_s` seconds."""

    who: str
    coin: str
    sign: int
    conviction: float
    horizon_s: int
    note: str = ""

    def body(self, branch: str, now_ms: int) -> Document:
        """Return its alpha-hint-1.0 of a time (unix ms)."""
        members = {
            "schema_ver": HINT, "branch": branch, "kind": "human", "author": self.who, "asset": self.coin,
            "asof_ts": datetime.fromtimestamp(now_ms / 1000, UTC).isoformat(timespec="milliseconds"),
            "direction": self.sign, "conviction": self.conviction, "horizon_s": self.horizon_s,
            "suggested_triggers": [], "note": self.note,
        }  # fmt: skip
        return {"event_id": natural_id("hint", *map(str, members.values())), **members}


def tell_hint(databases: Databases, hint: Hint, input_filter: InputFilter, now_ms: int, keys: Keys) -> AlphaInput:
    """Send a hint to the decision-maker; return the view that it will be. Raises `MessageError` with every reason."""
    body = hint.body(input_filter.branch, now_ms)
    view = ingest(body, AlphaContext(body["event_id"], now_ms, ""), input_filter)
    if not isinstance(view, AlphaInput):
        refused = refusal_of(view, "a hint that the decision-maker takes")
        raise MessageError(refused.found, refused.expected, CAUSE)
    with databases.connect("vis") as vis:
        put_hint(vis, body, now_ms)
        send(vis, Module.VIS, hint_message(body, now_ms), keys)
    return view


def withdraw(databases: Databases, branch: str, event_id: str, reason: str, now_ms: int, keys: Keys) -> int:
    """Withdraw a view from the decision-maker; return when it was formed (event time, ms).

    Raises `LedgerError` for a name that neither stands among its views nor was sent as a hint.
    """
    with databases.connect("dm") as dm, databases.connect("vis") as vis:
        formed_ms = inputs.view_time(dm, branch, event_id)
        formed_ms = _sent_ms(vis, branch, event_id) if formed_ms is None else formed_ms
    if formed_ms is None:
        cause = "a typing error, another branch, or a view that is over and forgotten"
        raise LedgerError(f"no view {event_id} on branch {branch}", "the id of a hint or of a window", cause)
    with databases.connect("sig") as sig:
        view = AlphaWithdrawn(branch=branch, event_id=event_id, time_ms=formed_ms, reason=reason)
        send(sig, Module.SIG, withdrawn_message(view, now_ms), keys)
    return formed_ms


def _sent_ms(vis: Connection, branch: str, hint_id: str) -> int | None:
    """Return when a hint was sent that may still be on its way; None when none was."""
    text = boxes.sent(vis, Module.VIS.value, hint_key(branch, hint_id))
    return None if text is None else open_envelope(text).ts
