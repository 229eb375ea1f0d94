"""The job behind the inbox sensor: slow messages of the asked module are applied, hot ones are left to the daemon."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from lotus.weave.watchdog import BraidAlert
from lotus_assets.jobs import apply_inbox
from lotus_herald.carry import carry
from lotus_herald.keys import Keys
from lotus_modules.priors.weave_notes import tell_alerts
from lotus_resources.lotus_resource import Lotus
from lotus_sensors.new_inbox import OP
from lotus_store.config import Settings
from lotus_store.ledger.messages.replicas import replicas


@pytest.fixture
def home(settings: Settings) -> Iterator[Lotus]:
    """An open home without tape."""
    opened = Lotus.open(settings)
    yield opened
    opened.close()


def outcomes(lotus: Lotus, module: str) -> list[tuple[object, ...]]:
    with lotus.databases.owner(module) as c:
        return c.execute(f"SELECT intent, outcome FROM {module}_inbox ORDER BY intent").fetchall()


def test_slow_messages_of_one_module_are_applied_and_hot_ones_left(home: Lotus) -> None:
    keys = Keys(home.settings.keys_root)
    sig = BraidAlert(braid_id="b", detector_id="d", kind="expired", reason="x", e_value=1.0)
    alerts = [sig, replace(sig, braid_id="c", scope="dm")]
    with home.databases.connect("sig") as c:
        tell_alerts(c, "main", "2026-01-05", alerts, "0" * 32, keys)
    carry(home.databases, "main")
    with home.databases.owner("dm") as c:
        c.execute(
            "INSERT INTO dm_inbox (event_id, sender, dedupe_key, lifecycle_id, branch, intent, priority, envelope)"
            " SELECT 'hot', sender, 'hot', 'hot', branch, 'ALPHA_PROPOSED', priority, envelope FROM dm_inbox"
        )
    config = {"ops": {OP: {"config": {"module": "dm", "asked_for": []}}}}
    assert apply_inbox.execute_in_process(resources={"lotus": home}, run_config=config).success
    assert outcomes(home, "dm") == [("ALPHA_PROPOSED", None), ("WATCHDOG_ALERT", "applied")]
    assert outcomes(home, "sig") == [("WATCHDOG_ALERT", None)]
    assert apply_inbox.execute_in_process(resources={"lotus": home}).success
    assert outcomes(home, "sig") == [("WATCHDOG_ALERT", "applied")]
    with home.databases.connect("dm") as c:
        assert c.execute("SELECT count(*) FROM dm_dead_letter").fetchone() == (0,)
        (known,) = replicas(c, "dm")
    assert (known.replica_id, known.ended, known.applied, known.health) == ("dagster", True, 1, "ok")
