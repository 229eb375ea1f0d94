"""The keeper stands by, takes over, notices that it lost the lease, and refuses another number of shards."""

import asyncio
import time

import pytest

from lotus.errors import ConfigError, LedgerError
from lotus_live.shards.keeper import ShardKeeper, live_shards
from lotus_live.shards.share import Share
from lotus_store.databases import Databases
from lotus_store.ledger.shard_lease import ShardLease


def test_a_second_process_stands_by_and_takes_over_when_the_first_ends(databases: Databases) -> None:
    said: list[str] = []

    async def both() -> None:
        first, second = (ShardKeeper(databases, Share(1, 2), "main") for _ in range(2))
        await first.stand_by(said.append)
        waiting = asyncio.create_task(second.stand_by(said.append))
        await asyncio.sleep(0.3)
        assert not waiting.done()
        assert [row.owner for row in live_shards(databases, "main")] == [first.lease.owner]
        assert live_shards(databases, "other") == []
        first.close()
        await asyncio.wait_for(waiting, 5)
        assert second.lease.epoch == first.lease.epoch + 1
        assert second.lease.may_publish
        second.close()
        assert live_shards(databases, "main") == []

    asyncio.run(both())
    assert len(said) == 1
    assert "standing by: shard main 1/2 is held by" in said[0]


@pytest.mark.clock("a lease has to run out, and a keeper to look")
def test_a_keeper_whose_lease_another_took_says_so(databases: Databases) -> None:
    lost: list[LedgerError] = []

    async def one() -> ShardKeeper:
        keeper = ShardKeeper(databases, Share(1, 2), "main", ttl_s=0.1)
        await keeper.stand_by(print)
        keeper.on_lost = lost.append
        return keeper

    keeper = asyncio.run(one())
    time.sleep(0.15)
    with databases.connect("sig") as sig:
        assert ShardLease("main 1/2", "another", 30.0).take(sig)
    deadline = time.monotonic() + 10
    while not lost and time.monotonic() < deadline:
        time.sleep(0.05)
    assert "shard main 1/2 has another owner than epoch 1" in str(lost[0])
    with pytest.raises(LedgerError, match="another owner"):
        keeper.check()
    keeper.close()
    assert [row.owner for row in live_shards(databases, "main")] == ["another"]


def test_two_ways_to_divide_one_universe_are_refused(databases: Databases) -> None:
    async def both() -> None:
        first = ShardKeeper(databases, Share(1, 2), "main")
        await first.stand_by(print)
        with pytest.raises(ConfigError, match="expected: shards of 3"):
            await ShardKeeper(databases, Share(1, 3), "main").stand_by(print)
        other = ShardKeeper(databases, Share(1, 3), "other")
        await other.stand_by(print)
        other.close()
        first.close()

    asyncio.run(both())
