"""The exchange's benchmark runs and both matchers see the same orders."""

from benchmarks.exchange.speed import measure, run_engine, run_naive, script_of


def test_it_measures() -> None:
    figures = measure(200, 1)
    assert figures["engine_orders_per_s"] > 0
    assert figures["naive_orders_per_s"] > 0
    script = script_of(200)
    assert run_engine(script) == run_naive(script)
