"""Into how many shards a tape is divided, and whose coins are whose."""

from pathlib import Path

import pytest

from lotus.errors import TapeError
from lotus_store.tape.shards.plan import MOST_SHARDS, PLAN, Shard, read_plan, refuse_other, shards_of, write_plan


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_coin_is_in_one_shard_and_stays_there_when_others_come(count: int) -> None:
    few, many = list(range(7)), list(range(23))
    assert sorted(coin for shard in shards_of(count) for coin in shard.of(few)) == few
    for shard in shards_of(count):
        assert shard.of(many)[: len(shard.of(few))] == shard.of(few)


def test_a_shard_without_a_coin_is_refused() -> None:
    with pytest.raises(TapeError, match="shard 2 of 3 has no coin of 2"):
        Shard(2, 3).of(["BTC", "ETH"])


def test_the_number_of_shards_is_said_once(tmp_path: Path) -> None:
    assert read_plan(tmp_path) == 0
    write_plan(tmp_path, 3)
    write_plan(tmp_path, 3)
    assert read_plan(tmp_path) == 3
    for again in (write_plan, refuse_other):
        with pytest.raises(TapeError, match="has 3 shards; expected: 4"):
            again(tmp_path, 4)


@pytest.mark.parametrize("raw", [b"", b"nonsense", b'{"shards":"3"}', b"\xff", b"[" * 100_000])
def test_a_damaged_plan_is_named(tmp_path: Path, raw: bytes) -> None:
    (tmp_path / PLAN).write_bytes(raw)
    with pytest.raises(TapeError, match=r"shards\.json is damaged"):
        read_plan(tmp_path)


@pytest.mark.parametrize("count", [0, MOST_SHARDS + 1])
def test_a_plan_of_no_or_too_many_shards_is_refused(tmp_path: Path, count: int) -> None:
    write_plan(tmp_path, count)
    with pytest.raises(TapeError, match=f"says {count} shards"):
        read_plan(tmp_path)
