"""The atlas: rows follow from what they mirror, a rebuild changes nothing, and any difference is seen."""

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from lotus.atlas.numbers import ModuleNumbers
from lotus.atlas.rows import UNREADABLE, row_of_message
from lotus.hashing import natural_id
from lotus.modules.envelope import Message
from lotus.modules.intents import Intent, Module
from lotus_herald.carry import carry
from lotus_herald.keys import Keys
from lotus_herald.outbox import send
from lotus_store.databases import Databases
from lotus_store.ledger import atlas
from lotus_store.ledger.messages import boxes
from lotus_store.ledger.module_numbers import write_numbers

TS = 1_735_689_600_000
DAY, BEFORE = "2025-01-01", "2024-12-31"  # of TS, and the day before
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
        letter = boxes.dead_letters(connection, "dm")[0]
        boxes.replay(connection, "dm", letter.event_id, letter.place)
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


def numbers(module: str, frequency: float | None, day: str = BEFORE) -> ModuleNumbers:
    bound = {"entangled_with": "tr", "entangled_lag": 1, "entangled_bits": 0.25, "entangled_chance": 1e-05}
    return ModuleNumbers(branch="main", day=day, module=module, resonance_frequency=frequency, **bound)  # type: ignore[arg-type]


def bring(databases: Databases, *rows: ModuleNumbers) -> int:
    """Write numbers as their stage does: rows of record first, then the copy."""
    with databases.connect("sig") as connection:
        write_numbers(connection, rows)
    with databases.connect("atlas") as connection:
        return atlas.take_numbers(connection, rows)


def carried(databases: Databases) -> list[tuple[str, float | None, object]]:
    with databases.connect("atlas") as connection:
        rows = [row for thread in ("thread0", "thread1") for row in atlas.lifecycle(connection, thread)]
    return sorted((row.module, row.resonance_frequency, (row.entanglement_data or {}).get("chance")) for row in rows)


def test_rows_carry_the_numbers_of_the_day_before_whichever_comes_first(told: Databases) -> None:
    assert bring(told, numbers("sig", 0.7), numbers("sig", 9.0, DAY), numbers("tr", 5.0)) == 3
    expected = [("dm", None, None), *[("sig", 0.7, 1e-05)] * 3]
    assert carried(told) == expected, "rows that were there took them up"
    carry(told)
    assert carried(told) == [*expected, ("sig", 0.7, 1e-05)], "and so did a row that came later"
    found = atlas.differences(told)
    assert (found.equal, found.rows) == (True, 5)
    assert atlas.rebuild(told) == 5
    assert carried(told) == [*expected, ("sig", 0.7, 1e-05)]
    assert atlas.differences(told).equal
    assert bring(told, numbers("sig", 0.7)) == 0, "the same again changes nothing"


def test_another_number_of_a_day_reaches_the_rows_of_the_day_after_only(told: Databases) -> None:
    bring(told, numbers("sig", 0.7))
    before = carried(told)
    assert bring(told, numbers("sig", 1.5, DAY)) == 1
    assert carried(told) == before, "what happens on a day changes none of its rows"
    assert bring(told, numbers("sig", None)) == 1
    assert carried(told) == [("dm", None, None), *[("sig", None, 1e-05)] * 3]
    assert atlas.differences(told).equal


def test_strands_carry_them_too(told: Databases) -> None:
    bring(told, numbers("dm", 0.25))
    with told.connect("dm") as connection:
        connection.execute(STRAND)
        connection.execute("UPDATE dm_strand SET created_at = to_timestamp(%s)", [TS / 1000])
    atlas.rebuild(told)
    assert ("dm", 0.25, 1e-05) in carried(told)
    assert atlas.differences(told).equal
    bring(told, numbers("dm", 0.5))
    assert [frequency for module, frequency, _ in carried(told) if module == "dm"] == [0.5, 0.5]
    assert atlas.differences(told).equal


def test_numbers_that_the_atlas_did_not_take_are_seen_and_healed(told: Databases) -> None:
    with told.connect("sig") as connection:
        write_numbers(connection, [numbers("sig", 0.7)])
    found = atlas.differences(told)
    assert (found.equal, found.numbers, len(found.changed)) == (False, (f"main {BEFORE} sig",), 3)
    atlas.rebuild(told)
    assert atlas.differences(told).equal


def test_writers_of_rows_and_bringers_of_numbers_at_once(told: Databases) -> None:
    """Sixty rows while their day's numbers change thirty times: no row is left with what no longer holds."""
    with told.connect("atlas") as connection:
        row = atlas.lifecycle(connection, "thread1")[0]

    def work(k: int) -> None:
        if k % 3 == 0:
            bring(told, numbers("sig", float(k)))
        with told.connect("atlas") as connection:
            atlas.put(connection, [msgspec.structs.replace(row, ledger_id=f"row{k}")])

    with ThreadPoolExecutor(4) as pool:
        assert len(list(pool.map(work, range(1, 61)))) == 60
    with told.connect("atlas") as connection:
        rows = connection.execute(
            "SELECT resonance_frequency, count(*) FROM lotus_ledger WHERE module = 'sig' GROUP BY 1"
        )
        held = connection.execute("SELECT resonance_frequency FROM ledger_numbers").fetchone()
        assert held is not None
        assert rows.fetchall() == [(held[0], 63)]
