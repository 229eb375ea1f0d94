"""What shards closed: written again it is the same, read of the coins asked for, forgotten after a while."""

from lotus.detectors.scoring.others import ClosedWindow
from lotus_store.databases import Databases
from lotus_store.ledger.shard_windows import KEPT_MS, put_windows, read_windows

BTC, ETH = ClosedWindow("BTC", 0.6, -0.8, 3, 2), ClosedWindow("ETH", None, None, 0, 1)


def test_windows_of_other_shards_are_read_as_they_were_closed(databases: Databases) -> None:
    with databases.connect("sig") as sig:
        for _ in range(2):
            put_windows(sig, "main", [(5_000, BTC), (5_000, ETH)])
        put_windows(sig, "other", [(5_000, ClosedWindow("SOL", 1.0, 0.0, 1, 1))])
        assert read_windows(sig, "main", 5_000, ["ETH", "BTC", "SOL"]) == [BTC, ETH]
        assert read_windows(sig, "main", 5_000, ["ETH"]) == [ETH]
        assert read_windows(sig, "main", 10_000, ["ETH"]) == []
        put_windows(sig, "main", [(5_001 + KEPT_MS, BTC)])
        assert read_windows(sig, "main", 5_000, ["BTC", "ETH"]) == [ETH]
