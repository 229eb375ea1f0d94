"""Random sets of detectors: live equals batch by hash, and nothing looks ahead."""

from collections import Counter

import numpy as np
import pytest
from random_specs import MANIFEST, check_set, random_set, random_stretch

from lotus.detectors.windows.row_spec import F_SIGNAL
from lotus.tape_machine.complexity import topological
from lotus.tape_machine.node import OPS

SETS = 24  # of every seed; the command of `random_specs` takes any number


@pytest.mark.parametrize("seed", [1, 2])
def test_random_sets_are_equal_live_and_in_batch_and_never_look_ahead(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frames, notes = random_stretch(seed)
    spoken = 0
    for _ in range(SETS):
        batch = check_set(random_set(rng), frames, notes, int(rng.integers(1, len(frames))))
        spoken += bool(np.std(batch.floats[:, F_SIGNAL:], axis=0).any())
    assert spoken > SETS // 2


def test_random_detectors_use_the_whole_language() -> None:
    rng, used = np.random.default_rng(0), Counter()
    kernel = MANIFEST.kernel
    for _ in range(80):
        for spec in random_set(rng):
            used.update(node.op for node in topological(spec.checked(kernel.cadence_ms, kernel.window_ms).whole))
    assert not set(OPS) - set(used)
