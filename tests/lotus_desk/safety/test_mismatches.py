"""A module that speaks under another release is told."""

import pytest

from lotus.modules.intents import Module
from lotus.modules.messages.trading import SafetyAlert, safety_message
from lotus_desk.safety.mismatches import mismatches
from lotus_herald import outbox
from lotus_herald.keys import Keys
from lotus_store.config import Settings
from lotus_store.databases import Databases

NOW_MS = 1_700_000_000_000


def test_a_module_that_speaks_under_another_release_is_told(
    databases: Databases, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    alert = SafetyAlert(branch="main", time_ms=NOW_MS, kind="k", found="f", expected="e", done="d")
    with monkeypatch.context() as patch, databases.connect("tr") as connection:
        patch.setattr(outbox, "release_of", lambda _module: "lotus-0.0.1+0123456789abcdef")
        outbox.send_many(connection, Module.TR, [safety_message(alert)], Keys(settings.keys_root))
    (found,) = mismatches(databases)
    assert found.startswith("tr spoke as lotus-0.0.1+0123456789abcdef; this program is lotus-")
    with databases.owner("tr") as connection:
        connection.execute("UPDATE tr_outbox SET created_at = now() - interval '2 minutes'")
    assert mismatches(databases) == [], "what was said before the programs were exchanged"
