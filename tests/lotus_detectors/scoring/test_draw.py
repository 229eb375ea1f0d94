"""The draw: numpy's own Philox gives the same bits, and a draw depends on its key alone."""

import numpy as np

from lotus.detectors.registry import shipped_detectors
from lotus.detectors.scoring.draw import draw_keys, philox, uniform
from lotus.manifest import Asset


def test_bits_are_those_of_numpy() -> None:
    rng = np.random.default_rng(1)
    for _ in range(300):
        key = rng.integers(0, 2**64, 2, dtype=np.uint64)
        counter = int(rng.integers(1, 2**62))
        numpy_word = np.random.Philox(key=key, counter=[counter - 1, 0, 0, 0]).random_raw()
        assert int(philox(key[0], key[1], np.uint64(counter))) == numpy_word
        numpy_draw = np.random.Generator(np.random.Philox(key=key, counter=[counter - 1, 0, 0, 0])).random()
        assert uniform(key[0], key[1], counter) == numpy_draw


def test_draws_are_uniform_and_keys_do_not_depend_on_position() -> None:
    detectors = shipped_detectors()
    universe = [Asset("BTC", 5), Asset("ETH", 4), Asset("SOL", 2)]
    keys = draw_keys(7, universe, detectors)
    turned = draw_keys(7, universe[::-1], detectors[::-1])
    assert np.array_equal(keys, turned[::-1, ::-1])
    assert len(np.unique(keys.reshape(-1, 2), axis=0)) == 18
    assert not np.array_equal(keys, draw_keys(8, universe, detectors))
    start = 1_740_000_000_000
    draws = np.array([uniform(keys[0, 0, 0], keys[0, 0, 1], start + 5000 * k) for k in range(20_000)])
    assert np.all((draws >= 0) & (draws < 1))
    assert np.abs(np.histogram(draws, 20, (0, 1))[0] - 1000).max() < 160
    assert abs(np.corrcoef(draws[1:], draws[:-1])[0, 1]) < 0.03
