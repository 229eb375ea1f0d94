"""The lease of a shard: one owner at a time, and what a former owner writes is refused."""

import time
from pathlib import Path

import psycopg
import pytest

from lotus_live.reports.event_log import EventLog, LogBatch
from lotus_store.databases import Connection, Databases
from lotus_store.ledger.shard_lease import MARGIN_S, ShardLease, is_stale, read_shards
from lotus_store.ledger.signals.live_log import LogEntry, Run, append_log, begin_run, read_log


def write(connection: Connection, lease: ShardLease, seq: int) -> None:
    """Write a log entry under a lease."""
    with connection.transaction():
        lease.carry(connection)
        append_log(connection, "sharded", [LogEntry(seq, 0, "test", {})])
    connection.commit()


def test_a_former_owner_writes_nothing_and_the_next_one_does(databases: Databases) -> None:
    with databases.connect("sig") as one, databases.connect("sig") as two:
        begin_run(one, Run("sharded", "main", "tape", False))
        one.commit()
        first, second = ShardLease("1/2", "first", 0.3), ShardLease("1/2", "second", 30.0)
        assert first.take(one)
        assert first.epoch == 1
        assert not second.take(two)
        assert first.renew(one)
        write(one, first, 1)
        time.sleep(0.35)
        with pytest.raises(psycopg.Error) as late:  # expired, though nobody took it
            write(one, first, 2)
        assert is_stale(late.value)
        one.rollback()
        assert second.take(two)
        assert second.epoch == 2
        assert not first.renew(one)
        with pytest.raises(psycopg.Error) as stale:
            write(one, first, 3)
        assert is_stale(stale.value)
        one.rollback()
        write(two, second, 4)
        second.give_back(two)
        assert not first.renew(one)
        assert first.is_lost
        third = ShardLease("1/2", "third", 30.0)
        assert third.take(one)
        assert third.epoch == 3
        assert [(row.shard, row.owner, row.epoch) for row in read_shards(one)] == [("1/2", "third", 3)]
        append_log(one, "sharded", [LogEntry(5, 0, "test", {})])  # names no shard: an unsharded daemon, never refused
        one.commit()
        assert [entry.seq for entry in read_log(one, "sharded")] == [1, 4, 5]


def test_a_holder_stops_before_the_server_lets_another_in(databases: Databases) -> None:
    now = [100.0]
    lease = ShardLease("1/2", "owner", 10.0, lambda: now[0])
    sure = [lease.may_publish]
    with databases.connect("sig") as connection:
        assert lease.take(connection)
    for now[0] in (107.999, 108.0):
        sure.append(lease.may_publish)
    assert MARGIN_S == 2.0
    assert sure == [False, True, False]


def test_only_a_transaction_with_an_epoch_may_not_idle(databases: Databases) -> None:
    with databases.connect("sig") as one, databases.connect("sig") as two:
        first, second = ShardLease("1/2", "first", 0.2), ShardLease("1/2", "second")
        assert first.take(one)
        first.carry(one)
        assert one.execute("SHOW idle_in_transaction_session_timeout").fetchone() == ("5s",)
        one.rollback()
        assert one.execute("SHOW idle_in_transaction_session_timeout").fetchone() != ("5s",)
        one.rollback()
        time.sleep(0.25)
        assert second.take(two)


def test_the_log_of_a_former_owner_stays_unwritten(databases: Databases, tmp_path: Path) -> None:
    with databases.connect("sig") as connection:
        begin_run(connection, Run("sharded", "main", "tape", False))
        lease = ShardLease("1/2", "owner", 30.0)
        assert lease.take(connection)
        log = EventLog(databases, "sharded", tmp_path / "mark.json")
        log.lease = lease
        log.put(LogBatch(1, log=[LogEntry(1, 0, "test", {})]))
        while not log.is_idle:
            time.sleep(0.01)
        lease.give_back(connection)
        assert ShardLease("1/2", "next", 30.0).take(connection)
        log.lease = believing = ShardLease("1/2", "owner", 30.0)  # as if the holder had not noticed
        believing.epoch, believing._until_s = 1, float("inf")
        log.put(LogBatch(2, log=[LogEntry(2, 0, "test", {})]))
        assert log.close()  # it does not try for ever
        assert "epoch 1 of shard 1/2 is stale" in log.last_failure
        assert (log.failures, log.dropped, believing.is_lost) == (1, 1, True)
        assert [entry.seq for entry in read_log(connection, "sharded")] == [1]


def test_a_log_waits_for_a_lease_that_could_not_be_renewed(databases: Databases, tmp_path: Path) -> None:
    with databases.connect("sig") as connection:
        begin_run(connection, Run("sharded", "main", "tape", False))
        lease = ShardLease("1/2", "owner", 30.0)
        assert lease.take(connection)
        until_s, lease._until_s = lease._until_s, 0.0
        log = EventLog(databases, "sharded", tmp_path / "mark.json")
        log.lease = lease
        log.put(LogBatch(1, log=[LogEntry(1, 0, "test", {})]))
        time.sleep(0.2)
        assert not log.is_idle
        assert not read_log(connection, "sharded")
        lease._until_s = until_s
        assert log.close()
        assert [entry.seq for entry in read_log(connection, "sharded")] == [1]
