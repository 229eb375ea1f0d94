"""`lotus_store/ledger/messages/old_messages.py`: no gap is seen, no message comes twice, a cut purge ends the same."""

from contextlib import ExitStack, closing
from typing import Any

import pytest
from cut_statements import cut_everywhere

from lotus.modules.intents import Module
from lotus_herald.carry import carry
from lotus_herald.gaps import GapWatch
from lotus_herald.keys import Keys
from lotus_herald.links import Links
from lotus_herald.outbox import send_many
from lotus_store.databases import Databases
from lotus_store.ledger import atlas, retention
from lotus_store.ledger.messages.old_messages import drop_messages
from lotus_store.postgres.queries import MODULES, Connection

from .conftest import alert

N, OLD = 110, 105


@pytest.fixture
def aged(databases: Databases, keys: Keys) -> Databases:
    """Messages of sig that dm was done with, all but the last five a long time ago; a strand of the first thread."""
    with databases.connect("sig") as sig:
        send_many(sig, Module.SIG, [alert(f"m{k}") for k in range(N)], keys)
    carry(databases)
    with databases.owner("sig") as sig, databases.owner("dm") as dm:
        sig.execute("UPDATE sig_outbox SET created_at = '2025-01-01' WHERE seq <= %s", [OLD])
        dm.execute("UPDATE dm_inbox SET consumed_at = now(), outcome = 'applied'")
        dm.execute(
            "UPDATE dm_inbox SET consumed_at = '2025-01-01' WHERE arrival < (SELECT max(arrival) - 4 FROM dm_inbox)"
        )
        dm.execute(
            "INSERT INTO dm_strand (id, lifecycle_id, kind, symbol, timeframe, session_bucket)"
            " VALUES ('s1', 'm0', 'decision', 'BTC', '30s', 'ASIA')"
        )
    with databases.connect("dm") as dm, closing(databases.connect("atlas", autocommit=True)) as ledger:
        atlas.mirror_strands(dm, ledger, Module.DM, atlas.moment(dm, Module.DM).replace(year=2000))
    assert atlas.differences(databases).equal
    return databases


def go(databases: Databases, first_day: str = "2025-06-01") -> dict[str, int]:
    """Let go what is older than a day; return what went."""
    with ExitStack() as opened:

        def open_one(name: str) -> Connection:
            return opened.enter_context(closing(databases.owner(name, autocommit=True)))

        done = drop_messages({m: open_one(m) for m in MODULES}, open_one("atlas"), first_day)
    return {table: n for table, n in done.items() if n}


def left(databases: Databases) -> dict[str, list[Any]]:
    """Return what stands of messages."""
    found = {}
    for module, table in (
        ("sig", "sig_outbox"),
        ("dm", "dm_inbox"),
        ("sig", "sig_message_mark"),
        ("atlas", "lotus_ledger"),
    ):
        with databases.owner(module) as c:
            found[table] = c.execute(f"SELECT t::text FROM {table} t ORDER BY 1").fetchall()  # type: ignore[call-overload]
    return found


def test_what_is_old_goes_and_nobody_takes_it_for_lost_or_new(aged: Databases, keys: Keys) -> None:
    assert go(aged, "2024-12-01") == {}
    assert go(aged) == {"sig_outbox": OLD, "dm_inbox": N - 100}
    whole = left(aged)
    assert [len(rows) for rows in whole.values()] == [N - OLD, 100, 1, N - OLD + 1]
    assert go(aged) == {}
    assert left(aged) == whole
    with Links(aged) as links:
        watch = GapWatch(links)
        assert [watch.look(Module.SIG) for _ in range(3)] == [{}, {}, {}]
    with aged.connect("sig") as sig:
        assert retention.forgotten_day(sig, "main") == "2024-12-31"  # a message of 2025-01-01T00:00 ends the day before
        again, new = send_many(sig, Module.SIG, [alert(f"m{N - 1}"), alert("new")], keys)
        assert (f'"seq":{N},' in again, f'"seq":{N + 1},' in new) == (True, True)
    assert carry(aged).delivered == {"dm": 1}
    assert atlas.differences(aged).equal
    atlas.rebuild(aged)
    with aged.connect("atlas") as ledger:
        assert [row.branch for row in atlas.lifecycle(ledger, "m0")] == ["main"]  # the strand still knows its branch


def test_a_row_lost_below_young_ones_is_still_a_gap(aged: Databases) -> None:
    go(aged)
    with aged.owner("sig") as sig:
        sig.execute("DELETE FROM sig_outbox WHERE seq = %s", [OLD + 2])
    with Links(aged) as links:
        watch, found = GapWatch(links), dict[int, str]()
        for _ in range(1000):
            found |= watch.look(Module.SIG)
            if found:
                break
    assert found == {OLD + 2: "healed"}


@pytest.mark.parametrize("waits", ["dm_inbox SET consumed_at = NULL", "sig_outbox SET dispatched_at = NULL"])
def test_a_message_that_waits_holds_all_that_came_with_it(aged: Databases, waits: str) -> None:
    module = waits.split("_")[0]
    with aged.owner(module) as c:
        c.execute(f"UPDATE {waits} WHERE lifecycle_id = 'm7'")  # type: ignore[call-overload]
        if module == "dm":
            c.execute("UPDATE dm_inbox SET received_at = '2024-12-31' WHERE lifecycle_id = 'm7'")
    assert go(aged) == {}


@pytest.mark.kill("the purge is cut off before each of its statements")
def test_cut_off_before_any_statement_and_run_again_ends_the_same(aged: Databases, monkeypatch: Any) -> None:
    assert cut_everywhere(monkeypatch, lambda: go(aged)) > 20
    assert [len(rows) for rows in left(aged).values()] == [N - OLD, 100, 1, N - OLD + 1]
    assert atlas.differences(aged).equal
