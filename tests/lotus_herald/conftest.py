"""A message for the tests of the Herald."""

from lotus.hashing import natural_id
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus.modules.messages.beliefs import WatchdogAlert


def alert(name: str, to: tuple[Module, ...] = (Module.DM,), **changes: object) -> Message:
    """A message that every module may send to every other."""
    values = {
        "to": to,
        "intent": Intent.WATCHDOG_ALERT,
        "branch": "main",
        "schema_ref": WatchdogAlert.ref(Module.SIG),
        "payload": {
            "branch": "main", "day": "2025-01-01", "braid_id": name, "detector_id": "sr", "kind": "sunset",
            "reason": "x", "e_value": 20.5, "priors_ver": "0" * 32,
        },
        "ts": 1_735_689_600_000,
        "dedupe_key": natural_id(name),
        "lifecycle_id": name,
    }  # fmt: skip
    return Message(**(values | changes))  # type: ignore[arg-type]
