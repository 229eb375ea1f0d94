"""`lotus herald` as a user meets it: nothing yet, a message carried, a dead letter seen and replayed, one thread."""

import json
from typing import Any

import pytest
from click.testing import CliRunner

from lotus.hashing import natural_id
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus.modules.messages.beliefs import WatchdogAlert
from lotus_cli.main import main
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_store.config import Settings
from lotus_store.databases import Databases


@pytest.fixture(autouse=True)
def _home(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """The home and server that every command finds."""
    monkeypatch.setenv("LOTUS_HOME", str(settings.home))
    monkeypatch.setenv("LOTUS_PG_DSN", str(settings.server_dsn))


def say(databases: Databases, settings: Settings, name: str, intent: Intent) -> str:
    """Put a message into sig's outbox; return its name."""
    payload = {
        "branch": "main", "day": "2025-01-01", "braid_id": name, "detector_id": "sr", "kind": "sunset", "reason": "x",
        "e_value": 20.5, "priors_ver": "0" * 32,
    }  # fmt: skip
    message = Message(
        to=(Module.DM,), intent=intent, branch="main", schema_ref=WatchdogAlert.ref(Module.SIG), payload=payload,
        ts=1_735_689_600_000, dedupe_key=natural_id(name), lifecycle_id=f"life of {name}",
    )  # fmt: skip
    with databases.connect("sig") as connection:
        return send(connection, Module.SIG, message, Keys(settings.keys_root)).event_id


def told(*words: str) -> dict[str, Any]:
    """Run `lotus herald ... --json` and return its answer."""
    done = CliRunner().invoke(main, ["herald", *words, "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    answer = json.loads(done.stdout)
    assert isinstance(answer, dict)
    return answer


def carried() -> None:
    """Run the Herald until nothing waits in sig's outbox."""
    for _ in range(20):
        told("--seconds", "1")
        if told("status")["sig"]["outbox"] == 0:
            return
    raise AssertionError("the outbox was not emptied")


def test_carried_refused_replayed_and_followed(databases: Databases, settings: Settings) -> None:
    assert told("status")["sig"]["outbox"] == 0
    good = say(databases, settings, "good", Intent.WATCHDOG_ALERT)
    bad = say(databases, settings, "bad", Intent.DM_DECISION)  # only dm may say it
    assert told("status")["sig"]["outbox"] == 2
    carried()
    status = told("status")
    assert (status["sig"]["outbox"], status["dm"]["inbox"]) == (0, 1)
    assert status["sig"]["dead"] == {"outbox not_allowed": 1}
    (letter,) = told("dead")["dead"]
    assert (letter["event_id"], letter["place"], letter["reason"]) == (bad, "outbox", "not_allowed")
    (row,) = told("thread", "life of good")["thread"]
    assert (row["ref_id"], row["status"], row["kind"]) == (good, "delivered", "WATCHDOG_ALERT")
    assert told("replay", bad)["replayed"] == 1
    assert told("status")["sig"]["outbox"] == 1
    carried()
    assert [x["event_id"] for x in told("dead")["dead"]] == [bad]


def test_what_is_not_there_is_said() -> None:
    done = CliRunner().invoke(main, ["herald", "thread", "nothing"])
    assert done.exit_code == 3
    assert "nothing in the atlas belongs to nothing" in done.stderr
    assert CliRunner().invoke(main, ["herald", "replay"]).exit_code == 2
