"""Experts are judged on Mondays."""

from lotus_assets.stages.experts.judged_days import is_judged


def test_only_mondays_are_judged() -> None:
    days = [f"2026-01-{day:02d}" for day in range(5, 19)]
    assert [day for day in days if is_judged(day)] == ["2026-01-05", "2026-01-12"]
