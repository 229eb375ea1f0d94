"""Events of a block are those of its symbols, with their values, in their order."""

import numpy as np

from lotus.microtape.events import EventBatch
from lotus_assets.stages.blocks.split import chosen

N = 5
BATCH = EventBatch(
    recv_ns=np.arange(N), time_ms=np.arange(N) * 10, seq=np.arange(N) - 2, kind=np.array([5, 3, 4, 6, 3], np.uint8),
    asset=np.array([0, 1, 0, 1, 2], np.int16), off=np.array([0, 2, 3, 6, 6, 8]), pool=np.arange(8) + 100,
)  # fmt: skip


def test_chosen_events_keep_their_values() -> None:
    own = chosen(BATCH, BATCH.asset == 0)
    own.check()
    assert own.seq.tolist() == [-2, 0]
    assert [own.payload(k).tolist() for k in range(2)] == [[100, 101], [103, 104, 105]]
    others = chosen(BATCH, BATCH.asset != 0)
    assert [others.payload(k).tolist() for k in range(3)] == [[102], [], [106, 107]]
    assert len(chosen(BATCH, np.zeros(N, np.bool_))) == 0
