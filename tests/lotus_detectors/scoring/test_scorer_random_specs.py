"""Random sets of detectors: live equals batch by hash, and nothing looks ahead."""

from collections import Counter

import numpy as np
import pytest
from random_specs import MANIFEST, check_beliefs, check_set, random_beliefs, random_set, random_stretch

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


def test_random_sets_score_live_as_in_batch_under_beliefs_with_gates_and_levels() -> None:
    rng = np.random.default_rng(3)
    frames, notes = random_stretch(3)
    levels, gated, moved = set[int](), 0, 0
    for _ in range(5):
        specs = random_set(rng)
        batch = check_set(specs, frames, notes, int(rng.integers(1, len(frames))))
        versions = random_beliefs(rng, batch)
        events = check_beliefs(batch, versions, int(rng.integers(1, len(batch))))
        levels |= {b.level for version in versions for b in version.braids}
        gated += int(np.count_nonzero(events["gate"]))
        moved += int(np.count_nonzero(events["u"] != events["u0"]))
    assert levels == {0, 1, 2, 3}
    assert 50 < gated < moved


def test_random_detectors_use_the_whole_language() -> None:
    rng, used = np.random.default_rng(0), Counter()
    kernel = MANIFEST.kernel
    for _ in range(80):
        for spec in random_set(rng):
            used.update(node.op for node in topological(spec.checked(kernel.cadence_ms, kernel.window_ms).whole))
    assert not set(OPS) - set(used)
