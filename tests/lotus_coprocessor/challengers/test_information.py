"""Information that a flag adds: none on average from noise, some where the signal pays only under the flag."""

import numpy as np

from lotus.coprocessor.challengers.information import binned, gate_gain, information

N = 4_000


def gain(seed: int, gated: float) -> float:
    """The gain of a flag that lets a signal of some worth through, or has nothing to do with it."""
    rng = np.random.default_rng(seed)
    signal, flag = rng.standard_normal(N), rng.random(N) < 0.5
    move = rng.standard_normal(N) + gated * np.where(flag, signal, 0.0)
    return gate_gain(binned(signal), binned(move), flag)


def test_noise_gains_nothing_on_average_and_a_gated_signal_does() -> None:
    noise = [gain(seed, 0.0) for seed in range(40)]
    error = np.std(noise) / np.sqrt(len(noise))
    assert abs(np.mean(noise)) < 4.0 * error
    assert min(gain(seed, 0.7) for seed in range(10)) > max(noise)


def test_information_is_that_of_the_table_and_is_corrected_for_empty_knowledge() -> None:
    rng = np.random.default_rng(3)
    found = [information(rng.integers(0, 5, N), rng.integers(0, 5, N)) for _ in range(40)]
    plain = 16 / (2 * N)  # what the plug-in estimate would say of nothing
    assert abs(np.mean(found)) < plain / 3
    same = rng.integers(0, 5, N)
    assert abs(information(same, same) - np.log(5)) < 0.01
    assert information(same[:0], same[:0]) == 0.0


def test_ties_share_a_bin() -> None:
    assert set(binned(np.array([0.0] * 90 + [1.0] * 10))) == {0, 1}
    assert len(set(binned(np.arange(100.0)))) == 5
    assert len(binned(np.zeros(0))) == 0
