"""What the Herald's tests share: keys, messages, and a trader importable as `herald_hot_bed`."""

import importlib.util
import sys
from pathlib import Path

import pytest

from lotus.hashing import natural_id
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus.modules.payloads import WATCHDOG_ALERT_REF
from lotus_herald.keys import Keys

_spec = importlib.util.spec_from_file_location("herald_hot_bed", Path(__file__).with_name("hot_bed.py"))
assert _spec is not None
assert _spec.loader is not None
_module = importlib.util.module_from_spec(_spec)
sys.modules[_spec.name] = _module
_spec.loader.exec_module(_module)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


def alert(name: str, to: tuple[Module, ...] = (Module.DM,), **changes: object) -> Message:
    """A message that every module may send to every other."""
    values = {
        "to": to,
        "intent": Intent.WATCHDOG_ALERT,
        "branch": "main",
        "schema_ref": WATCHDOG_ALERT_REF,
        "payload": {
            "branch": "main", "day": "2025-01-01", "braid_id": name, "detector_id": "sr", "kind": "sunset",
            "reason": "x", "e_value": 20.5, "priors_ver": "0" * 32,
        },
        "ts": 1_735_689_600_000,
        "dedupe_key": natural_id(name),
        "lifecycle_id": name,
    }  # fmt: skip
    return Message(**(values | changes))  # type: ignore[arg-type]
