"""The entry point of a kernel is the kernel: same results, same effects on its arrays; it refuses what it can tell."""

import numpy as np
import pytest

from lotus.jit import kernel
from lotus.jit_entry import entry_point


@kernel
def _running_sum(text: bytes, scale: float, values: np.ndarray, out: np.ndarray) -> tuple[int, float]:
    total = 0.0
    for k in range(values.shape[0]):
        total += scale * values[k]
        out[k] = total
    return len(text), total


def test_it_does_what_the_kernel_does_and_does_not_run_beforehand() -> None:
    values, ours, theirs = np.arange(7.0), np.zeros(7), np.zeros(7)
    call = entry_point(_running_sum, b"", 1.0, values, ours)
    assert not ours.any()
    for text, scale in ((b"", 1.0), (b"abc", 0.1), (b"x" * 3000, -2.5)):
        assert call(text, scale, values, ours) == _running_sum(text, scale, values, theirs)
        assert ours.tobytes() == theirs.tobytes()
    assert entry_point(_running_sum, b"longer", 2.0, values, ours) is call


def test_what_it_can_tell_apart_is_refused() -> None:
    values = np.arange(7.0)
    call = entry_point(_running_sum, b"", 1.0, values, np.zeros(7))
    for other in (np.zeros(7, np.float32), [1.0], "text"):
        with pytest.raises(TypeError, match="unbox"):
            call(b"", 1.0, values, other)
