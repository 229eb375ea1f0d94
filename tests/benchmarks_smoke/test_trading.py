"""The cost of one plan is measured: every subject against its reference, no time asserted."""

from benchmarks.trading.one_plan import PLAN, measure, to_first_order, whole_life


def test_every_subject_has_a_figure_and_a_reference() -> None:
    found = measure(plans=3, repeats=1)
    assert set(found) == {"validate", "order machine, one order", "plan to first orders", "whole life of a plan"}
    for row in found.values():
        assert row["us"] >= 0.0
        assert set(row) == {"us", "events", "bare_dict_us", "ratio"}


def test_the_measured_plan_really_lives() -> None:
    _, commands = to_first_order(PLAN)
    assert [len(c.orders) for c in commands] == [3]
    assert whole_life(PLAN) > 5
