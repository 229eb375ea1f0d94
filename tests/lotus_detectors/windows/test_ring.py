"""The ring of recent frames: what it keeps, in which order, and what it says of frames not seen yet."""

import numpy as np
import pytest

from lotus.detectors.windows import ring as ring_file
from lotus.detectors.windows.ring import FrameRing, put_frame
from lotus.microtape.frames.spec import I_END, N_FLOATS, N_INTS


def test_the_ring_keeps_the_latest_frames_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ring_file, "RING_ROWS", 2048)
    ring = FrameRing()
    assert len(ring.last(1_000).ints) == 0
    ints, floats = np.zeros(N_INTS, np.int64), np.zeros(N_FLOATS)
    for k in range(5_000):
        ints[I_END], floats[0] = 200 * k, k
        ring.make_room(1)
        assert put_frame(*ring.arrays, ints, floats) == k
        assert not ring.is_annotated(k)
        ring.row(k)[2][:] = float(k)
    for span_ms, n in ((1_000, 5), (10**9, 2048)):
        kept = ring.last(span_ms)
        assert kept.ints[:, I_END].tolist() == [200 * k for k in range(5_000 - n, 5_000)]
        assert np.array_equal(kept.floats[:, 0], kept.annotations[:, 0])
