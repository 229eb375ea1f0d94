"""The benchmark of the re-solve runs, and both solvers answer alike on its chain."""

from benchmarks.decision.resolve import measure


def test_a_short_chain_is_solved_by_both() -> None:
    found = measure(4, 5, 1)
    assert found["unsolved"] == 0
    assert found["largest_weight_apart"] < 1e-5
    assert 0.0 < found["fast_cpu_p50_ms"] <= found["fast_cpu_p99_ms"]
