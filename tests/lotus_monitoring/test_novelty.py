"""Pairs of bins: what was seen stays seen through its text, and only what was never seen is new."""

import numpy as np

from lotus.monitoring import novelty
from lotus.priors.vocabulary import BIN_COLUMNS


def test_a_window_is_new_where_any_pair_of_its_bins_is() -> None:
    rng = np.random.default_rng(6)
    before = rng.integers(0, 2, size=(400, len(BIN_COLUMNS))).astype(np.uint8)
    seen = novelty.of_texts(
        [novelty.as_text(novelty.seen_in(novelty.pair_cells(part))) for part in (before, before[:5])]
    )
    assert seen.sum() == 4 * 66
    today = before[:10].copy()
    today[0, 3] = 255
    today[1, 7] = 4
    assert novelty.novel_share(novelty.pair_cells(today), seen) == 0.2
    assert np.isnan(novelty.novel_share(novelty.pair_cells(today[:0]), seen))
    assert not novelty.of_texts([]).any()
