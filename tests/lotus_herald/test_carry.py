"""Carrying: at least once, de-duplicated for ever; nothing forged, forbidden or expired is delivered."""

import json
import threading
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from lotus.errors import LedgerError
from lotus.modules.envelope import open_envelope
from lotus.modules.intents import Module, Reason
from lotus_herald.carry import Carrier, carry
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.outbox import send
from lotus_herald.routes import Routes
from lotus_store.databases import Databases
from lotus_store.ledger.messages import boxes

from .conftest import alert


def say(databases: Databases, keys: Keys, *names: str, **changes: object) -> None:
    with databases.connect("sig") as connection:
        for name in names:
            send(connection, Module.SIG, alert(name, **changes), keys)  # type: ignore[arg-type]


def inbox(databases: Databases, module: str = "dm") -> list[str]:
    with databases.connect(module) as connection:
        rows = connection.execute(f"SELECT lifecycle_id FROM {module}_inbox ORDER BY arrival").fetchall()
    return [str(r[0]) for r in rows]


def rewrite(databases: Databases, change: dict[str, object]) -> None:
    """Alter the stored envelope of the only waiting row, as a forger in the database could."""
    with databases.connect("sig") as connection:
        text = connection.execute("SELECT envelope FROM sig_outbox").fetchone()
        assert text is not None
        altered = json.dumps(json.loads(str(text[0])) | change)
        connection.execute("UPDATE sig_outbox SET envelope = %s", [altered])


def test_delivers_once_and_in_order_of_urgency(databases: Databases, keys: Keys) -> None:
    say(databases, keys, "a", "b")
    say(databases, keys, "urgent", priority=2)
    first = carry(databases)
    assert first.standing_by == ()
    assert first.delivered == {"dm": 3}
    assert carry(databases).total == 0
    say(databases, keys, "a", "b")
    assert carry(databases).total == 0
    assert inbox(databases) == ["urgent", "a", "b"]


def test_sequence_is_gapless_and_an_undone_send_leaves_nothing(databases: Databases, keys: Keys) -> None:
    say(databases, keys, "a")
    with databases.connect("sig") as connection:
        send(connection, Module.SIG, alert("lost"), keys)
        connection.rollback()
    say(databases, keys, "b")
    with databases.connect("sig") as connection:
        rows = connection.execute("SELECT seq, lifecycle_id FROM sig_outbox ORDER BY seq").fetchall()
    assert rows == [(1, "a"), (2, "b")]


def test_every_target_gets_its_copy_and_the_atlas_a_row(databases: Databases, keys: Keys) -> None:
    say(databases, keys, "a", to=(Module.DM, Module.TR))
    assert carry(databases).delivered == {"dm": 1, "tr": 1}
    assert inbox(databases, "dm") == inbox(databases, "tr") == ["a"]
    with databases.connect("atlas") as connection:
        rows = connection.execute("SELECT module, kind, lifecycle_id, status FROM lotus_ledger").fetchall()
    assert rows == [("sig", "WATCHDOG_ALERT", "a", "delivered")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"sig": "0" * 128}, Reason.BAD_SIGNATURE),
        ({"priors_ver": "other"}, Reason.BAD_SIGNATURE),
        ({"from": "tr"}, Reason.BAD_SIGNATURE),
        ({"payload": {"name": "forged"}}, Reason.BAD_HASH),
        ({"seq": "one"}, Reason.BAD_ENVELOPE),
    ],
)
def test_forged_rows_become_dead_letters(
    databases: Databases, keys: Keys, change: dict[str, object], reason: Reason
) -> None:
    say(databases, keys, "a")
    rewrite(databases, change)
    assert carry(databases).dead == {reason.value: 1}
    assert inbox(databases) == []
    with databases.connect("sig") as connection:
        letters = boxes.dead_letters(connection, "sig")
    assert [(x.place, x.reason) for x in letters] == [("outbox", reason.value)]


def test_a_message_over_one_quota_takes_nothing_from_another(databases: Databases, keys: Keys) -> None:
    say(databases, keys, "tr", to=(Module.TR,))
    say(databases, keys, "both", to=(Module.DM, Module.TR))
    say(databases, keys, "dm", to=(Module.DM,))
    with Links(databases) as links:
        carried = Carrier(links, routes=replace(Routes(), quota_per_minute=1)).carry(1_735_689_600_000)
    assert carried.dead == {"shed": 1}
    assert (inbox(databases, "dm"), inbox(databases, "tr")) == (["dm"], ["tr"])


def test_time_to_live_counts_against_a_clock_only(databases: Databases, keys: Keys) -> None:
    say(databases, keys, "history", ttl_sec=10)
    assert carry(databases).delivered == {"dm": 1}
    say(databases, keys, "live", ttl_sec=10)
    assert carry(databases, now_ms=1_735_689_610_001).dead == {"expired": 1}
    with databases.connect("sig") as connection:
        letter = boxes.dead_letters(connection, "sig")[0]
        assert boxes.replay(connection, "sig", letter.event_id, "outbox")
    assert carry(databases, now_ms=1_735_689_600_000).delivered == {"dm": 1}
    assert inbox(databases) == ["history", "live"]


def test_branches_are_carried_apart(databases: Databases, keys: Keys) -> None:
    say(databases, keys, "m")
    say(databases, keys, "x", branch="backfill-1")
    assert carry(databases, "main").delivered == {"dm": 1}
    assert inbox(databases) == ["m"]
    assert carry(databases, "backfill-1").delivered == {"dm": 1}


class Broken(Databases):
    """Databases of which one is down, or where a connection breaks after its commit."""

    def __init__(self, whole: Databases, down: str) -> None:
        self._whole, self._down = whole, down

    def connect(self, name: str, autocommit: bool = False) -> psycopg.Connection[tuple[object, ...]]:
        if name == self._down:
            raise LedgerError(f"database {name} cannot be reached")
        return self._whole.connect(name, autocommit)


def test_a_target_that_is_down_is_tried_again(databases: Databases, keys: Keys) -> None:
    say(databases, keys, "a", to=(Module.DM, Module.TR))
    assert carry(Broken(databases, "tr")).postponed == 1
    assert carry(databases).total == 0, "it waits for its next attempt"
    with databases.connect("sig") as connection:
        connection.execute("UPDATE sig_outbox SET not_before = to_timestamp(0)")
    again = carry(databases)
    assert (again.delivered["tr"], again.repeated) == (1, 1)
    assert inbox(databases, "dm") == inbox(databases, "tr") == ["a"]


def test_a_target_that_stays_down_makes_a_dead_letter_at_the_last_attempt(databases: Databases, keys: Keys) -> None:
    say(databases, keys, "a", to=(Module.TR,))
    passes = []
    for _ in range(Routes().attempts + 1):
        passes.append(carry(Broken(databases, "tr")))
        with databases.connect("sig") as connection:
            connection.execute("UPDATE sig_outbox SET not_before = to_timestamp(0)")
    assert [one.postponed for one in passes] == [1] * (Routes().attempts - 1) + [0, 0]
    assert [dict(one.dead) for one in passes[-2:]] == [{Reason.UNREACHABLE: 1}, {}]
    assert inbox(databases, "tr") == []


def test_a_kill_between_delivery_and_mark_repeats_nothing(databases: Databases, keys: Keys) -> None:
    say(databases, keys, "a", "b")
    with databases.connect("sig") as connection:
        row = boxes.claim_outbox(connection, "sig", None, 1)[0]
        with databases.connect("dm") as target:
            assert boxes.deliver(target, "dm", [(open_envelope(row.envelope), row.envelope)])
        connection.rollback()
    assert carry(databases).repeated == 1
    assert sorted(inbox(databases)) == ["a", "b"]


def test_two_heralds_at_once_deliver_each_row_once(databases: Databases, keys: Keys) -> None:
    say(databases, keys, *(f"m{k}" for k in range(60)))
    threads = [threading.Thread(target=carry, args=(databases,)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert carry(databases).total == 0
    assert sorted(inbox(databases)) == sorted(f"m{k}" for k in range(60))


def test_concurrent_senders_number_without_a_gap(databases: Databases, keys: Keys) -> None:
    keys.verify_key("sig")

    def speak(who: int) -> None:
        for k in range(10):
            say(databases, keys, f"{who}-{k}")

    threads = [threading.Thread(target=speak, args=(who,)) for who in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with databases.connect("sig") as connection:
        found = [r[0] for r in connection.execute("SELECT seq FROM sig_outbox ORDER BY seq")]
    assert found == list(range(1, 41))


def test_keys_are_private_files_and_stay(tmp_path: Path) -> None:
    first = Keys(tmp_path / "k").verify_key("sig")
    assert Keys(tmp_path / "k").verify_key("sig") == first
    assert Keys(tmp_path / "k").verify_key("dm") != first
    assert (tmp_path / "k").stat().st_mode & 0o777 == 0o700
    assert [p.stat().st_mode & 0o777 for p in sorted((tmp_path / "k").iterdir())] == [0o600, 0o600]


def test_messages_that_waited_are_counted(databases: Databases, keys: Keys) -> None:
    say(databases, keys, "a")
    with databases.connect("sig") as connection:
        assert replace(boxes.lag(connection, "sig"), oldest_s=0) == boxes.Lag(1, 0, 0)
    carry(databases)
    with databases.connect("dm") as connection:
        assert boxes.lag(connection, "dm").inbox == 1
        assert [x[1:] for x in boxes.waiting(connection, "dm")] == [("main", "WATCHDOG_ALERT")]
