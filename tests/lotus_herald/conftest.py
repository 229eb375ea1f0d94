"""What the Herald's tests share: keys, a handler, messages and versions of the priors."""

from pathlib import Path

import pytest

from lotus.hashing import natural_id
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus_herald.keys import Keys


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


def alert(name: str, to: tuple[Module, ...] = (Module.DM,), **changes: object) -> Message:
    """A message that every module may send to every other."""
    values = {
        "to": to,
        "intent": Intent.WATCHDOG_ALERT,
        "branch": "main",
        "schema_ref": "urn:schema:sig.alert:v1",
        "payload": {"name": name},
        "ts": 1_735_689_600_000,
        "dedupe_key": natural_id(name),
        "lifecycle_id": name,
    }
    return Message(**(values | changes))  # type: ignore[arg-type]
