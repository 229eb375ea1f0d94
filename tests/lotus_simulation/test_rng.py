"""The integer random numbers: reference values, ranges and moments."""

import numpy as np

from lotus.simulation.rng import bell, below, fat_bell, next_u64, streams


def test_splitmix64_reference_values() -> None:
    state = np.array([1234567], dtype=np.uint64)
    found = [int(next_u64(state, 0)) for _ in range(5)]
    assert found == [
        6457827717110365317,
        3203168211198807973,
        9817491932198370423,
        4593380528125082431,
        16408922859458223821,
    ]


def test_streams_are_named_by_their_key() -> None:
    assert streams(3, "a", 1).tolist() == streams(3, "a", 1).tolist()
    assert streams(1, "a", 1)[0] != streams(1, "a", 2)[0]
    assert len(set(streams(50, "a").tolist())) == 50


def test_below_is_uniform() -> None:
    state = streams(1, "uniform")
    counts = np.bincount([below(state, 0, 7) for _ in range(70_000)], minlength=7)
    assert counts.size == 7
    assert abs(counts - 10_000).max() < 500


def test_bells_are_symmetric_with_the_stated_deviation() -> None:
    state = streams(2, "bell")
    plain = np.array([bell(state, 0) for _ in range(100_000)])
    fat = np.array([fat_bell(state, 1) for _ in range(100_000)])
    assert abs(plain.mean()) < 0.05
    assert abs(plain.std() / 4 - 1) < 0.01
    assert abs(fat.mean()) < 13
    assert abs(fat.std() / 1024 - 1) < 0.02
    assert (fat**4).mean() / fat.var() ** 2 > 3.8  # fat tails
