"""The atlas: rows follow from what they mirror, a rebuild changes nothing, and any difference is seen."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from lotus.atlas.rows import UNREADABLE, row_of_message
from lotus.hashing import natural_id
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus_herald.carry import carry
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_store.databases import Databases
from lotus_store.ledger import atlas, messages

TS = 1_735_689_600_000
STRAND = (
    "INSERT INTO dm_strand (id, lifecycle_id, kind, symbol, timeframe, session_bucket) "
    "VALUES ('s1', 'thread0', 'decision', 'BTC', '30s', 'ASIA')"
)


@pytest.fixture
def told(databases: Databases, tmp_path: Path) -> Databases:
    """Four messages of one day: three delivered, one dead (its sender may not say it), and one still waiting."""
    keys = Keys(tmp_path / "keys")

    def say(name: str, sender: Module = Module.SIG, **changes: object) -> None:
        values = {
            "to": (Module.DM,),
            "intent": Intent.WATCHDOG_ALERT,
            "branch": "main",
            "schema_ref": "urn:schema:sig.alpha_proposed:v1",
            "payload": {
                "branch": "main", "event_id": natural_id(name), "detector_id": "sr", "asset": "BTC", "time_ms": TS,
                "horizon_s": 300, "priors_ver": "0" * 32, "signal": {},
            },
            "ts": TS,
            "dedupe_key": natural_id(name),
            "lifecycle_id": f"thread{len(name) % 2}",
            "tags": ("a", "b"),
        }  # fmt: skip
        with databases.connect(sender.value) as connection:
            send(connection, sender, Message(**(values | changes)), keys)  # type: ignore[arg-type]

    for name in ("a", "bb", "ccc"):
        say(name)
    say("dead", Module.DM, to=(Module.SIG,), intent=Intent.DM_DECISION)
    carry(databases)
    say("late")
    return databases


def test_the_herald_writes_what_a_rebuild_gives(told: Databases) -> None:
    found = atlas.differences(told)
    assert (found.equal, found.rows, found.waiting) == (True, 4, 1)
    with told.connect("atlas") as connection:
        before = atlas.lifecycle(connection, "thread1")
    assert atlas.rebuild(told) == 4
    with told.connect("atlas") as connection:
        assert atlas.lifecycle(connection, "thread1") == before
    assert [(r.symbol, r.timeframe, r.session_bucket, r.status, r.tags) for r in before] == [
        ("BTC", "300s", "ASIA", "delivered", ["a", "b"])
    ] * 2
    assert before[0].created_at == datetime.fromtimestamp(TS / 1000, UTC)
    carry(told)
    assert atlas.differences(told).rows == 5


@pytest.mark.parametrize(
    ("harm", "kind"),
    [
        ("DELETE FROM lotus_ledger WHERE status = 'dead'", "missing"),
        ("UPDATE lotus_ledger SET symbol = 'ETH' WHERE status = 'dead'", "changed"),
        ("UPDATE lotus_ledger SET ledger_id = 'x' WHERE status = 'dead'", "extra"),
    ],
)
def test_every_difference_is_seen_and_healed(told: Databases, harm: str, kind: str) -> None:
    with told.owner("atlas") as connection:
        connection.execute(harm)
    found = atlas.differences(told)
    assert not found.equal
    assert len(getattr(found, kind)) == 1
    atlas.rebuild(told)
    assert atlas.differences(told).equal


def test_strands_are_mirrored_too(told: Databases) -> None:
    with told.connect("dm") as connection:
        connection.execute(STRAND)
    assert atlas.differences(told).missing == ("dm:s1",)
    atlas.rebuild(told)
    with told.connect("atlas") as connection:
        strand = atlas.lifecycle(connection, "thread0")[-1]
    assert (strand.ref_table, strand.ref_id, strand.symbol, strand.status) == ("dm_strand", "s1", "BTC", "kept")


def test_a_replayed_letter_changes_its_row(told: Databases) -> None:
    with told.connect("dm") as connection:
        letter = messages.dead_letters(connection, "dm")[0]
        messages.replay(connection, "dm", letter.event_id, letter.place)
    assert atlas.differences(told).equal, "what waits again is not compared"
    carry(told)
    assert atlas.differences(told).equal


def test_a_text_that_is_no_envelope_has_a_row() -> None:
    row = row_of_message(Module.TR, "id", "{", 3, "dead", datetime.fromtimestamp(0, UTC))
    assert (row.kind, row.lifecycle_id, row.retry_count, row.session_bucket) == (UNREADABLE, "id", 3, None)


@pytest.mark.parametrize(
    "change", [{"ts": 10**15}, {"ttl_sec": 2**31}, {"lifecycle_id": "\0"}, {"payload": {"asset": "\0"}}]
)
def test_what_no_column_holds_is_unreadable_and_stops_nobody(told: Databases, change: dict[str, object]) -> None:
    with told.connect("sig") as connection:
        text = str(
            (connection.execute("SELECT envelope FROM sig_outbox WHERE dispatched_at IS NULL").fetchone() or "")[0]
        )
        altered = json.dumps(json.loads(text) | change)
        connection.execute("UPDATE sig_outbox SET envelope = %s WHERE envelope = %s", [altered, text])
    assert carry(told).dead
    assert atlas.differences(told).equal
    with told.connect("atlas") as connection:
        kinds = connection.execute("SELECT kind, count(*) FROM lotus_ledger WHERE kind = %s GROUP BY 1", [UNREADABLE])
        assert kinds.fetchall() == [(UNREADABLE, 1)]
