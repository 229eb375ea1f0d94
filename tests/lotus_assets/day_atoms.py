"""Atoms of days drawn at random."""

import numpy as np


def atoms(day: str, seed: int = 0) -> dict[str, np.ndarray]:
    """Return atoms of two detectors; whole numbers, so that sums are exact in any order."""
    rng = np.random.default_rng([seed, *map(int, day.split("-"))])
    cells = np.array([(d, b, t, c) for d in (0, 1) for b in range(4) for t in (0, 219, 297) for c in (0, 3)])
    cells = cells[rng.random(len(cells)) < 0.8]
    return {
        "detector_id": np.array(["a", "b"], dtype=object)[cells[:, 0]],
        "day": np.full(len(cells), day, dtype=object),
        "block": cells[:, 1].astype(np.uint8),
        "triple": cells[:, 2].astype(np.int16),
        "cell": cells[:, 3].astype(np.int16),
        "r": rng.integers(-50, 50, len(cells)).astype(np.float64),
        "h": rng.integers(0, 9, len(cells)).astype(np.float64),
        "rest_r": rng.integers(-50, 50, len(cells)).astype(np.float64),
        "rest_h": rng.integers(0, 9, len(cells)).astype(np.float64),
        "n": rng.integers(0, 9, len(cells)).astype(np.int32),
    }
