"""The alarm of a monitor: what was found beside what was expected, of which subject. Building only."""

from typing import Annotated, ClassVar
from typing import Literal as OneOf

from msgspec import Meta
from msgspec.structs import replace

from lotus.hashing import natural_id
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus.modules.messages.payload import Contract, Payload, TimeMs, message_of

LONGEST = 2_000  # characters of a text; what is longer is cut before it is sent
Severity = OneOf["warn", "error"]
WORD = 128
Word = Annotated[str, Meta(min_length=1, max_length=WORD, pattern="^[^\\x00-\\x1f]*$")]
Text = Annotated[str, Meta(max_length=LONGEST, pattern="^[^\\x00]*$")]


class MonitorAlert(Payload, frozen=True, kw_only=True):
    """What a monitor of data, scores, promises or runs found at `time_ms`, an hour for what goes on.

    `act_id`: the act of governance that followed, "" for none. No monitor reverts a belief.
    """

    contract: ClassVar = Contract(Intent.WATCHDOG_ALERT, {Module.SIG: (Module.SIG,)}, priority=2)
    branch: str
    time_ms: TimeMs
    kind: Word
    subject: Word
    found: Text
    expected: Text
    severity: Severity = "warn"
    act_id: Annotated[str, Meta(max_length=32)] = ""


def shown(text: str, most: int = LONGEST) -> str:
    """Return a text of anywhere as an alarm may hold it: printable, one line, cut; "?" for nothing."""
    clean = "".join(c if c.isprintable() else " " for c in text).strip()
    return clean[:most] or "?"


def alert_key(alert: MonitorAlert) -> str:
    """Return the name of an alarm: a subject is told once for a kind and time, whatever was found."""
    return natural_id("monitor", alert.branch, alert.kind, alert.subject, alert.time_ms)


def monitor_message(alert: MonitorAlert) -> Message:
    """Return the message that carries an alarm to the queue of curation; the same alarm is always the same message."""
    thread = natural_id("monitor", alert.branch, alert.kind, alert.subject)
    message = message_of(alert, Module.SIG, alert.branch, alert.time_ms, alert_key(alert), thread)
    return replace(message, priority=1, tags=("sig:monitor",))
